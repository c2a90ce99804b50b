// The last searches of this browser, offered again while one is typed.

const KEPT = 12;
const NAME = "hookbin-searches";

const input = document.getElementById("search-q");

function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter((text) => typeof text === "string") : [];
  } catch {
    return []; // no storage, or something else wrote there
  }
}

function remember(text) {
  const searches = [text, ...remembered().filter((other) => other !== text)].slice(0, KEPT);
  try {
    localStorage.setItem(NAME, JSON.stringify(searches));
  } catch {
    // it is only a convenience
  }
}

function offer() {
  document.getElementById("searches").replaceChildren(
    ...remembered().map((text) => Object.assign(document.createElement("option"), { value: text })),
  );
}

if (input.value.trim()) remember(input.value.trim());
offer();
