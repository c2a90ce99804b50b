// What every page has.
import { listen as actions } from "./actions.js";
import { listen as copying } from "./copy.js";
import { listen as keyboard } from "./keyboard.js";
import { keepCurrent } from "./times.js";

actions();
copying();
keyboard();
keepCurrent();
