// Light, dark or as the system says: applied before the page is drawn, so not a module.
{
  const CHOICES = ["auto", "light", "dark"];
  const LABELS = { auto: "follows the system", light: "light", dark: "dark" };
  const root = document.documentElement;

  const remembered = () => {
    try {
      return localStorage.getItem("hookbin-theme") || "auto";
    } catch {
      return "auto";
    }
  };

  const apply = (choice) => {
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.ariaLabel = button.title = `Theme: ${LABELS[choice]}`;
    }
  };

  root.dataset.js = "";
  apply(remembered());
  document.addEventListener("DOMContentLoaded", () => apply(remembered()));
  addEventListener("storage", () => apply(remembered()));
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = CHOICES[(CHOICES.indexOf(remembered()) + 1) % CHOICES.length];
    try {
      localStorage.setItem("hookbin-theme", next);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    apply(next);
  });
}
