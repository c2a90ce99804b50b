// Marks what was searched for where the page shows it, in the list and in the detail, however a sender spelled it.

export const MOST = 500;
const MOST_CHARACTERS = 200_000;

const wanted = new URLSearchParams(location.search).get("q") ?? "";
const inspector = document.querySelector(".inspector");

// One character as it may stand there: itself, escaped as in JSON, or percent-encoded.
function spellings(character) {
  const itself = character.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
  const units = [...Array(character.length).keys()].map((place) => character.charCodeAt(place));
  const escaped = units.map((unit) => `\\\\u${unit.toString(16).padStart(4, "0")}`).join("");
  const bytes = [...new TextEncoder().encode(character)];
  const encoded = bytes.map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  const found = [itself, escaped, encoded];
  if (/["\\/]/.test(character)) found.push(`\\\\${itself}`);
  if (character === " ") found.push("\\+");
  return `(?:${found.join("|")})${character === ":" ? "\\s*" : ""}`;
}

// What finds a text in each of its spellings.
export function patternOf(text) {
  return new RegExp([...text].map(spellings).join(""), "giu");
}

function mark() {
  const pattern = patternOf(wanted);
  const ranges = [];
  for (const place of inspector.querySelectorAll("[data-requests] .path, .detail-title, .detail-sections")) {
    ranges.push(...rangesIn(place, pattern, MOST - ranges.length));
  }
  CSS.highlights.set("hits", new Highlight(...ranges));
}

// Words may begin in one coloured piece of a body and end in another.
export function rangesIn(place, pattern, most) {
  const nodes = [];
  let text = "";
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  while (text.length < MOST_CHARACTERS && walker.nextNode()) {
    nodes.push({ node: walker.currentNode, start: text.length });
    text += walker.currentNode.data;
  }
  const found = [];
  let first = 0;
  for (const match of text.matchAll(pattern)) {
    if (found.length >= most) break;
    const end = match.index + match[0].trimEnd().length;
    while (nodes[first + 1]?.start <= match.index) first += 1;
    let last = first;
    while (nodes[last + 1]?.start < end) last += 1;
    const range = new Range();
    range.setStart(nodes[first].node, match.index - nodes[first].start);
    range.setEnd(nodes[last].node, end - nodes[last].start);
    found.push(range);
  }
  return found;
}

let planned = false;

function plan() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => {
    planned = false;
    mark();
  });
}

if (wanted && CSS.highlights) {
  new MutationObserver(plan).observe(inspector, { childList: true, subtree: true });
  mark();
}
