"""One request as it came over the wire, and the connection that is answered on.

ASGI gives header names in lower case and a decoded path, and sends head and body of an answer apart. What a bin
shows is what was sent, and its answers break the rules of HTTP where their owner wants it. So our protocol puts an
`Exchange` into the scope of each request (ASGI, "Extensions"); other servers give no hold of their connections, and
`exchange_of` makes do with what the scope says.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct
from starlette.types import Scope

from hookbin.wire.head import Pairs

EXTENSION = "hookbin.wire"
"""Where our protocol puts it, under the `extensions` of the scope."""


class Answering(Protocol):
    """A connection, as far as an exchange knows it. All do nothing once the exchange is over."""

    client: tuple[str, int] | None

    def answer(self, exchange: Exchange, *, status: int, fields: bytes, body: bytes) -> None: ...

    def break_off(self, exchange: Exchange) -> None: ...

    def drop(self, exchange: Exchange, *, last_words: bytes, reset: bool) -> None: ...


class Exchange(Struct, eq=False):
    """What was sent, and how it can be answered beyond ASGI.

    The protocol makes it when a head is whole, and adds what comes later: trailers, and that time ran out.
    It holds the connection and not the request's cycle, whose scope holds it.
    """

    target: str
    """As sent, query included; latin-1."""
    headers: Pairs
    """In the case and the order that they were sent in."""
    connection: Answering | None = None
    """None under another server: nothing below can be done there."""
    trailers: Pairs = []
    """Fields behind a chunked body (RFC 9110, 6.5), once that is in."""
    timed_out: bool = False
    """The rest of the body did not come in time, and the sender was told so."""
    refusal_fields: bytes = b""
    """Header lines for what the protocol itself says to the sender, should it."""

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of the peer."""
        return None if self.connection is None else self.connection.client

    def answer(self, *, status: int, fields: bytes, body: bytes) -> bool:
        """Send a whole answer as one write; `fields` are its header lines. False where the server can't.

        ASGI sends head and body apart, and uvicorn checks each header anew and makes two system calls of
        it, which a profile of captures under load showed as its largest single cost.
        """
        if self.connection is None:
            return False
        self.connection.answer(self, status=status, fields=fields, body=body)
        return True

    def break_off(self) -> None:
        """Close the connection in the middle of an answer, and drop what its reader does not take."""
        if self.connection is not None:
            self.connection.break_off(self)

    def drop(self, *, last_words: bytes = b"", reset: bool = False) -> bool:
        """Close the connection instead of answering, after these bytes or with a TCP RST. False where it can't be."""
        if self.connection is None:
            return False
        self.connection.drop(self, last_words=last_words, reset=reset)
        return True


def exchange_of(scope: Scope) -> Exchange:
    """The one that our protocol made, or as much of it as another server tells."""
    found: Exchange | None = scope.get("extensions", {}).get(EXTENSION)
    if found is not None:
        return found
    path: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope["query_string"]
    target = path + b"?" + query if query else path
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return Exchange(target.decode("latin-1"), headers)
