"""Every setting once: its default, flag, environment name, limits and help.

A field's flag is its name with dashes, its environment name `HOOKBIN_` and its name in
capitals. The command line reads both; nothing else in the program does.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache
from pathlib import Path
from typing import Annotated, get_type_hints
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from hookbin.delivery.retries import parse_retry_on, parse_schedule
from hookbin.delivery.targets import is_loopback_host, parse_allowed
from hookbin.errors import FieldsInvalid
from hookbin.models.bins import MAX_REQUESTS, Age
from hookbin.wire.proxy import parse_proxy

KIB = 1024
MIB = 1024 * KIB
MIN_TOKEN = 16
"""Characters of the token; the shorter one is, the sooner it is guessed."""
_TOKEN = re.compile(rf"[\x21-\x7e]{{{MIN_TOKEN},}}")


class Settings(Struct, frozen=True, kw_only=True):
    """What the owner can set. The text in each `Meta` is the help on the command line."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8090
    bin_port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)] | None,
        Meta(description="Port for the bins alone, which gives them an origin of their own; 0 takes a free one."),
    ] = None
    database: Annotated[Path | None, Meta(description="SQLite file; made when it is not there.")] = None
    ballast: Annotated[
        int, Meta(ge=0, description="Bytes kept beside it, so that deleting works on a full disk; 0 keeps none.")
    ] = 64 * MIB
    public_url: Annotated[
        str | None, Meta(description="The URL that others reach this server by, when it stands behind a proxy.")
    ] = None
    public_bin_url: Annotated[
        str | None, Meta(description="The URL that others reach the bins by, when their port stands behind a proxy.")
    ] = None
    token: Annotated[
        str | None,
        Meta(description="Token for everything but the bins. Without one, an exposed server makes its own at start."),
    ] = None
    max_body: Annotated[
        int, Meta(ge=1, le=48 * MIB, description="Most bytes of a captured body that are kept; more is a 413.")
    ] = 10 * MIB
    max_requests: Annotated[
        int, Meta(ge=1, le=MAX_REQUESTS, description="Captured requests that a new bin keeps; the oldest go first.")
    ] = 10_000
    max_age: Annotated[
        Age | None, Meta(description="Seconds after which a new bin's requests are deleted; no limit if unset.")
    ] = None
    retry_schedule: Annotated[
        str, Meta(description="Retry delays of a new webhook: seconds as 1,5,30 or default, standard, fast, none.")
    ] = "default"
    retry_on: Annotated[
        str, Meta(description="What a new webhook retries on: words of 5xx, network, 408, 429, 4xx, 3xx.")
    ] = "5xx,network"
    allow_target: Annotated[
        tuple[str, ...],
        Meta(description="Network (CIDR) that deliveries may reach although it is private; repeatable."),
    ] = ()
    ca_file: Annotated[
        Path | None,
        Meta(description="PEM file of certificates that deliveries by https trust, besides the system's."),
    ] = None
    client_cert: Annotated[
        Path | None,
        Meta(description="PEM file of the certificate that deliveries by https show to who asks for one."),
    ] = None
    client_key: Annotated[Path | None, Meta(description="PEM file of its key, when that is not in the same file.")] = (
        None
    )
    proxy: Annotated[
        str | None, Meta(description="Proxy that deliveries go through: http://[USER:PASSWORD@]HOST:PORT.")
    ] = None
    trust_proxy: Annotated[
        tuple[str, ...],
        Meta(description="Peer (address or CIDR) whose X-Forwarded fields and Forwarded are believed; repeatable."),
    ] = ()
    auto_create: Annotated[
        bool | None, Meta(description="Make a bin on first use. On unless the server is exposed.")
    ] = None
    sender_timeout: Annotated[
        int, Meta(ge=1, le=3600, description="Seconds that the head of a request may take, and its body stand still.")
    ] = 30
    max_connections: Annotated[
        int, Meta(ge=1, le=100_000, description="Connections that are open at once; one more is answered 503.")
    ] = 2_000
    log_format: Annotated[str, Meta(pattern="^(text|json)$", description="Format of the log: text or json.")] = "text"

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback_host(self.host)

    @property
    def exposed(self) -> bool:
        """Whether others can reach the server: by its address, or by a public URL of a proxy or tunnel before it."""
        public = map(public_host, (self.public_url, self.public_bin_url))
        return not (self.on_loopback and all(host is None or is_loopback_host(host) for host in public))

    @property
    def creates_bins(self) -> bool:
        return not self.exposed if self.auto_create is None else self.auto_create

    @property
    def public_url_of_bins(self) -> str | None:
        return self.public_url if self.bin_port is None else self.public_bin_url

    def base_url(self, port: int) -> str:
        """Where the server is reached, without a slash at the end; `port` is the one bound."""
        return self._url(self.public_url, port)

    def bins_url(self, port: int) -> str:
        """Where the bins are; `port` is the one bound for them."""
        return self._url(self.public_url_of_bins, port)

    def _url(self, public: str | None, port: int) -> str:
        if public is not None:
            return public.rstrip("/")
        shown = "localhost" if self.on_loopback or self.host in ("", "0.0.0.0", "::") else self.host
        return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


@cache
def descriptions() -> dict[str, str]:
    """What each setting is for, in a sentence: its help on the command line and on the server's page."""
    hints = get_type_hints(Settings, include_extras=True)
    return {name: hints[name].__metadata__[0].description for name in Settings.__struct_fields__}


def check(settings: Settings) -> Settings:
    """The settings with lists in their canonical form. Raises `FieldsInvalid` with the setting's name."""
    parse_schedule(settings.retry_schedule)
    parse_retry_on(settings.retry_on.split(","))
    if settings.public_url is not None:
        _check_public_url("public_url", settings.public_url)
    if settings.public_bin_url is not None:
        _check_public_url("public_bin_url", settings.public_bin_url)
    if settings.bin_port is None and settings.public_bin_url is not None:
        raise FieldsInvalid(("public_bin_url", "goes with bin_port, which is not set"))
    if settings.bin_port is not None and settings.public_url is not None and settings.public_bin_url is None:
        raise FieldsInvalid(("public_bin_url", "is needed with public_url and bin_port: where others reach the bins"))
    if settings.bin_port and settings.bin_port == settings.port:
        raise FieldsInvalid(("bin_port", "is the port of the pages; choose another"))
    if settings.proxy is not None:
        parse_proxy(settings.proxy)
    if settings.client_key is not None and settings.client_cert is None:
        raise FieldsInvalid(("client_key", "goes with client_cert, which is not set"))
    if settings.token is not None and _TOKEN.fullmatch(settings.token) is None:
        words = f"use {MIN_TOKEN} visible ASCII characters at least, such as `openssl rand -hex 16` makes"
        raise FieldsInvalid(("token", words))
    return msgspec.structs.replace(
        settings,
        allow_target=parse_allowed(settings.allow_target),
        trust_proxy=tuple(_network("trust_proxy", text) for text in settings.trust_proxy),
    )


def _check_public_url(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and "@" not in parts.netloc
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment:
        raise FieldsInvalid((name, "use http:// or https://, a host, maybe a port, and no path"))


def _network(name: str, text: str) -> str:
    try:
        return str(ipaddress.ip_network(text))
    except ValueError as error:
        raise FieldsInvalid((name, f"{text!r} is no address or network such as 10.0.0.0/8")) from error


def public_host(public_url: str | None) -> str | None:
    """The host name in the public URL."""
    return urlsplit(public_url).hostname if public_url else None
