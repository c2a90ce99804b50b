"""The settings: their checks, and what follows from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from hookbin.config import Settings, check, public_host
from hookbin.delivery.targets import is_loopback_host
from hookbin.errors import FieldsInvalid


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1.2.3", "::1", "localhost", "LOCALHOST", "localhost.", "a.localhost"]
)
def test_a_host_of_this_machine_alone_is_loopback(host: str) -> None:
    assert is_loopback_host(host)
    assert Settings(host=host).on_loopback


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "", "10.0.0.1", "example.com", "localhost.example.com", "127.0.0.1.x"]
)
def test_any_other_host_is_exposed(host: str) -> None:
    assert not Settings(host=host).on_loopback
    assert Settings(host=host).exposed


@pytest.mark.parametrize(
    ("public_url", "exposed"),
    [(None, False), ("http://localhost:9", False), ("https://hooks.example", True), ("http://192.0.2.1", True)],
)
def test_a_public_url_exposes_a_server_on_loopback(public_url: str | None, exposed: bool) -> None:
    assert Settings(public_url=public_url).exposed is exposed


@pytest.mark.parametrize(
    ("settings", "creates"),
    [
        (Settings(), True),
        (Settings(host="0.0.0.0"), False),
        (Settings(public_url="https://hooks.example"), False),
        (Settings(auto_create=False), False),
        (Settings(host="0.0.0.0", auto_create=True), True),
    ],
)
def test_bins_are_made_on_first_use_on_loopback_unless_said_otherwise(settings: Settings, creates: bool) -> None:
    assert settings.creates_bins is creates


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        (Settings(), "http://localhost:7"),
        (Settings(host="0.0.0.0"), "http://localhost:7"),
        (Settings(host="::"), "http://localhost:7"),
        (Settings(host="192.0.2.1"), "http://192.0.2.1:7"),
        (Settings(host="2001:db8::1"), "http://[2001:db8::1]:7"),
        (Settings(public_url="https://hooks.example/"), "https://hooks.example"),
    ],
)
def test_the_address_that_is_shown_can_be_opened(settings: Settings, url: str) -> None:
    assert settings.base_url(7) == settings.bins_url(7) == url


def test_bins_behind_a_proxy_are_where_it_leads_to_them() -> None:
    settings = Settings(public_url="https://a.example", bin_port=1, public_bin_url="https://b.example/")

    assert (settings.base_url(7), settings.bins_url(1)) == ("https://a.example", "https://b.example")
    assert Settings(bin_port=1, public_bin_url="https://b.example").exposed


@pytest.mark.parametrize(
    ("settings", "name"),
    [
        (Settings(retry_schedule="sometimes"), "retry_schedule"),
        (Settings(retry_on="2xx"), "retry_on"),
        (Settings(allow_target=("10.0.0.1/8",)), "allow_target"),
        (Settings(allow_target=("example.com",)), "allow_target"),
        (Settings(trust_proxy=("proxy",)), "trust_proxy"),
        (Settings(public_url="hooks.example"), "public_url"),
        (Settings(public_url="https://hooks.example/path"), "public_url"),
        (Settings(public_url="https://hooks.example/?q"), "public_url"),
        (Settings(public_url="https://["), "public_url"),
        (Settings(bin_port=1, public_url="https://hooks.example"), "public_bin_url"),
        (Settings(bin_port=1, public_bin_url="bins.example"), "public_bin_url"),
        (Settings(public_bin_url="https://bins.example"), "public_bin_url"),
        (Settings(bin_port=8090), "bin_port"),
        (Settings(public_url="https://u:p@hooks.example"), "public_url"),
        (Settings(public_url="https://hooks.example:port"), "public_url"),
        (Settings(token="tök"), "token"),
        (Settings(token="a\nb"), "token"),
        (Settings(token=""), "token"),
        (Settings(token="fifteen-letters"), "token"),
    ],
)
def test_a_setting_that_is_wrong_is_named(settings: Settings, name: str) -> None:
    with pytest.raises(FieldsInvalid) as caught:
        check(settings)
    assert caught.value.errors[0][0] == name


@pytest.mark.parametrize(
    "given",
    [
        {"port": -1},
        {"port": 65_536},
        {"max_body": 0},
        {"max_body": 2**40},
        {"max_requests": 0},
        {"max_age": 0},
        {"max_age": 10**12},
        {"log_format": "xml"},
    ],
)
def test_a_number_out_of_its_bounds_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(given, Settings)


def test_networks_are_brought_to_one_spelling() -> None:
    settings = check(Settings(allow_target=("10.0.0.0/8", "10.0.0.0/255.0.0.0"), trust_proxy=("127.0.0.1", "::1")))

    assert settings.allow_target == ("10.0.0.0/8",)
    assert settings.trust_proxy == ("127.0.0.1/32", "::1/128")


def test_the_public_host_is_a_bare_name() -> None:
    assert public_host("https://Hooks.Example:8443") == "hooks.example"
    assert public_host(None) is None


def test_a_database_is_a_path() -> None:
    assert msgspec.convert({"database": Path("x.db")}, Settings).database == Path("x.db")
