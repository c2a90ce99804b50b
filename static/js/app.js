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

// A body that is looked at brings what is used then.
document.addEventListener("click", ({ target }) => target.closest(".json") && import("./json_tree.js").then(({ choose }) => choose(target)));
document.addEventListener("focusin", ({ target }) => target.closest(".json, [data-find]") && import("./json_tree.js").then(({ attend }) => attend(target)));
