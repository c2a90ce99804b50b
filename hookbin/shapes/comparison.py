"""Two requests compared, whatever they are: which header became of which, and where their bodies begin to differ.

Everything takes time in proportion to what is compared, since what was captured may be hostile.
"""

from __future__ import annotations

from collections import defaultdict, deque

from msgspec import Struct

from hookbin.delivery.headers import MASK, is_secret
from hookbin.models.common import Headers


class Message(Struct, frozen=True, kw_only=True):
    """What is compared of a request."""

    method: str
    target: str
    headers: Headers
    body: bytes
    masked: bool = False
    """Whether secrets in its headers are masked; those are taken for what stands on the other side."""


class HeaderLine(Struct, frozen=True, kw_only=True):
    """A header on either side; None where it is not."""

    name: str
    left: str | None
    right: str | None
    right_name: str | None = None
    """Its name on the right, when that is written in another way."""
    masked: bool = False

    @property
    def is_secret(self) -> bool:
        return is_secret(self.name)

    @property
    def mark(self) -> str:
        if self.left is None:
            return "added"
        if self.right is None:
            return "missing"
        if self.masked:
            return "same"
        return "same" if self.left == self.right and self.right_name is None else "changed"


class Comparison(Struct, frozen=True, kw_only=True):
    """What became of the left message on the right."""

    headers: list[HeaderLine]
    """Those of the left side in their order, then those that came to it."""
    in_order: bool
    """Whether the headers of the left side stand on the right in the same order."""
    same_line: bool
    """Method and target alike."""
    first_difference: int | None
    """The offset at which the bodies begin to differ; None when they are equal."""

    @property
    def same_fields(self) -> bool:
        return self.in_order and all(line.mark == "same" for line in self.headers)

    @property
    def same_head(self) -> bool:
        return self.same_line and self.same_fields

    @property
    def identical(self) -> bool:
        return self.same_head and self.first_difference is None


def compare(left: Message, right: Message) -> Comparison:
    lines, places = _lines(left, right.headers)
    return Comparison(
        headers=lines,
        in_order=places == sorted(places),
        same_line=(left.method, left.target) == (right.method, right.target),
        first_difference=None if left.body == right.body else _first_difference(left.body, right.body),
    )


def _lines(left: Message, right: Headers) -> tuple[list[HeaderLine], list[int]]:
    """Each header of the left beside the one of its name and value on the right, or else the first of its name.

    Also the places on the right at which those of the left stand.
    """
    same_pair: dict[tuple[str, str], deque[int]] = defaultdict(deque)
    same_name: dict[str, deque[int]] = defaultdict(deque)
    for place, (name, value) in enumerate(right):
        same_pair[name.lower(), value].append(place)
        same_name[name.lower()].append(place)
    rest = dict(enumerate(right))
    lines: list[HeaderLine] = []
    places: list[int] = []
    for name, value in left.headers:
        found = _first(same_pair[name.lower(), value], rest)
        found = _first(same_name[name.lower()], rest) if found is None else found
        if found is None:
            lines.append(HeaderLine(name=name, left=value, right=None))
            continue
        places.append(found)
        right_name, right_value = rest.pop(found)
        lines.append(
            HeaderLine(
                name=name,
                left=value,
                right=right_value,
                right_name=None if right_name == name else right_name,
                masked=left.masked and value == MASK and is_secret(name),
            )
        )
    return lines + [HeaderLine(name=name, left=None, right=value) for name, value in rest.values()], places


def _first(places: deque[int], rest: dict[int, tuple[str, str]]) -> int | None:
    """The first of the places that is not taken yet."""
    while places:
        place = places.popleft()
        if place in rest:
            return place
    return None


def _first_difference(left: bytes, right: bytes) -> int:
    """Bodies of which one goes on differ where the other ends."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        if left[low:middle] == right[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low
