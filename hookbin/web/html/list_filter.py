"""What a list on a page is narrowed to, as the URL has it: read for the search, and written into links."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlencode

from msgspec import Struct
from starlette.datastructures import QueryParams

from hookbin.errors import FieldsInvalid
from hookbin.web.rest.routing import decode_pairs

Q = TypeVar("Q", bound=Struct)
Wanted = TypeVar("Wanted")


class ListFilter(Struct, frozen=True, kw_only=True):
    """The filter's names and values in their order; some names may stand more than once."""

    pairs: tuple[tuple[str, str], ...]
    complaint: str | None = None
    """Why the URL's filter can't be used; then everything is shown."""

    def get(self, name: str) -> str:
        """The first value of a name; empty without any."""
        return next((value for other, value in self.pairs if other == name), "")

    @property
    def query(self) -> str:
        return urlencode(self.pairs)

    @property
    def keep(self) -> str:
        """The filter as the beginning of a query."""
        return f"{self.query}&" if self.pairs else ""

    def with_(self, name: str, value: str) -> str:
        """The query of the same filter with one value set, or taken away if it is set already or empty."""
        kept = [pair for pair in self.pairs if pair[0] != name]
        return urlencode(kept if value in ("", self.get(name)) else [*kept, (name, value)])

    def without(self, pair: tuple[str, str]) -> str:
        """The query of the same filter without one of its pairs."""
        return urlencode([other for other in self.pairs if other != pair])


def read_filter(
    query: QueryParams, type: type[Q], to_filter: Callable[[Q], Wanted], *, otherwise: Wanted
) -> tuple[ListFilter, Wanted]:
    """What of a page's query are fields of `type`, and what that means; fields left empty ask for nothing."""
    pairs = tuple((name, value) for name, value in query.multi_items() if name in type.__struct_fields__ and value)
    try:
        return ListFilter(pairs=pairs), to_filter(decode_pairs(pairs, type))
    except FieldsInvalid as error:
        return ListFilter(pairs=pairs, complaint=error.detail), otherwise
