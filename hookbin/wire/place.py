"""Where a URL leads, and what of it goes out: nothing is quoted anew."""

from __future__ import annotations

from functools import lru_cache

from msgspec import Struct

_PORTS = {"http": 80, "https": 443}


class Place(Struct, frozen=True):
    """What a connection leads to."""

    scheme: str
    host: str
    """Without brackets."""
    port: int

    @property
    def named(self) -> str:
        """`host:port`."""
        return address_text(self.host, self.port)


def address_text(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Located(Struct, frozen=True):
    """A URL that `targets.parse_destination` takes, with whatever target, taken apart."""

    place: Place
    origin: str
    """`scheme://authority`."""
    target: str
    """In origin form (RFC 9112, 3.2.1)."""

    @property
    def as_sent(self) -> str:
        """The URL as its target and host go out: with the path that it must have."""
        return self.origin + self.target


def locate(url: str) -> Located:
    begin = url.index("://") + 3
    ends = [end for end in (url.find("/", begin), url.find("?", begin)) if end >= 0]
    end = min(ends, default=len(url))
    origin, target = url[:end], url[end:]
    return Located(_place(origin), origin, target if target[:1] == "/" else f"/{target}")


@lru_cache(maxsize=4096)
def _place(origin: str) -> Place:
    scheme, _, authority = origin.partition("://")
    scheme = scheme.lower()
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    return Place(scheme, host.strip("[]").lower(), int(port) if port else _PORTS[scheme])
