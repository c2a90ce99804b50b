"""Which characters the bytes of a body are."""

from __future__ import annotations

import codecs

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
_CALLED_TEXT = ("json", "xml", "javascript", "x-www-form-urlencoded", "graphql", "yaml", "csv", "html")


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


def decode(data: bytes, content_type: str, *, whole: bool) -> Text | None:
    """By the byte order mark, else the charset parameter, else UTF-8, else windows-1252 if it is said to be text."""
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return _decoded(data, charset, whole=whole, start=len(mark), notice=_read_as(charset))
    asked = parameters(content_type).get("charset", "")
    declared = known_charset(asked)
    unusable = f"The charset {asked[:40]!r} could not be used. " if asked else ""
    if declared and (text := _decoded(data, declared, whole=whole, notice=_read_as(declared))):
        return text
    if text := _decoded(data, "utf-8", whole=whole, notice=f"{unusable}Read as UTF-8." if unusable else None):
        return text
    if not _called_text(content_type):
        return None
    why = unusable or "It is not UTF-8 and names no other character set. "
    return _decoded(data, "cp1252", whole=whole, notice=f"{why}Read as windows-1252: a guess.", errors="replace")


def known_charset(name: str) -> str | None:
    """Python's name of a character set, if it is one that is read here."""
    try:
        found = codecs.lookup(name[:40]).name
    except (LookupError, ValueError):
        return None
    return found if found in _KNOWN else None


def _decoded(
    data: bytes, charset: str, *, whole: bool, notice: str | None, start: int = 0, errors: str = "strict"
) -> Text | None:
    try:
        text = codecs.getincrementaldecoder(charset)(errors).decode(data[start:], final=whole)
    except (UnicodeError, ValueError):
        return None
    if "\0" in text:
        return None
    return Text(text=text, charset=charset, notice=notice, whole=whole, start=start)


def _read_as(charset: str) -> str | None:
    return None if charset in ("utf-8", "ascii") else f"Read as {charset}."


def _called_text(content_type: str) -> bool:
    kind = media_type(content_type)
    return kind.startswith("text/") or kind.endswith(_CALLED_TEXT)
