"""What proxies say of a request's way, and which of them are believed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin.wire.forwarded import HOST, TrustedProxies

PEER = ("127.0.0.1", 5000)
TRUSTED = TrustedProxies(("127.0.0.0/8", "::1", "10.0.0.0/8"))


def restored(fields: dict[str, str], *, peer: tuple[str, int] | None = PEER, proxies: TrustedProxies = TRUSTED) -> Any:
    """Client, scheme and host."""
    headers = [(name.encode(), value.encode("latin-1")) for name, value in fields.items()]
    scope = {"client": peer, "scheme": "http", "headers": headers}
    proxies.restore(scope)
    return scope["client"], scope["scheme"], scope.get(HOST)


@pytest.mark.parametrize(
    ("fields", "client", "scheme", "host"),
    [
        ({}, PEER, "http", None),
        ({"x-forwarded-proto": "https"}, PEER, "https", None),
        ({"x-forwarded-proto": "HTTPS"}, PEER, "https", None),
        ({"x-forwarded-proto": " https ,http"}, PEER, "https", None),
        ({"x-forwarded-proto": "wss"}, PEER, "https", None),
        ({"x-forwarded-proto": "gopher"}, PEER, "http", None),
        ({"x-forwarded-for": "203.0.113.9"}, ("203.0.113.9", 0), "http", None),
        ({"x-forwarded-for": "203.0.113.9:4711"}, ("203.0.113.9", 4711), "http", None),
        ({"x-forwarded-for": "2001:db8::1"}, ("2001:db8::1", 0), "http", None),
        ({"x-forwarded-for": "[2001:db8::1]:4711"}, ("2001:db8::1", 4711), "http", None),
        ({"x-forwarded-for": "1.1.1.1, 203.0.113.9,10.0.0.1"}, ("203.0.113.9", 0), "http", None),
        ({"x-forwarded-for": "10.0.0.2, 10.0.0.1"}, ("10.0.0.2", 0), "http", None),
        ({"x-forwarded-for": "1.1.1.1, unknown, 10.0.0.1"}, ("10.0.0.1", 0), "http", None),
        ({"x-forwarded-for": "somebody"}, PEER, "http", None),
        ({"x-forwarded-for": "fe80::1%<b>"}, PEER, "http", None),
        ({"x-forwarded-host": "a.example"}, PEER, "http", "a.example"),
        ({"x-forwarded-host": "a.example:8443, b.example"}, PEER, "http", "a.example:8443"),
        ({"x-forwarded-host": "a/b"}, PEER, "http", None),
        ({"x-forwarded-host": "a" * 9000}, PEER, "http", None),
        (
            {"forwarded": 'For="[2001:db8:cafe::17]:4711";Proto=HTTPS;host="a.example:8443";by=203.0.113.60'},
            ("2001:db8:cafe::17", 4711),
            "https",
            "a.example:8443",
        ),
        ({"forwarded": "for=192.0.2.43, for=198.51.100.17;proto=https"}, ("198.51.100.17", 0), "https", None),
        ({"forwarded": 'for="_gazonk";host="a\\"b, c;d=e"'}, PEER, "http", None),
        ({"forwarded": "host=a.example;proto=https, host=b.example;proto=http"}, PEER, "https", "a.example"),
        (
            {"forwarded": "for=192.0.2.43;proto=http;host=b", "x-forwarded-for": "1.1.1.1", "x-forwarded-host": "a"},
            ("1.1.1.1", 0),
            "http",
            "a",
        ),
    ],
)
def test_a_trusted_proxy_says_whose_request_it_is(fields: dict[str, str], client: Any, scheme: str, host: Any) -> None:
    assert restored(fields) == (client, scheme, host)


STRANGER = ("192.0.2.1", 1)
NOBODY = TrustedProxies(())


@pytest.mark.parametrize(("peer", "proxies"), [(STRANGER, TRUSTED), (None, TRUSTED), (PEER, NOBODY)])
def test_nobody_else_is_believed(peer: Any, proxies: TrustedProxies) -> None:
    fields = {"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https", "x-forwarded-host": "a"}

    assert restored({**fields, "forwarded": "for=1.1.1.1"}, peer=peer, proxies=proxies) == (peer, "http", None)


@given(st.text(st.characters(codec="latin-1"), max_size=60))
def test_no_field_whatever_breaks_it(value: str) -> None:
    names = ("forwarded", "x-forwarded-for", "x-forwarded-host")

    assert restored(dict.fromkeys(names, value))[1] in ("http", "https")
