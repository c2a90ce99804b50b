"""Which URLs and addresses may be called: the guard against SSRF (server-side request forgery).

A URL is checked once, when it is registered (`parse_destination`, `check_literal`); the address
it leads to is checked each time one is dialled (`refusal`), so a name that later resolves to
something else gains nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from enum import Enum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

from msgspec import Struct

from hookbin import errors

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MAX_URL = 2048
METADATA_NAMES = frozenset({"metadata", "metadata.google.internal", "metadata.goog"})


class Category(Enum):
    NEVER = "never"
    PRIVATE = "private"
    PUBLIC = "public"


class Policy(Struct, frozen=True, kw_only=True):
    """What may be called besides public addresses."""

    allow_private: bool
    allowed: tuple[str, ...] = ()
    """Networks as `parse_allowed` gives them; they open private addresses, never those of `NEVER`."""


class _Row(Struct, frozen=True):
    network: Network
    category: Category
    name: str


def _rows(*rows: tuple[str, Category, str]) -> tuple[_Row, ...]:
    return tuple(_Row(ip_network(network), category, name) for network, category, name in rows)


NEVER, PRIVATE, PUBLIC = Category.NEVER, Category.PRIVATE, Category.PUBLIC

IPV4 = _rows(
    ("169.254.0.0/16", NEVER, "link-local, where clouds serve their metadata"),
    ("100.100.100.200/32", NEVER, "Alibaba Cloud's metadata service"),
    ("168.63.129.16/32", NEVER, "Azure's platform service"),
    ("192.0.0.192/32", NEVER, "Oracle Cloud's metadata service"),
    ("0.0.0.0/32", PRIVATE, "this machine"),
    ("0.0.0.0/8", NEVER, "not an address of a host"),
    ("224.0.0.0/4", NEVER, "multicast"),
    ("255.255.255.255/32", NEVER, "broadcast"),
    ("240.0.0.0/4", NEVER, "reserved"),
    ("127.0.0.0/8", PRIVATE, "this machine (loopback)"),
    ("10.0.0.0/8", PRIVATE, "a private network"),
    ("172.16.0.0/12", PRIVATE, "a private network"),
    ("192.168.0.0/16", PRIVATE, "a private network"),
    ("100.64.0.0/10", PRIVATE, "a carrier's private network"),
    ("192.0.0.0/24", PRIVATE, "kept for protocol assignments"),
    ("192.0.2.0/24", PRIVATE, "kept for documentation"),
    ("198.51.100.0/24", PRIVATE, "kept for documentation"),
    ("203.0.113.0/24", PRIVATE, "kept for documentation"),
    ("198.18.0.0/15", PRIVATE, "kept for benchmarks"),
    ("192.88.99.0/24", PRIVATE, "a 6to4 relay"),
    ("0.0.0.0/0", PUBLIC, "public"),
)
"""IANA's special-purpose registry and what clouds add to it. The first row that holds an address is its row."""

IPV6 = _rows(
    ("fd00:ec2::/32", NEVER, "where AWS serves its metadata"),
    ("fd20:ce::254/128", NEVER, "Google Cloud's metadata service"),
    ("fd00:c1::a9fe:a9fe/128", NEVER, "Oracle Cloud's metadata service"),
    ("fd00:42::42/128", NEVER, "Scaleway's metadata service"),
    ("fe80::/10", NEVER, "link-local"),
    ("ff00::/8", NEVER, "multicast"),
    ("::/128", PRIVATE, "this machine"),
    ("::1/128", PRIVATE, "this machine (loopback)"),
    ("fc00::/7", PRIVATE, "a private network"),
    ("fec0::/10", PRIVATE, "a private network (site-local)"),
    ("64:ff9b:1::/48", PRIVATE, "a private NAT64"),
    ("100::/64", PRIVATE, "kept for discarding"),
    ("2001::/32", PUBLIC, "Teredo, judged by the IPv4 addresses in it"),
    ("2001::/23", PRIVATE, "kept for protocol assignments"),
    ("2001:db8::/32", PRIVATE, "kept for documentation"),
    ("3fff::/20", PRIVATE, "kept for documentation"),
    ("::/96", PUBLIC, "IPv4-compatible, judged by the IPv4 address in it"),
    ("::ffff:0:0/96", PUBLIC, "IPv4-mapped, judged by the IPv4 address in it"),
    ("64:ff9b::/96", PUBLIC, "NAT64, judged by the IPv4 address in it"),
    ("2000::/3", PUBLIC, "public"),
    ("::/0", NEVER, "reserved"),
)

_EMBEDDED: tuple[tuple[Network, Callable[[int], int]], ...] = (
    (ip_network("::/96"), lambda value: value),
    (ip_network("::ffff:0:0/96"), lambda value: value),
    (ip_network("64:ff9b::/96"), lambda value: value),
    (ip_network("64:ff9b:1::/48"), lambda value: value),
    (ip_network("64:ff9b:1::/48"), lambda value: (value >> 64 & 0xFFFF) << 16 | value >> 40 & 0xFFFF),
    (ip_network("2002::/16"), lambda value: value >> 80),
    (ip_network("2001::/32"), lambda value: value >> 64),
    (ip_network("2001::/32"), lambda value: ~value),
)
"""How to get the IPv4 address (the lowest 32 bits of the result) out of an IPv6 one.

NAT64 as in RFC 6052, 2.2 (its /96 and /48 forms), 6to4 as in RFC 3056, 2, Teredo's server and
client as in RFC 4380, 4. `::` and `::1` are addresses of their own (RFC 4291, 2.5).
"""


@lru_cache(maxsize=4096)
def refusal(policy: Policy, address: str) -> str | None:
    """Why this address (IPv4 or IPv6 text, `%scope` allowed) may not be called; None when it may."""
    try:
        outer = ip_address(address)
    except ValueError:
        return f"{address[:64]!a} is not an IP address"
    rows = [(ip, _row(ip)) for ip in (outer, *_embedded(outer))]
    for ip, row in rows:
        if row.category is NEVER:
            return f"{_spoken(address, ip, outer)} is {row.name}, and is never called"
    for ip, row in rows:
        if row.category is PRIVATE and not _is_opened(policy, ip):
            return f"{_spoken(address, ip, outer)} is {row.name}; --allow-target opens such addresses"
    return None


def parse_allowed(cidrs: Iterable[str]) -> tuple[str, ...]:
    """The networks in one spelling, without repeats. Raises FieldsInvalid."""
    return tuple(dict.fromkeys(str(_parse_network(cidr)) for cidr in cidrs))


def parse_destination(url: str) -> str:
    """The URL exactly as given. Raises FieldsInvalid on anything that two URL parsers could read differently."""
    _host(url)
    return url


def check_literal(policy: Policy, url: str) -> None:
    """Raises TargetRefused if the host, as it is written, already shows that it may not be called."""
    host = _host(url)
    name = host.lower().rstrip(".")
    reason = refusal(policy, host) if _as_address(host) else _name_refusal(policy, name)
    if reason:
        raise errors.TargetRefused(reason, loc="destination")


def _name_refusal(policy: Policy, name: str) -> str | None:
    if name in METADATA_NAMES:
        return f"{name} is a cloud's metadata service, and is never called"
    if name != "localhost" and not name.endswith(".localhost"):
        return None
    if None in (refusal(policy, "127.0.0.1"), refusal(policy, "::1")):
        return None
    return f"{name} is this machine; --allow-target opens such addresses"


def _row(ip: Address) -> _Row:
    return next(row for row in (IPV4 if ip.version == 4 else IPV6) if ip in row.network)


def _embedded(ip: Address) -> list[IPv4Address]:
    if ip.version == 4 or int(ip) in (0, 1):
        return []
    return [IPv4Address(extract(int(ip)) & 0xFFFFFFFF) for network, extract in _EMBEDDED if ip in network]


def _is_opened(policy: Policy, ip: Address) -> bool:
    return policy.allow_private or any(ip in network for network in _networks(policy.allowed))


@lru_cache(maxsize=64)
def _networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(cidr) for cidr in cidrs)


def _spoken(address: str, ip: Address, outer: Address) -> str:
    return address if ip is outer else f"{ip}, which {address} stands for,"


def _parse_network(cidr: str) -> Network:
    try:
        network = ip_network(cidr, strict=False)
    except ValueError:
        raise _allowed_invalid(f"{cidr[:64]!a} is not a network like 10.0.0.0/8 or fd00::/8") from None
    if "%" in cidr:
        raise _allowed_invalid(f"{cidr[:64]!a} has a scope, and a network has none")
    address = cidr.partition("/")[0]
    if ip_address(address) != network.network_address:
        raise _allowed_invalid(f"{cidr[:64]!a} has bits set beyond its prefix; the network is {network}")
    return network


def _allowed_invalid(message: str) -> errors.FieldsInvalid:
    return errors.FieldsInvalid(("allow_target", message))


_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?]*)(?:[/?].*)?")
_AUTHORITY = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?P<port>:.*)?")
_PORT = re.compile(r":[0-9]{1,5}")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
_ENDS_IN_A_NUMBER = re.compile(r"(.*\.)?([0-9]+|0[xX][0-9A-Fa-f]*)\.?")
"""WHATWG URL, 3.5: such a host is an IPv4 address, in whatever spelling."""


@lru_cache(maxsize=1024)
def _host(url: str) -> str:
    """The host as written, without brackets. Raises FieldsInvalid."""
    if len(url) > MAX_URL:
        raise _invalid(f"is {len(url)} characters long, at most {MAX_URL} are possible")
    _check_characters(url)
    parts = _URL.fullmatch(url)
    if parts is None or parts["scheme"].lower() not in ("http", "https"):
        raise _invalid("must start with http:// or https://")
    authority = _AUTHORITY.fullmatch(parts["authority"])
    if "@" in parts["authority"]:
        raise _invalid("must not hold a user name or password; send an authorization header instead")
    if authority is None:
        raise _invalid("has a host with misplaced brackets or colons")
    _check_port(authority["port"])
    return _parse_host(authority["host"])


def _check_characters(url: str) -> None:
    if not url.isascii():
        place = re.split(r"[/?#]", url, maxsplit=3)
        if len(place) > 2 and not place[2].isascii():
            raise _invalid("has a host that is not ASCII; write it in punycode (xn--...)")
        raise _invalid("holds characters that are not ASCII; percent-encode them")
    if any(not "!" <= character <= "~" for character in url):
        raise _invalid("must not hold spaces or control characters; percent-encode them")
    if "\\" in url:
        raise _invalid("must not hold a backslash; write / or percent-encode it as %5C")
    if "#" in url:
        raise _invalid("must not hold a fragment (#...): it would never be sent")


def _check_port(port: str | None) -> None:
    if port is not None and not (_PORT.fullmatch(port) and 1 <= int(port[1:]) <= 65535):
        raise _invalid("has a port that is not a number from 1 to 65535")


def _parse_host(host: str) -> str:
    if not host:
        raise _invalid("has no host")
    if host.startswith("["):
        return _parse_ipv6(host[1:-1])
    if _ENDS_IN_A_NUMBER.fullmatch(host):
        if not isinstance(_as_address(host), IPv4Address):
            raise _invalid("has a host that is a number; write the address as four decimal numbers, like 192.0.2.1")
        return host
    if len(host) > 253 or not _NAME.fullmatch(host):
        raise _invalid("has a host that is neither a name nor an address")
    return host


def _parse_ipv6(text: str) -> str:
    if "%" in text:
        raise _invalid("has an address with a scope (%...), which a URL can't carry")
    if not isinstance(_as_address(text), IPv6Address):
        raise _invalid("has brackets around something that is not an IPv6 address")
    return text


def _as_address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _invalid(message: str) -> errors.FieldsInvalid:
    return errors.FieldsInvalid(("destination", message))


@lru_cache(maxsize=256)
def is_loopback_host(host: str) -> bool:
    """Whether a bare host name or address (no port, no brackets) means this machine."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False
