"""What differs between two requests, as the JSON API gives it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Changed(Struct, frozen=True, kw_only=True):
    left: str
    right: str


class PairsDifference(Struct, frozen=True, kw_only=True):
    """A header (in lower case) or parameter, and all its values on either side; empty where it is not there."""

    name: str
    left: list[str]
    right: list[str]


class JsonDifference(Struct, frozen=True, kw_only=True):
    """`left` and `right` are JSON, cut at 200 characters; of an object or list its size."""

    path: str
    change: Literal["added", "removed", "changed"]
    left: str | None = None
    right: str | None = None


class BodyDifference(Struct, frozen=True, kw_only=True):
    """`json` and `text` (lines of a unified diff) are there by `kind`; `first_difference` is an offset in bytes.

    Both are empty where only the bytes differ; `notice` says so. Of a repeated key each value is compared.
    """

    identical: bool
    kind: Literal["same", "json", "text", "bytes"]
    left_size: int
    right_size: int
    first_difference: int | None = None
    json: list[JsonDifference] | None = None
    text: list[str] | None = None
    notice: str | None = None


class Difference(Struct, frozen=True, kw_only=True):
    """`identical` is said of method, target, headers and trailers as they were sent, and body.

    `reordered`: the headers have the same names and values, but in another order or case.
    """

    left: str
    right: str
    identical: bool
    method: Changed | None
    target: Changed | None
    headers: list[PairsDifference]
    query: list[PairsDifference]
    reordered: bool
    trailers: list[PairsDifference]
    body: BodyDifference
