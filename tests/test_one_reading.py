"""Every body that a page can show: rules, templates, `wait`, filters and searches see the same in it."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import brotli
import httpx
import pytest
import zstandard
from msgspec import Struct, field

from tests.support import PATIENCE, Server, eventually

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
PAID = b'{"type":"paid","who":"Ann"}'
TYPE = "{{ request.json.type }}"
PART = '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
TOKEN = b"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."


class Case(Struct, frozen=True, kw_only=True):
    """A body, and what is to be seen in it. `when` is a rule's condition, and the same as a filter."""

    body: bytes
    kind: str = ""
    encoding: str = ""
    when: dict[str, dict[str, Any]] = field(default_factory=lambda: {"json": {"type": "paid"}})
    template: str = TYPE
    rendered: str = "paid"
    view: str = "json"


def part(name: str, value: bytes, last: bool = False) -> bytes:
    return PART.format(name, value.decode("latin-1")).encode("latin-1") + (b"--x--\r\n" if last else b"")


def form(body: bytes, name: str, value: str, kind: str = FORM) -> Case:
    return Case(
        body=body,
        kind=kind,
        when={"form": {name: value}},
        template=f"{{{{ request.form.{name} }}}}",
        rendered=value,
        view="form" if kind == FORM else "multipart",
    )


def text(body: bytes, kind: str, word: str, view: str) -> Case:
    asks = f"{{{{ '{word}' in request.body }}}}"
    return Case(body=body, kind=kind, when={}, template=asks, rendered="True", view=view)


CASES = {
    "json": Case(body=PAID, kind=JSON),
    "json without a type": Case(body=PAID),
    "json, bom": Case(body=b"\xef\xbb\xbf" + PAID, kind=JSON),
    "json, utf-16": Case(body=PAID.decode().encode("utf-16"), kind=JSON),
    "json, utf-16 without a mark": Case(body=PAID.decode().encode("utf-16-be"), kind=JSON),
    "json, utf-32": Case(body=PAID.decode().encode("utf-32"), kind=JSON),
    "json, latin-1": Case(body=b'{"type":"paid","n":"J\xf6rg"}', kind=f"{JSON}; charset=iso-8859-1"),
    "json, latin-1 unsaid": Case(body=b'{"type":"paid","n":"J\xf6rg"}', kind=JSON),
    "json, half a surrogate pair": Case(body=rb'{"type":"paid","n":"cut \ud83d"}', kind=JSON),
    "json, a huge number": Case(body=b'{"type":"paid","n":1e400}', kind=JSON),
    "json, a key twice": Case(body=b'{"type":"void","type":"paid"}', kind=JSON),
    "json, nested deeply": Case(body=b'{"type":"paid","a":%b1%b}' % (b"[" * 9_000, b"]" * 9_000), kind=JSON),
    "json, escaped": Case(body=rb'{"type":"p\u0061id","url":"https:\/\/example.com\/a"}', kind=JSON),
    "json, gzip": Case(body=gzip.compress(PAID), kind=JSON, encoding="gzip"),
    "json, gzip twice, unsaid": Case(body=gzip.compress(gzip.compress(PAID))),
    "json, deflate": Case(body=zlib.compress(PAID), kind=JSON, encoding="deflate"),
    "json, bare deflate": Case(body=zlib.compress(PAID)[2:-4], kind=JSON, encoding="deflate"),
    "json, brotli": Case(body=brotli.compress(PAID), kind=JSON, encoding="br"),
    "json, zstandard": Case(body=zstandard.compress(PAID), kind=JSON, encoding="zstd"),
    "json lines": Case(
        body=b'{"type":"made"}\n{"type":"paid"}\n', when={"json": {"[1].type": "paid"}},
        template="{{ request.json[1].type }}", view="ndjson",
    ),
    "form": form(b"a=1&email=ann%40example.com", "email", "ann@example.com"),
    "form, its charset": form(b"n=%E9%D7%C1%CE&charset=KOI8_R", "n", "Иван"),
    "form, _charset_": form(b"n=J%F6rg&_charset_=iso-8859-1", "n", "Jörg"),
    "form, a guess": form(b"n=J%F6rg+X", "n", "Jörg X"),
    "form with JSON": Case(
        body=b"payload=%7B%22type%22%3A%22paid%22%7D&a=1", kind=FORM, when={"json": {"payload.type": "paid"}},
        template="{{ request.json.payload.type }}", view="form",
    ),
    "parts with JSON": Case(
        body=part("payload", PAID) + part("n", b"7", last=True), kind=PARTS, view="multipart",
        when={"json": {"payload.who": "Ann"}, "form": {"n": "7"}}, template="{{ request.json.payload.type }}",
    ),
    "parts, _charset_": form(
        part("_charset_", b"windows-1251") + part("n", "Иван".encode("cp1251"), last=True), "n", "Иван", PARTS
    ),
    "parts, SendGrid": form(
        part("text", b"Gr\xfc\xdfe") + part("charsets", b'{"text":"iso-8859-1"}', last=True), "text", "Grüße", PARTS
    ),
    "xml": text(b"<?xml version='1.0' encoding='latin1'?><a>J\xf6rg</a>", "text/xml", "Jörg", "xml"),
    "html": text(b"<html><meta charset=koi8-r>\xe9\xd7\xc1\xce", "text/html", "Иван", "html"),
    "text": text("日本 is".encode("shift_jis"), "text/plain; charset=shift_jis", "日本", "text"),
    "token": text(TOKEN, "", "eyJ", "jwt"),
    "protobuf": text(b"\x0a\x05hello\x10\x96\x01\x1a\x02\xff\xfe", "application/protobuf", "hello", "protobuf"),
}  # fmt: skip


@pytest.fixture(scope="module")
def aside() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def filters(when: dict[str, dict[str, Any]]) -> list[tuple[str, Any]]:
    sign = {"json": "==", "form": ":"}
    return [(kind, f"{name}{sign[kind]}{value}") for kind, wanted in when.items() for name, value in wanted.items()]


def waiting(
    server: Server, aside: ThreadPoolExecutor, bin: str, query: list[tuple[str, Any]]
) -> Future[httpx.Response]:
    """A call that waits for what is sent next."""
    call = aside.submit(
        server.request, "GET", f"/bins/{bin}/wait", params=[*query, ("timeout", PATIENCE)], timeout=PATIENCE * 2
    )
    eventually(lambda: "hookbin_waiters 1.0" in server.request("GET", "/metrics").text)
    return call


def shown_words(view: dict[str, Any]) -> set[str]:
    """The words that a person reads in a view; not the labels of ours."""
    pieces = [view.get("text") or "" if view["name"] not in ("protobuf", "hex") else ""]
    pieces += [one[key] for one in view["fields"] for key in ("name", "value")]
    pieces += [part[key] or "" for part in view["parts"] for key in ("name", "text")]
    pieces += [token[key] for token in view["tokens"] for key in ("header", "payload")]
    return set(re.findall(r"[\w@.:/+-]{2,60}", " ".join(pieces))[:20])


@pytest.mark.parametrize("name", CASES)
def test_what_a_page_shows_is_what_everything_else_sees(server: Server, aside: ThreadPoolExecutor, name: str) -> None:
    case, bin = CASES[name], re.sub("[^a-z0-9]+", "-", f"one-{name}".lower())
    rule = {"when": case.when, "body": case.template, "template": True}
    server.post("/bins", {"name": bin, "response": {"rules": [rule]}}).raise_for_status()
    query = filters(case.when)
    call = waiting(server, aside, bin, query)

    headers = {"content-type": case.kind, "content-encoding": case.encoding}
    answer = server.request(
        "POST", f"/b/{bin}", content=case.body, headers={key: value for key, value in headers.items() if value}
    )

    assert (answer.status_code, answer.text) == (200, case.rendered)
    (request,) = call.result().json()["data"]
    (best, *_) = server.get(f"/requests/{request['id']}/views")["data"]
    assert best["name"] == case.view
    assert len(server.get(f"/bins/{bin}/requests", params=query)["data"]) == 1
    words = shown_words(best)
    assert words or case.view == "protobuf"
    unseen = [word for word in words if not server.get(f"/bins/{bin}/requests", params={"q": word})["data"]]
    assert unseen == []
