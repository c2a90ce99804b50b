// What every page has.
import { listen as actions } from "./actions.js";
import { listen as copying } from "./copy.js";
import { listen as dialogs } from "./dialogs.js";
import { listen as forms } from "./forms.js";
import { listen as keyboard } from "./keyboard.js";
import { keepCurrent } from "./times.js";

actions();
copying();
dialogs();
forms();
keyboard();
keepCurrent();
if (sessionStorage.getItem("hookbin-undo")) import("./undo.js").then(({ offerAgain }) => offerAgain());
