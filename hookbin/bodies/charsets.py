"""Which characters the bytes of a body are."""

from __future__ import annotations

import codecs
import re

from msgspec import Struct

from hookbin.bodies.media import media_type, parameters

_NAMES = """
utf-8 utf-16 utf-16-le utf-16-be utf-32 utf-32-le utf-32-be ascii gb18030 gbk gb2312 big5 big5hkscs shift_jis cp932
euc_jp iso2022_jp euc_kr cp949 koi8-r koi8-u mac-roman cp437 cp850 cp866 cp874 cp1250 cp1251 cp1252 cp1253 cp1254
cp1255 cp1256 cp1257 cp1258 iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-6 iso8859-7 iso8859-8 iso8859-9
iso8859-10 iso8859-11 iso8859-13 iso8859-14 iso8859-15 iso8859-16
"""
_KNOWN = frozenset(codecs.lookup(name).name for name in _NAMES.split())
"""Python's other codecs are no character sets, or are slow."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WIDE = (
    ("utf-16-le", re.compile(rb"(?:[^\0]\0){2}", re.DOTALL)),
    ("utf-16-be", re.compile(rb"(?:\0[^\0]){2}", re.DOTALL)),
    ("utf-32-le", re.compile(rb"(?:[^\0]\0\0\0){2}", re.DOTALL)),
    ("utf-32-be", re.compile(rb"(?:\0\0\0[^\0]){2}", re.DOTALL)),
)
"""How the first two characters of JSON or markup look in them (RFC 4627, 3)."""
_BINARY = re.compile("[\x00-\x08\x0e-\x1f]")
_CALLED_TEXT = ("json", "xml", "javascript", "x-www-form-urlencoded", "graphql", "yaml", "csv", "html")
_DECLARATIONS = re.compile(
    rb"""\s{0,100}<\?xml\s[^>]{0,200}?encoding\s{0,9}=\s{0,9}["']([\w.:-]{1,40})"""
    rb"""|\s{0,100}(?=<).{0,1000}?<meta\s[^>]{0,500}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([\w.:-]{1,40})""",
    re.IGNORECASE | re.DOTALL,
)
"""XML 1.0, 4.3.3; HTML, 4.2.5.4."""
_PRESCANNED = 1024
"""Bytes from the beginning in which a document names its charset (HTML, 13.2.3.2)."""
_LATIN_1, _WINDOWS_1252 = "iso8859-1", "cp1252"
"""What calls itself the first is read as the second, as on the web (Encoding standard, 4.2)."""
_STEP = 64 * 1024
"""Bytes that are decoded at a time on the way to a page."""
_GUESSED = "Read as windows-1252: a guess."


def _undefined(error: UnicodeError) -> tuple[str, int]:
    """The five bytes that windows-1252 leaves out, as browsers read them: no byte is lost, and none read twice."""
    assert isinstance(error, UnicodeDecodeError)
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error("hookbin.undefined", _undefined)


class Text(Struct, frozen=True, kw_only=True):
    """Decoded text. `whole` is False when the body goes on behind it; `start` is the length of its byte order mark."""

    text: str
    charset: str
    notice: str | None
    whole: bool
    start: int

    def offset(self, place: int) -> int:
        """The byte that the character at `place` begins at."""
        return self.start + len(self.text[:place].encode(self.charset, "replace"))


def decode(data: bytes, content_type: str, *, whole: bool, default: str | None = None) -> Text | None:
    """Decode by what names the charset, else as UTF-8, else by a guess, which is said; None when it is no text.

    The byte order mark comes first, then the charset parameter, what a document says of itself, and `default`. The
    guess is UTF-16 or UTF-32 by the look of it, and windows-1252 for what is said to be text.
    """
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return _decoded(data, charset, whole=whole, start=len(mark), notice=_read_as(charset))
    wide = _wide(data, whole=whole)
    unusable = ""
    for asked in filter(None, (parameters(content_type).get("charset"), _declared(data), default)):
        charset = known_charset(asked) or ""
        if wide and wide.charset.startswith(charset or "none"):
            return wide
        if charset and (text := _decoded(data, charset, whole=whole, notice=_read_as(charset))):
            return text
        unusable += f"The charset {asked[:40]!r} could not be used. "
    if text := _decoded(data, "utf-8", whole=whole, notice=f"{unusable}Read as UTF-8." if unusable else None):
        return text
    if wide or not _called_text(content_type):
        return wide
    why = unusable or "It is not UTF-8 and names no other character set. "
    return _decoded(data, _WINDOWS_1252, whole=whole, notice=why + _GUESSED)


def text_from(data: bytes, text: Text, start: int, *, most: int) -> tuple[str, bool]:
    """Up to `most` characters of the whole from the character `start` on, and whether there are more.

    `text` is how its beginning was decoded; what can't be decoded further on is replaced. Only a page is held.
    """
    decoder = codecs.getincrementaldecoder(_codec(text.charset)[0])("replace")
    passed, found = 0, ""
    for place in range(text.start, len(data), _STEP):
        piece = decoder.decode(data[place : place + _STEP], final=place + _STEP >= len(data))
        found += piece[max(0, start - passed) :]
        passed += len(piece)
        if len(found) > most:
            break
    return found[:most], len(found) > most


class FieldDecoder:
    """Decodes fields: in the charset that is named, else as UTF-8, else as windows-1252, which it remembers."""

    def __init__(self, *names: str) -> None:
        self._charset = next(filter(None, map(known_charset, names)), None)
        self._unusable = next((name for name in names if known_charset(name) is None), None)
        self._guessed = False

    def __call__(self, data: bytes) -> str:
        for charset in filter(None, (self._charset, "utf-8")):
            try:
                return data.decode(*_codec(charset))
            except UnicodeError:
                continue
        self._guessed = True
        return data.decode(*_codec(_WINDOWS_1252))

    @property
    def notice(self) -> str | None:
        """How what was decoded by now was read, where that needs a word."""
        said = [_read_as(self._charset)] if self._charset else []
        if self._unusable is not None and self._charset is None:
            said.append(f"The charset {self._unusable[:40]!r} could not be used.")
        if self._guessed:
            said.append(
                f"Not all of it is {self._charset or 'UTF-8, and nothing usable names its charset'}. {_GUESSED}"
            )
        return " ".join(filter(None, said)) or None


def known_charset(name: str) -> str | None:
    """Python's name of a character set, if it is one that is read here."""
    try:
        found = codecs.lookup(name[:40].strip(" \t\"'")).name
    except (LookupError, ValueError):
        return None
    return found if found in _KNOWN else None


def _declared(data: bytes) -> str | None:
    """What XML or HTML says of itself; that it is UTF-16 can't be true where it can be read."""
    match = _DECLARATIONS.match(data[:_PRESCANNED])
    name = "" if match is None else (match[1] or match[2]).decode("ascii", "replace")
    return None if not name or name.lower().startswith(("utf-16", "utf-32")) else name


def _wide(data: bytes, *, whole: bool) -> Text | None:
    for charset, look in _WIDE:
        if look.match(data):
            text = _decoded(data, charset, whole=whole, notice=f"Read as {charset}: a guess.")
            if text is not None and not _BINARY.search(text.text):
                return text
    return None


def _decoded(data: bytes, charset: str, *, whole: bool, notice: str | None, start: int = 0) -> Text | None:
    charset, errors = _codec(charset)
    try:
        text = codecs.getincrementaldecoder(charset)(errors).decode(data[start:], final=whole)
    except (UnicodeError, ValueError):
        return None
    if "\0" in text:
        return None
    return Text(text=text, charset=charset, notice=notice, whole=whole, start=start)


def _codec(charset: str) -> tuple[str, str]:
    """What decodes a charset, and how it takes what it can't."""
    return (_WINDOWS_1252, "hookbin.undefined") if charset in (_LATIN_1, _WINDOWS_1252) else (charset, "strict")


def charset_name(charset: str) -> str:
    """What people call it."""
    return charset.replace("cp125", "windows-125")


def _read_as(charset: str) -> str | None:
    return None if charset in ("utf-8", "ascii") else f"Read as {charset_name(charset)}."


def _called_text(content_type: str) -> bool:
    kind = media_type(content_type)
    return kind.startswith("text/") or kind.endswith(_CALLED_TEXT)
