from __future__ import annotations

from contextlib import nullcontext
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookbin import errors
from hookbin.delivery.targets import (
    MAX_URL,
    Policy,
    check_literal,
    parse_allowed,
    parse_destination,
    refusal,
)
from hookbin.wire.place import locate

EXPOSED = Policy(allow_private=False)
LOCAL = Policy(allow_private=True)
BINS_NET = Policy(allow_private=False, allowed=("10.1.0.0/16", "fd12::/16"))

ACCEPTED = [
    "http://example.com",
    "https://example.com/",
    "HTTPS://Example.COM/Path?q=1",
    "http://localhost:8090/b/demo",
    "http://my_service:80/",
    "http://xn--bcher-kva.example/",
    "http://example.com./",
    "http://127.0.0.1:65535/",
    "http://[::1]:1/x",
    "http://[::ffff:127.0.0.1]/",
    "http://[2001:DB8::1]",
    "http://example.com?x=1",
    "http://example.com/a//b/../%2e%2e/%00?next=http://other/@here:1",
    "http://1.2.3.4.example/",
    "http://1.example.com",
    "http://0x7f.example/",
]


@pytest.mark.parametrize("url", ACCEPTED)
def test_a_plain_url_is_kept_exactly_as_given_and_read_alike_by_the_dialler(url: str) -> None:
    assert parse_destination(url) == url
    assert_all_parsers_agree(url)


DOUBTFUL = {
    "must start with http": ["", "example.com", "ftp://example.com", "http+unix://example.com"],
    "has no host": ["http://", "http:///example.com", "http://:80/"],
    "user name": ["http://user:secret@example.com/", "http://example.com:80@127.0.0.1/"],
    "fragment": ["http://example.com/#top"],
    "backslash": ["http://example.com\\@127.0.0.1/"],
    "spaces or control": ["http://example.com/a b", "http://exa\tmple.com/", "http://example.com/\x00"],
    "percent-encode": ["http://example.com/ü", "http://example.com/\ud800"],
    "punycode": ["http://bücher.example/", "http://１２７.0.0.1/"],
    "port": [f"http://example.com:{port}/" for port in ("", "0", "-1", "8_0", "000080")]
    + ["http://::1/", "http://[::1]:/", "http://::1]/"],
    "brackets": ["http://[::1", "http://[::1]x/", "http://x[::1]/"],
    "not an IPv6": ["http://[127.0.0.1]/", "http://[::01270.0.0.1]/"],
    "scope": ["http://[fe80::1%25eth0]/"],
    "four decimal numbers": [
        *("http://169.16689662/", "http://2130706433/", "http://0x7f.1/", "http://0X7F.0.0.0X1/", "http://127.0.0.01/"),
        *("http://127.0.0.1./", "http://256.0.0.1/", "http://1.2.3.4.5/"),
    ],
    "neither a name nor an address": [
        *("http://example..com/", "http://127.0.0.1%2f.example.com/", "http://%6c%6fcalhost/", "http://exa$mple.com/"),
        *("http://" + "a" * 64 + ".com/", "http://" + "a." * 127 + "com/"),
    ],
    "2049 characters": ["http://example.com/" + "a" * (MAX_URL - 18)],
}
"""What each is told."""


@pytest.mark.parametrize("message", DOUBTFUL)
def test_a_doubtful_url_is_refused_with_the_reason(message: str) -> None:
    for url in DOUBTFUL[message]:
        with pytest.raises(errors.FieldsInvalid) as refused:
            parse_destination(url)
        [(loc, msg)] = refused.value.errors
        assert loc == "destination"
        assert message in msg, url


def test_a_url_may_be_2048_characters_long() -> None:
    url = "http://example.com/" + "a" * (MAX_URL - 19)
    assert len(url) == 2048
    assert parse_destination(url) == url


@given(
    st.lists(
        st.sampled_from(["http:", "https:", "//", "/", "@", ":", "[", "]", "::1", "127.0.0.1", "a.b", "0x7f", "1", "."])
        | st.sampled_from(["80", "?", "#", "\\", "%", "%25", "%2e", "\t", " ", "ü", "localhost", "-", "xn--", "&", ";"])
        | st.characters(exclude_categories=()),
        max_size=12,
    ).map("".join),
    st.sampled_from(["", "http://"]),
)
def test_any_text_is_refused_or_read_alike_by_the_dialler(text: str, start: str) -> None:
    try:
        url = parse_destination(start + text)
    except errors.FieldsInvalid:
        return
    assert url == start + text
    assert_all_parsers_agree(url)


def assert_all_parsers_agree(url: str) -> None:
    """httpx reads the host for its header, we dial what `locate` reads; both go by the authority as written."""
    authority = url.split("//", 1)[1].replace("?", "/").split("/", 1)[0].lower()
    written = httpx.URL(url)
    place = locate(url).place
    host, port = place.host.rstrip("."), place.port
    bracketed = authority.startswith("[")
    name, _, tail = authority[1:].partition("]") if bracketed else authority.partition(":")
    assert port == (int(tail.strip(":")) if tail.strip(":") else {"http": 80, "https": 443}[place.scheme])
    assert (ip_address(host) == ip_address(name)) if bracketed else (host == name.rstrip("."))
    assert written.raw_host.decode().lower().rstrip(".") == name.rstrip(".")


NETWORKS = {
    "private": (
        "0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24"
        " 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24"
        " ::/127 100::/64 2001:2::/48 2001:db8::/32 3fff::/20 fc00::/7 fec0::/10"
    ),
    "forbidden": (
        "0.0.0.1/32 0.255.255.255/32 100.100.100.200/32 168.63.129.16/32 169.254.0.0/16 192.0.0.192/32 224.0.0.0/3"
        " ::2/128 4000::/3 fd00:42::42/128 fd00:c1::a9fe:a9fe/128 fd00:ec2::/32 fd20:ce::254/128 fe80::/10 ff00::/8"
    ),
    "public": (
        "1.1.1.1/32 9.255.255.255/32 11.0.0.0/32 100.63.255.255/32 100.128.0.0/32 126.255.255.255/32 128.0.0.1/32"
        " 169.253.255.255/32 169.255.0.0/32 172.15.255.255/32 172.32.0.0/32 192.0.1.0/32 192.167.255.255/32"
        " 192.169.0.0/32 198.17.255.255/32 198.20.0.0/32 223.255.255.255/32 2606:4700::/32 2a00:1450::/32"
    ),
}
"""The first and the last address of each are tried: those of IANA's registries, of clouds, and their neighbours."""
SPELLINGS = {
    "private": (
        "::1%lo 64:ff9b:1::8.8.8.8 0:0:0:0:0:0:0:1 0:0:0:0:0:FFFF:7F00:0001 ::ffff:7f00:1 ::127.0.0.1 64:ff9b::10.0.0.1"
        " 64:ff9b:1:808:8:800:: 2002:c0a8:101::1 2001:0:7f00:1:0:0:f7f7:f7f7 2001:0:808:808:0:0:80ff:fffe"
    ),
    "forbidden": (
        "fe80::1%eth0 fd00:ec2:0::254%1 ::ffff:a9fe:a9fe ::ffff:0:a9fe:a9fe ::169.254.169.254 64:ff9b::a9fe:a9fe"
        " 64:ff9b:1:a9fe:a9:fe00:: 2002:a9fe:a9fe:: 2001:0:a9fe:a9fe:0:0:f7f7:f7f7 2001:0:808:808:0:0:5601:5601"
    ),
    "public": "::ffff:8.8.8.8 ::8.8.8.8 64:ff9b::8.8.8.8 2002:808:808::1 2001:0:808:808:0:0:f7f7:f7f7",
}
"""Other ways to write an address, and IPv6 addresses that carry an IPv4 one."""


def addresses(kind: str) -> list[str]:
    networks = map(ip_network, NETWORKS[kind].split())
    return [str(network[end]) for network in networks for end in (0, -1)] + SPELLINGS[kind].split()


PRIVATE, FORBIDDEN = "--allow-target opens such addresses", "and is never called"
EVERYTHING = Policy(allow_private=True, allowed=("0.0.0.0/0", "::/0"))


@pytest.mark.parametrize(
    ("kind", "policies", "words"),
    [
        ("public", [EXPOSED, LOCAL], ""),
        ("private", [EXPOSED], PRIVATE),
        ("private", [LOCAL], ""),
        ("forbidden", [EXPOSED, LOCAL, EVERYTHING], FORBIDDEN),
    ],
)
def test_an_address_is_public_private_or_forbidden(kind: str, policies: list[Policy], words: str) -> None:
    for address in addresses(kind):
        for policy in policies:
            reason = refusal(policy, address) or ""
            assert reason.endswith(words), address
            assert bool(reason) == bool(words), address


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("127.0.0.1", "127.0.0.1 is this machine (loopback); --allow-target opens such addresses"),
        (
            "169.254.169.254",
            "169.254.169.254 is link-local, where clouds serve their metadata, and is never called",
        ),
        (
            "::ffff:a00:1",
            "10.0.0.1, which ::ffff:a00:1 stands for, is a private network; --allow-target opens such addresses",
        ),
        ("255.255.255.255", "255.255.255.255 is broadcast, and is never called"),
        ("fe80::1%eth0", "fe80::1%eth0 is link-local, and is never called"),
        ("ff02::1", "ff02::1 is multicast, and is never called"),
        ("4000::1", "4000::1 is reserved, and is never called"),
        ("example.com", "'example.com' is not an IP address"),
    ],
)
def test_a_refusal_says_why(address: str, reason: str) -> None:
    assert refusal(EXPOSED, address) == reason


def test_an_allowed_network_is_opened_and_nothing_else() -> None:
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1", "2002:a01:203::"):
        assert refusal(EXPOSED, address) is not None, address
        assert refusal(BINS_NET, address) is None, address
    for address in ("10.2.0.1", "127.0.0.1", "::1", "fd13::1", "::ffff:10.2.0.1", "64:ff9b:1::10.1.2.3"):
        assert refusal(BINS_NET, address) is not None, address


@pytest.mark.parametrize(
    "address",
    ["", "localhost", "127.1", "0x7f.0.0.1", "010.0.0.1", "2130706433", "1.2.3.4/32", "1.2.3.4%eth0", "[::1]", "::1\n"]
    + ["１.1.1.1", "1.1.1.1\x00", "\ud800", "1" * 10_000],
)
def test_what_is_not_an_address_is_refused(address: str) -> None:
    reason = refusal(LOCAL, address)
    assert reason is not None
    assert reason.endswith("is not an IP address")
    assert len(reason.encode()) < 500


@given(st.text(st.characters(exclude_categories=())) | st.text("0123456789abcdef:.%/[]x "))
def test_no_text_whatever_makes_the_check_of_an_address_raise(address: str) -> None:
    reason = refusal(EXPOSED, address)
    try:
        ip_address(address)
    except ValueError:
        assert reason is not None


@given(st.ip_addresses())
def test_whatever_python_calls_private_is_not_public_here(ip: IPv4Address | IPv6Address) -> None:
    if ip.is_private or ip.is_reserved or ip.is_multicast or ip.is_link_local:
        embeds_another = any(ip in ip_network(it) for it in ("::/96", "::ffff:0:0/96", "64:ff9b::/96", "2001::/32"))
        assert embeds_another or refusal(EXPOSED, str(ip)) is not None


@given(st.ip_addresses(v=4))
def test_an_embedded_address_is_never_judged_more_kindly_than_itself(ip: IPv4Address) -> None:
    high, low = divmod(int(ip), 65536)
    spellings = [f"::ffff:{ip}", f"64:ff9b::{ip}", f"64:ff9b:1::{ip}", f"2002:{high:x}:{low:x}::1"]
    for spelling in spellings:
        for policy in (EXPOSED, LOCAL):
            assert refusal(policy, str(ip)) is None or refusal(policy, spelling) is not None


@pytest.mark.parametrize(
    ("url", "exposed", "local"),
    [
        ("http://[::1]:8090/", "--allow-target", None),
        ("http://[::ffff:10.0.0.1]/", "--allow-target", None),
        ("http://LOCALHOST:8090/", "--allow-target", None),
        ("http://localhost./", "--allow-target", None),
        ("http://app.localhost/", "--allow-target", None),
        ("http://169.254.169.254/latest/meta-data/", "never called", "never called"),
        ("http://[::ffff:169.254.169.254]/", "never called", "never called"),
        ("http://Metadata.Google.Internal./", "never called", "never called"),
        ("http://metadata/", "never called", "never called"),
        ("http://8.8.8.8/", None, None),
        ("http://notlocalhost/", None, None),
        ("http://localhost.example/", None, None),
    ],
)
def test_what_a_destination_shows_by_itself_is_checked_at_registration(
    url: str, exposed: str | None, local: str | None
) -> None:
    for policy, told in ((EXPOSED, exposed), (LOCAL, local)):
        with nullcontext() if told is None else pytest.raises(errors.TargetRefused, match=told):
            check_literal(policy, url)


@pytest.mark.parametrize("network", ["127.0.0.0/8", "::1/128"])
def test_localhost_is_accepted_when_either_of_its_addresses_is_allowed(network: str) -> None:
    check_literal(Policy(allow_private=False, allowed=(network,)), "http://localhost/")


def test_allowed_networks_are_written_in_one_way_and_once() -> None:
    written = ["10.0.0.0/8", "10.0.0.0/255.0.0.0", "192.168.1.5", "FD00:0::/8", "::1"]
    assert parse_allowed(written) == ("10.0.0.0/8", "192.168.1.5/32", "fd00::/8", "::1/128")


@pytest.mark.parametrize(
    ("cidr", "message"),
    [
        ("10.0.0.5/8", "the network is 10.0.0.0/8"),
        ("fd00::1/8", "the network is fd00::/8"),
        ("fe80::%eth0/64", "scope"),
        *((cidr, "not a network") for cidr in ("", "example.com", "10.0.0.0/33", "10.0.0/8", " 10.0.0.0/8", "\ud800")),
    ],
)
def test_an_allowed_network_that_is_none_is_refused_with_the_reason(cidr: str, message: str) -> None:
    with pytest.raises(errors.FieldsInvalid) as refused:
        parse_allowed(["10.0.0.0/8", cidr])
    [(loc, msg)] = refused.value.errors
    assert loc == "allow_target"
    assert message in msg
