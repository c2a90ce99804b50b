// How values are written: the same as in hookbin/text.py and web/html/filters.py.

export function size(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1023.95 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

const UNITS = [["d", 86_400], ["h", 3_600], ["min", 60], ["s", 1]];

export function duration(seconds) {
  if (seconds < 1) {
    const milliseconds = seconds * 1000;
    return `${milliseconds.toFixed(milliseconds < 9.95 ? 1 : 0)} ms`;
  }
  const [name, unit] = UNITS.find(([, unit]) => seconds >= unit);
  const amount = seconds / unit;
  return `${amount >= 9.95 ? amount.toFixed(0) : amount.toFixed(1).replace(".0", "")} ${name}`;
}

export function ago(date, now = Date.now()) {
  const seconds = Math.floor((now - date) / 1000);
  if (seconds < 2) return "just now";
  const [name, unit] = UNITS.find(([, unit]) => seconds >= unit);
  return `${Math.floor(seconds / unit)} ${name} ago`;
}

const ODD =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\u{1d173}-\u{1d17a}\u{e0000}-\u{e0fff}]/gu;

// Characters that hide or reorder text, shown by their code.
export function reveal(text) {
  return text.replace(ODD, (odd) => `U+${odd.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
}

const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

// A header or target, kept as latin-1, read as UTF-8 where it is that.
export function wire(text) {
  if (!/[\x80-\xff]/.test(text) || /[^\x00-\xff]/.test(text)) return text;
  try {
    return UTF8.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    return text;
  }
}
