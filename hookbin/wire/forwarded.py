"""What proxies say of a request's way here: X-Forwarded-For, -Proto and -Host, and Forwarded (RFC 7239).

Whoever sends can write these fields, so only peers that the owner names are believed. Proxies append: the client is the
last address that is no trusted proxy's, scheme and host are the first in their lists, which the sender used. The
X-Forwarded fields win one by one, since a proxy that sets them may pass on a `Forwarded` that it does not know.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from msgspec import Struct

from hookbin.http_fields import host_flags

HOST = "hookbin.forwarded_host"
"""The key in a scope of the host that a trusted proxy was asked for."""
MAX_FIELD = 8192
"""Bytes of one of the fields; a longer one is not read."""
Fields: TypeAlias = Sequence[tuple[bytes, bytes]]
"""As ASGI has them, with names in lower case."""
Peer: TypeAlias = tuple[str, int]
"""An address and its port, which is 0 where none was said."""
_PIECES = re.compile(r'"(?:[^"\\]|\\.)*"?|[^",;]+|[,;]', re.DOTALL)
_SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Forwarded(Struct, frozen=True, kw_only=True):
    """What the fields say, believed or not."""

    addresses: Sequence[str] = ()
    """From the client's to that of the last proxy's peer, as they are written."""
    scheme: str | None = None
    host: str | None = None


class TrustedProxies:
    """The networks whose proxies are believed."""

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(network) for network in networks]

    def restore(self, scope: Any) -> None:
        """Give a scope the client, the scheme and the `HOST` that its peer tells of, if that is a trusted proxy."""
        if not (scope["client"] and self.trusts(scope["client"][0])):
            return
        said = read_forwarded(scope["headers"])
        scope["client"] = self._client(said.addresses) or scope["client"]
        scope["scheme"] = said.scheme or scope["scheme"]
        scope[HOST] = said.host

    def _client(self, addresses: Sequence[str]) -> Peer | None:
        client = None
        for text in reversed(addresses):
            peer = _peer(text)
            if peer is None:
                break
            client = peer
            if not self.trusts(peer[0]):
                break
        return client

    def trusts(self, address: str) -> bool:
        """Whether the peer of that address is one."""
        if not (self._networks and address):
            return False
        ip = ipaddress.ip_address(address)
        return any(ip in network for network in self._networks)


def read_forwarded(fields: Fields) -> Forwarded:
    elements = list(_elements(_joined(fields, b"forwarded")))
    addresses = _joined(fields, b"x-forwarded-for")
    scheme = _joined(fields, b"x-forwarded-proto") or next(_each("proto", elements), "")
    host = _joined(fields, b"x-forwarded-host") or next(_each("host", elements), "")
    return Forwarded(
        addresses=addresses.split(",") if addresses else list(_each("for", elements)),
        scheme=_SCHEMES.get(_first(scheme).lower()),
        host=_first(host) if _first(host) and not host_flags([_first(host)]) else None,
    )


def _joined(fields: Fields, name: bytes) -> str:
    """The fields of one name as one list (RFC 9110, 5.3)."""
    value = b",".join(value for known, value in fields if known == name)
    return value.decode("latin-1") if len(value) <= MAX_FIELD else ""


def _first(values: str) -> str:
    return values.partition(",")[0].strip()


def _elements(value: str) -> Iterator[dict[str, str]]:
    """RFC 7239, 4: pairs with `;` between them, lists of them with `,`, values as tokens or quoted."""
    element: dict[str, str] = {}
    name = ""
    for piece in _PIECES.findall(value):
        if piece == ",":
            yield element
            element = {}
        elif piece.startswith('"'):
            element[name] = re.sub(r"\\(.)", r"\1", piece[1:].removesuffix('"'))
        elif piece != ";":
            name, _, text = (part.strip() for part in piece.partition("="))
            name = name.lower()
            element[name] = text
    yield element


def _each(name: str, elements: Iterable[dict[str, str]]) -> Iterator[str]:
    return (element[name] for element in elements if element.get(name))


def _peer(text: str) -> Peer | None:
    """None for `unknown` and for names that hide the address (RFC 7239, 6)."""
    host, port = text.strip(), ""
    if host.startswith("["):
        host, _, port = host[1:].partition("]")
        port = port.removeprefix(":")
    elif host.count(":") == 1:
        host, _, port = host.partition(":")
    try:
        ipaddress.ip_address(host.replace("%", " "))  # a zone may be any text
    except ValueError:
        return None
    return host, int(port) if re.fullmatch("[0-9]{1,5}", port) else 0
