"""What a view looks at: a body with its headers, decompressed and decoded once, and the time that is left."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import cached_property

from hookbin.bodies import limits
from hookbin.bodies.charsets import Text, decode
from hookbin.bodies.compression import Unpacked, unpack
from hookbin.bodies.media import media_type
from hookbin.models.common import Headers


class Match(IntEnum):
    """How well a view suits a body. The better fit comes first; among equals, the order of the registry decides."""

    NO = 0
    MAYBE = 1
    """Possible, but a plain look says more."""
    ALWAYS = 2
    LOOKS = 3
    """The bytes look like it."""
    DECLARED = 4
    """The content type says so."""


class Budget:
    """The wall time that the views of one page share. A view asks now and then, and ends with what it has."""

    def __init__(self, monotonic: Callable[[], float], seconds: float = limits.SECONDS) -> None:
        self._monotonic = monotonic
        self._until = monotonic() + seconds

    def spent(self) -> bool:
        return self._monotonic() >= self._until


class Source:
    """A body as the views see it. `cut` says that its end was not kept."""

    def __init__(self, body: bytes, headers: Headers, *, budget: Budget, cut: bool = False) -> None:
        self.sent = body
        self.headers = headers
        self.budget = budget
        self.content_type = self.header("content-type") or ""
        self.media_type = media_type(self.content_type)
        self._cut = cut

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key.lower() == name), None)

    @cached_property
    def unpacked(self) -> Unpacked:
        encodings = ",".join(value for key, value in self.headers if key.lower() == "content-encoding")
        return unpack(self.sent, encodings, out_of_time=self.budget.spent)

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
