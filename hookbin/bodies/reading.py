"""The one reading of a body: unpacked, decoded and taken apart, each step when it is first asked for, and once.

Views, rules, handshakes, filters, searches, templates and comparisons all read a body so, and see the same in it.
The cost has bounds: `most` bytes come out of a compressed body, text and JSON are read up to `limits.LOOKED_AT`, fields
up to `limits.READ_FIELDS`. Views look at the time besides (`Budget`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any

from hookbin.bodies import limits
from hookbin.bodies.budget import BY_SIZE, Budget
from hookbin.bodies.charsets import Text, decode
from hookbin.bodies.compression import Unpacked, unpack
from hookbin.bodies.forms import Form, charsets_of, form_match
from hookbin.bodies.json_values import NOTHING, opens_json, read_json, read_lines, read_plain_json
from hookbin.bodies.media import media_type
from hookbin.bodies.multipart import Multipart, boundary_of
from hookbin.models.common import Headers


class Reading:
    """A body with its headers. `cut` says that its end was not kept, `start` which page of it a view is to show."""

    def __init__(
        self,
        body: bytes,
        headers: Headers,
        *,
        budget: Budget = BY_SIZE,
        cut: bool = False,
        start: int = 0,
        most: int = limits.PACKED,
    ) -> None:
        self.start = start
        self.sent = body
        self.headers = headers
        self.budget = budget
        self._cut = cut
        self._most = most

    @cached_property
    def content_type(self) -> str:
        return self.header("content-type") or ""

    @cached_property
    def media_type(self) -> str:
        return media_type(self.content_type)

    def header(self, name: str) -> str | None:
        for key, value in self.headers:
            if key.lower() == name:
                return value
        return None

    @cached_property
    def unpacked(self) -> Unpacked:
        encodings = ",".join(value for key, value in self.headers if key.lower() == "content-encoding")
        return unpack(self.sent, encodings, out_of_time=self.budget.spent, most=self._most)

    @property
    def body(self) -> bytes:
        """The bytes after decompression."""
        return self.unpacked.body

    @property
    def cut(self) -> bool:
        return self._cut or self.unpacked.cut

    @cached_property
    def text(self) -> Text | None:
        """What the beginning of the body says as text; None when it is none, or empty."""
        if not self.body:
            return None
        return decode(self.body[: limits.LOOKED_AT], self.content_type, whole=len(self.body) <= limits.LOOKED_AT)

    @cached_property
    def form(self) -> Form | None:
        """None when it can't be an urlencoded form."""
        if not form_match(self.body, self.media_type):
            return None
        return Form(self.body, charsets_of(self.body, self.content_type))

    @cached_property
    def multipart(self) -> Multipart | None:
        boundary = boundary_of(self.media_type, self.content_type)
        return Multipart(self.body, boundary) if boundary else None

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The fields of a form, urlencoded or multipart, in their order; a file that is no text is empty."""
        return list(islice(self._fields(), limits.READ_FIELDS))

    def _fields(self) -> Iterator[tuple[str, str]]:
        if self.multipart is not None:
            for part in self.multipart.parts:
                if (name := self.multipart.name(part)) is not None:
                    text = self.multipart.text(part, most=limits.LOOKED_AT)
                    yield name, "" if text is None else text.text
        elif self.form is not None:
            yield from ((field.name, field.value) for field in self.form)

    @cached_property
    def json(self) -> Any:
        """The JSON that the body is; of JSON lines a list, of a form those fields that hold JSON, by name.

        `NOTHING` where there is none, where the body did not come whole, and over `limits.LOOKED_AT`.
        """
        if self._may_be_plain and (found := read_plain_json(self.sent)) is not NOTHING:
            return found
        text = self.text
        if not self.cut and text is not None and text.whole:
            for read in (read_json, read_lines):
                if (found := read(text.text)) is not NOTHING:
                    return found
        return self._json_in_fields()

    @property
    def _may_be_plain(self) -> bool:
        """Whether what parsers read in the bytes as they came is what there is, as it mostly is."""
        if self._cut or len(self.sent) > limits.LOOKED_AT:
            return False
        return self.header("content-encoding") is None and "charset" not in self.content_type.lower()

    def _json_in_fields(self) -> Any:
        found: dict[str, Any] = {}
        for name, value in self.fields:
            if name not in found and opens_json(value) and (inside := read_json(value, deep=False)) is not NOTHING:
                found[name] = inside
        return found or NOTHING
