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


def split_url(url: str) -> tuple[Place, str]:
    """The place and the request target of a URL that `targets.parse_destination` takes, with whatever target."""
    origin, target = _split(url)
    return _place(origin), target


def url_as_sent(url: str) -> str:
    """The URL as its target and host go out: with the path that it must have."""
    return "".join(_split(url))


def _split(url: str) -> tuple[str, str]:
    """`scheme://authority`, and the target in origin form (RFC 9112, 3.2.1)."""
    begin = url.index("://") + 3
    ends = [end for end in (url.find("/", begin), url.find("?", begin)) if end >= 0]
    end = min(ends, default=len(url))
    target = url[end:]
    return url[:end], target if target[:1] == "/" else f"/{target}"


@lru_cache(maxsize=4096)
def _place(origin: str) -> Place:
    scheme, _, authority = origin.partition("://")
    scheme = scheme.lower()
    host, colon, port = authority.rpartition(":")
    if not colon or port.endswith("]"):
        host, port = authority, ""
    return Place(scheme, host.strip("[]").lower(), int(port) if port else _PORTS[scheme])
