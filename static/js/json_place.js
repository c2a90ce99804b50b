// Where a text stops being JSON (RFC 8259), in the words of an editor: browsers say it each in their own way, if at all.

const BLANK = /[ \t\n\r]*/y;
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])/y;
const WORD = /(?:true|false|null)\b/y;

class Stop extends Error {}

// `{line, column, message}`, counted from 1, of the first fault; null when it is JSON.
export function faultIn(text) {
  let at = 0;
  const take = (pattern) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match !== null;
  };
  const isNext = (character) => text[at] === character;
  const stop = (wanted) => {
    throw new Stop(`${wanted} is expected here`);
  };

  // What is open and what may come next stands in a list: no text is nested too deeply for it.
  function run() {
    const open = [];
    let wanted = "value";
    for (;;) {
      take(BLANK);
      if (wanted === "value") {
        if (isNext("{") || isNext("[")) {
          open.push(text[at]);
          at += 1;
          take(BLANK);
          const empty = text[at] === (open.at(-1) === "{" ? "}" : "]");
          if (!empty) wanted = open.at(-1) === "{" ? "name" : "value";
          else {
            at += 1;
            open.pop();
            wanted = "next";
          }
        } else if (take(STRING) || take(NUMBER) || take(WORD)) wanted = "next";
        else stop(isNext('"') ? "the end of this string, without line breaks or odd escapes," : "a value");
      } else if (wanted === "name") {
        if (!take(STRING)) stop("a name in double quotes");
        take(BLANK);
        if (!isNext(":")) stop("a colon");
        at += 1;
        wanted = "value";
      } else if (!open.length) {
        if (at < text.length) stop("the end");
        return;
      } else if (isNext(",")) {
        at += 1;
        wanted = open.at(-1) === "{" ? "name" : "value";
      } else if (isNext(open.at(-1) === "{" ? "}" : "]")) {
        at += 1;
        open.pop();
      } else stop(open.at(-1) === "{" ? "a comma or }" : "a comma or ]");
    }
  }

  try {
    run();
    return null;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    const before = text.slice(0, at).split("\n");
    return { line: before.length, column: before.at(-1).length + 1, message: error.message };
  }
}

// Numbers as they are written: what JavaScript would round stays as it is, in browsers that can tell.
const exact = (_, value, { source } = {}) => (typeof value === "number" && source !== undefined && source !== String(value) ? JSON.rawJSON(source) : value);

export const parseExactly = (text) => JSON.parse(text, exact);

// The same as a sentence; null when it is JSON.
export function complaintAbout(text) {
  const fault = faultIn(text);
  return fault && `line ${fault.line}, column ${fault.column}: ${fault.message}`;
}

const DEEPEST = 50; // levels that are set in; deeper ones stand below each other
const TOKEN = /"(?:[^"\\]|\\.)*"|[^\s{}[\],:"]+|[{}[\],:]/g;

// JSON over several lines, each token as it was written: 1.0 stays 1.0, and no digit is lost.
export function laidOut(text) {
  const tokens = text.match(TOKEN) ?? [];
  const pieces = [];
  let depth = 0;
  const newLine = () => pieces.push("\n", "  ".repeat(Math.min(depth, DEEPEST)));
  tokens.forEach((token, place) => {
    if ("{[".includes(token)) {
      pieces.push(token);
      if ("}]".includes(tokens[place + 1])) return;
      depth += 1;
      newLine();
    } else if ("}]".includes(token)) {
      if (!"{[".includes(tokens[place - 1])) {
        depth -= 1;
        newLine();
      }
      pieces.push(token);
    } else if (token === ",") {
      pieces.push(token);
      newLine();
    } else pieces.push(token === ":" ? ": " : token);
  });
  return pieces.join("");
}
