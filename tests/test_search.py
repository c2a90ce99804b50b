"""Looking for captured requests: what is found, how far one call looks, and hostile input."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from gzip import compress
from typing import Any
from urllib.parse import urlencode

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hookbin.conditions.filters import Pair, RequestFilter, text_place, unsearched_words
from hookbin.conditions.incoming import SEARCHED_BODY, Incoming
from hookbin.store import search
from hookbin.store.search import RequestSearch
from tests.builders import NOW, Stores
from tests.support import Server
from tests.wire import check_problem

pytestmark = pytest.mark.anyio


async def found(stores: Stores, **wanted: Any) -> list[int]:
    page = await RequestSearch(stores.database).find(
        stores.bins.get("joe"), RequestFilter(**wanted), limit=100, before=None
    )
    assert page.next_before is None
    return [row.seq for row in page.rows]


async def test_text_is_found_wherever_it_stands(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, target="/b/joe/Orders?x=1", headers=())
    await stores.capture(bin, target="/b/joe?name=ORDERS", headers=())
    await stores.capture(bin, headers=(("X-Kind", "Orders"),))
    await stores.capture(bin, body=b'{"about": "orders"}')
    await stores.capture(bin, target="/b/joe/%6Frders")
    await stores.capture(bin, body=b"\xff\xfe\x00 orders \xff")
    await stores.capture(bin, body=b"something else")
    await stores.capture(bin, trailers=(("X-Orders", "1"),))
    assert await found(stores, text="oRdErS") == [8, 6, 5, 4, 3, 2, 1]
    assert await found(stores, text="x-kind: orders") == [3]


async def test_letters_beyond_ascii_are_found_in_any_case(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, body="Ein ÄRGERNIS".encode())
    await stores.capture(bin, target="/b/joe/%C3%84rger")
    assert await found(stores, text="ärger") == [2, 1]


FORM = (("Content-Type", "application/x-www-form-urlencoded"),)
JSON = (("Content-Type", "application/json"),)
PARTS = (("Content-Type", "multipart/form-data; boundary=x"),)
TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbm4ifQ."
SPELLED: list[tuple[dict[str, Any], list[str]]] = [
    ({"headers": FORM, "body": b"email=ann%40example.com&From=%2B1415"
      b"&Body=Gr%C3%BC%C3%9Fe+aus&p=%7B%22type%22%3A%22x%22%7D"},
     ["ann@example.com", "+1415", "GRÜSSE AUS", '"type":"x"', '"type": "x"', "body=grüße"]),
    ({"headers": FORM, "body": b"n=J%F6rg&charset=windows-1252"}, ["Jörg"]),
    ({"headers": JSON, "body": rb'{"name":"J\u00f6rg \ud83d\ude00","url":"https:\/\/example.com\/a",'
      rb'"q":"\"x\" \\u0041"}'},
     ["jörg 😀", "https://example.com/a", '"x" \\u0041', r"https:\/\/", '"name": "jörg']),
    ({"headers": (("Content-Encoding", "gzip"),), "body": compress(compress(b'{"type":"paid"}'))}, ['"TYPE": "paid"']),
    ({"headers": JSON, "body": '{"a": "Иван"}'.encode("utf-16")}, ["иван", '"a":"И']),
    ({"headers": (("Content-Type", "text/plain; charset=koi8-r"),), "body": "Иван".encode("koi8-r")}, ["Иван"]),
    ({"headers": PARTS, "body": b'--x\r\nContent-Disposition: form-data; name="n"; filename*=utf-8\'\'%e2%82%ac.txt'
      b"\r\nContent-Type: text/plain; charset=latin1\r\n\r\nGr\xfc\xdfe\r\n--x--"}, ["grüße", "€.txt", 'name="n"']),
    ({"target": "/b/joe?name=Ann+Smith&x=J%F6rg"}, ["Ann Smith", "Ann+Smith", "jörg", "name=ann"]),
    ({"target": "/b/joe/a%20b/J%C3%B6rg"}, ["/a b/jörg"]),
    ({"headers": (("X-Name", "J\xc3\xb6rg"), ("X-Other", "M\xfcller"))}, ["x-name: jörg", "müller"]),
    ({"headers": (("Authorization", f"Bearer {TOKEN}"),)}, ['"sub": "ann"']),
    ({"body": TOKEN.encode()}, ['"sub":"ann"']),
]  # fmt: skip


async def test_text_is_found_as_a_page_shows_it(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    for changes, _ in SPELLED:
        await stores.capture(bin, **{"headers": (), "body": b"", **changes})
    for seq, (_, texts) in enumerate(SPELLED, 1):
        for text in texts:
            assert seq in await found(stores, text=text), text


PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
}


@settings(deadline=None)
@given(st.text(min_size=1, max_size=60), st.sampled_from(sorted(PACK)), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_any_text_is_found_in_any_body_that_holds_it(text: str, coding: str, charset: str) -> None:
    coded = ("Content-Encoding", coding)
    forms = {f"{FORM[0][1]}; charset={charset}": urlencode({"a": text}, encoding=charset).encode()}
    jsons = {f"application/json; charset={charset}": json.dumps({"a": text}).encode(charset)}
    for kind, body in (forms | jsons).items():
        seen = Incoming(target="/b/joe", headers=(("Content-Type", kind), coded), body=PACK[coding](body))
        assert text_place(text)(seen) in ("body", "headers", "target")


async def test_it_is_said_where_a_search_stopped_inside_bodies(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    for body in (b"x" * SEARCHED_BODY, b"x" * (SEARCHED_BODY + 1), compress(bytes(SEARCHED_BODY + 1)), b"needle"):
        await stores.capture(bin, body=body)
    page = await RequestSearch(stores.database).find(bin, RequestFilter(text="needle"), limit=9, before=None)
    assert ([row.seq for row in page.rows], page.longer) == ([4], 2)
    assert unsearched_words(2) == "The first 64.0 KiB of each body were searched; 2 bodies without the text are longer."


async def test_signs_of_sql_patterns_stand_for_themselves(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, body=b"100% of_it\0'; --")
    await stores.capture(bin, body=b"100 offit")
    for text in ("%", "_", "\0", "';", "f_i"):
        assert await found(stores, text=text) == [1], text


async def test_a_body_is_searched_up_to_a_bound_and_a_row_without_one_is_no_trouble(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, body=b"x" * (SEARCHED_BODY - 6) + b"needle")
    await stores.capture(bin, body=b"x" * (SEARCHED_BODY - 5) + b"needle")
    await stores.capture(bin, body=b"")
    assert await found(stores, text="needle") == [1]


async def test_columns_and_headers_are_looked_at(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, method="PUT", answer_status=404, received_at=NOW, headers=(("X-A", "1"), ("X-A", "2")))
    await stores.capture(bin, answer_status=503, received_at=NOW + 1, signature="failed", pinned=True)
    await stores.capture(bin, answer_status=None, received_at=NOW + 2, attempt_id="att_1_1", headers=())
    assert await found(stores, methods=("PUT", "GET")) == [1]
    assert await found(stores, statuses=((400, 499), (0, 0))) == [3, 1]
    assert await found(stores, since=NOW + 1) == [3, 2]
    assert await found(stores, until=NOW + 1) == [1]
    assert await found(stores, signature="failed") == await found(stores, pinned=True) == [2]
    assert await found(stores, attempt_id="att_1_1") == [3]
    assert await found(stores, headers=(Pair("x-a", "2"),)) == [2, 1]
    assert await found(stores, headers=(Pair("x-a", "1"), Pair("host", None))) == [2]


async def test_pages_go_on_where_they_ended_while_new_requests_arrive(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    for n in range(20):
        await stores.capture(bin, body=b"odd" if n % 2 else b"even")
    seen, before = [], None
    while True:
        page = await RequestSearch(stores.database).find(bin, RequestFilter(text="odd"), limit=3, before=before)
        seen += [row.seq for row in page.rows]
        await stores.capture(bin, body=b"odd")
        if (before := page.next_before) is None:
            break
    assert seen == list(range(20, 0, -2))


async def test_one_call_looks_no_further_than_its_bound_and_its_cursor_goes_on(stores: Stores) -> None:
    bin = await stores.make_bin("joe")
    await stores.capture(bin, body=b"needle")
    big = SEARCHED_BODY * 2
    for _ in range(search.MAX_BYTES // SEARCHED_BODY):
        await stores.capture(bin, body=b"x" * big)
    first = await RequestSearch(stores.database).find(bin, RequestFilter(text="needle"), limit=5, before=None)
    assert first.rows == []
    assert first.next_before is not None
    second = await RequestSearch(stores.database).find(
        bin, RequestFilter(text="needle"), limit=5, before=first.next_before
    )
    assert ([row.seq for row in second.rows], second.next_before) == ([1], None)


async def test_more_rows_than_one_step_are_all_looked_at(stores: Stores) -> None:
    bin, other = await stores.make_bin("joe"), await stores.make_bin("other")
    await stores.capture(bin, body=b"needle")
    for _ in range(search.STEP_ROWS // 2):
        await stores.capture(bin)
        await stores.capture(other, body=b"needle")
        await stores.capture(bin)
    assert await found(stores, text="needle") == [1]


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(exclude_categories=[]), min_size=1, max_size=256))
async def test_any_text_at_all_can_be_looked_for(stores: Stores, text: str) -> None:
    bin = await stores.bins.ensure("joe", max_requests=10, max_age=None)
    if not await stores.count("requests"):
        await stores.capture(bin, body=bytes(range(256)))
    page = await RequestSearch(stores.database).find(bin, RequestFilter(text=text), limit=1, before=None)
    assert len(page.rows) <= 1


# Over HTTP


@pytest.fixture(scope="module")
def searched(server: Server) -> str:
    server.post("/bins", {"name": "searched"})
    for path, body in (("/orders?id=1", b'{"n": 1}'), ("/users", b"\xff\xfe"), ("/orders?id=2", "Größe".encode())):
        server.request("POST", f"/b/searched{path}", content=body, headers={"x-kind": path[1:6]})
    server.request("GET", "/b/searched/ping")
    return "/bins/searched/requests"


def paths(server: Server, url: str) -> list[str]:
    return [row["target"].removeprefix("/b/searched") for row in server.get(url)["data"]]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("q=ORDERS", ["/orders?id=2", "/orders?id=1"]),
        ("q=gr%C3%B6%C3%9Fe", ["/orders?id=2"]),
        ("method=GET", ["/ping"]),
        ("method=get", ["/ping"]),
        ("method=GET,PUT&status=2xx", ["/ping"]),
        ("status=404,5xx", []),
        ("since=-1h&method=GET", ["/ping"]),
        ("until=-1h", []),
        ("until=2026-01-01T00:00:00Z&since=2025-01-01T00:00:00%2B01:00", []),
        ("header=x-kind:users&path=/u*", ["/users"]),
        ("header=X-Kind&header=x-kind:order", ["/orders?id=2", "/orders?id=1"]),
        ("signature=unchecked&method=GET", ["/ping"]),
        ("pinned=true", []),
        ("attempt=att_1", []),
        ("path=/orders", ["/orders?id=2", "/orders?id=1"]),
        ("path=/**&query=id:2", ["/orders?id=2"]),
        ("header=x-kind:o?de*&query=id", ["/orders?id=2", "/orders?id=1"]),
        ("json=n==1", ["/orders?id=1"]),
        ("json=$.n", ["/orders?id=1"]),
        ("json=n==%221%22", []),
        ("form=a:x*", []),
        ("q=%00", []),
        ("q=%ED%A0%80", []),
    ],
)
def test_a_list_is_narrowed_by_its_query(server: Server, searched: str, query: str, wanted: list[str]) -> None:
    assert paths(server, f"{searched}?{query}") == wanted


def test_a_narrowed_list_has_pages(server: Server, searched: str) -> None:
    first = server.get(f"{searched}?q=orders&limit=1")
    assert first["next_cursor"]
    second = server.get(f"{searched}?q=orders&limit=1&cursor={first['next_cursor']}")
    assert second["next_cursor"] is None
    assert [row["query"] for row in first["data"] + second["data"]] == ["id=2", "id=1"]


@pytest.mark.parametrize(
    ("query", "loc"),
    [
        ("q=", "q"),
        (f"q={'x' * 257}", "q"),
        ("status=abc", "status"),
        ("status=40", "status"),
        ("since=yesterday", "since"),
        ("until=2026-01-01T00:00:00+01:00", "until"),
        ("since=-5y", "since"),
        ("signature=good", "signature"),
        ("pinned=perhaps", "pinned"),
        ("q=a&q=b", "q"),
        ("method=,", "method"),
        ("header=", "header[0]"),
        ("header=a b", "header[0]"),
        ("path=orders", "path"),
        ("json=a..b==1", "json[0]"),
        ("query=a:x%5C", "query[0]"),
        ("form=a:x%5C", "form[0]"),
        ("&".join(["header=a"] * 21), "header"),
    ],
)
def test_a_query_that_makes_no_sense_is_explained(server: Server, searched: str, query: str, loc: str) -> None:
    response = server.request("GET", f"{searched}?{query}")
    check_problem(response, 422, "invalid_fields", loc=loc)
