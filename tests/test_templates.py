"""Templates: what they are given, what they may take, and what is left when one takes more."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hookbin.templating.pool import MAX_OF_BIN, PAUSE, TemplatePool
from hookbin.templating.rendering import MAX_OUTPUT, RenderJob, TemplateRequest, render
from tests.support import Server, eventually

ASKED = TemplateRequest(
    method="POST",
    path="/orders/7",
    query="a=1&a=2&b=%C3%A9",
    headers=(("host", "localhost"), ("x-a", "1"), ("x-a", "2"), ("content-type", "application/json")),
    body=b'{"id": 7, "names": ["x", "y"]}',
)


def text_of(source: str, request: TemplateRequest = ASKED) -> str | None:
    result = render(RenderJob(source=source, request=request))
    assert result.error is None, result.error
    return result.text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ request.method }} {{ request.path }}", "POST /orders/7"),
        ("{{ request.query.a }}{{ request.query['b'] }}", "1é"),
        (
            "{{ request.headers['X-A'] }} {{ request.headers.host }} {{ request.headers.get('No') }}",
            "1, 2 localhost None",
        ),
        ("{{ request.json.id + 1 }} {{ request.json.names | join('-') }}", "8 x-y"),
        ("{{ request.body }}", '{"id": 7, "names": ["x", "y"]}'),
        ("{{ request.form }}", "{}"),
        ("{{ request.json | tojson }}", '{"id": 7, "names": ["x", "y"]}'),
        ("{{ request.query.nope | default('none') }}", "none"),
        ("{% for name in request.json.names %}<{{ name }}>{% endfor %}\n", "<x><y>\n"),
        ("{{ '<b>' }}", "<b>"),
    ],
)
def test_a_template_is_given_the_request(source: str, text: str) -> None:
    assert text_of(source) == text


def test_a_form_is_read() -> None:
    form = TemplateRequest(
        method="POST",
        path="/",
        query="",
        headers=(("content-type", "application/x-www-form-urlencoded; charset=utf-8"),),
        body=b"a=1&b=x+y&a=2",
    )
    assert text_of("{{ request.form.a }} {{ request.form.b }} {{ request.json }}", form) == "1 x y None"


@pytest.mark.parametrize(
    ("body", "content_type", "source", "text"),
    [
        (rb'{"a": "\ud83d"}', "application/json", "{{ request.json.a }}{{ request.json | tojson }}",
         '\ufffd{"a": "\\ud83d"}'),
        (b'{"a": 1e400}', "application/json", "{{ request.json.a }} {{ request.json | tojson }}",
         f'1e400 {{"a": 1{"0" * 400}}}'),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n{"b":1}\r\n--x--', "multipart/form-data; boundary=x",
         "{{ request.form.a }} {{ request.json.a.b }}", '{"b":1} 1'),
        (b"\xff\xfe\xfd", "application/octet-stream", "{{ request.body }}", "\ufffd\ufffd\ufffd"),
    ],
)  # fmt: skip
def test_a_template_sees_what_a_page_shows(body: bytes, content_type: str, source: str, text: str) -> None:
    asked = TemplateRequest(method="POST", path="/", query="", headers=(("content-type", content_type),), body=body)
    assert text_of(source, asked) == text


def test_a_template_gives_the_bytes_of_a_header_and_a_query_back() -> None:
    headers = (("x-a", "J\xc3\xb6rg"), ("x-b", "J\xf6rg"))
    asked = TemplateRequest(method="GET", path="/", query="a=J%C3%B6rg&b=J\xc3\xb6rg", headers=headers, body=b"")
    shown = text_of("{{ request.headers['x-a'] }} {{ request.query.a }} {{ request.query.b }}", asked)
    assert (shown or "").encode() == b"J\xc3\xb6rg J\xc3\xb6rg J\xc3\xb6rg"
    assert text_of("{{ request.headers['x-b'] }}", asked) == "Jörg"  # no UTF-8: the letters, in the answer's charset


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ nope }}", "'nope' is undefined"),
        ("{{ request.nope.x }}", "has no attribute 'nope'"),
        ("{{ request.headers['X-Nope'] }}", "the request has no header 'X-Nope'"),
        ("{{ request.json.nope | tojson }}", "has no attribute 'nope'"),
        ("{{ 1 / 0 }}", "ZeroDivisionError"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("{{ request.__init__.__globals__ }}", "unsafe"),
        ("{{ ''['__class__'] }}", "unsafe"),
        ("{{ self.__init__ }}", "unsafe"),
        ("{{ '{0.__class__}'.format(1) }}", "unsafe"),
        ("{{ request.headers.update(a=1) }}", "unsafe"),
        ("{% for a in range(10**6) %}{% endfor %}", "Range too big"),
        ("{% for a in range(99999) %}xxxx{% endfor %}", f"more than {MAX_OUTPUT:,} characters"),
        ("{{ ", "line 1"),
        ("ok\n{% endfor %}", "line 2"),
        ("{{ 1 | nope }}", "No filter named 'nope'"),
        ("{% include 'x' %}", "no other templates"),
        ("{% extends 'x' %}", "no other templates"),
        ("{{ lipsum() }}", "'lipsum' is undefined"),
    ],
)
def test_a_template_that_fails_says_why(source: str, reason: str) -> None:
    error = render(RenderJob(source=source, request=ASKED)).error

    assert error is not None
    assert reason in error
    assert error.isprintable()


# In a process of its own

TOO_MUCH = (
    "{{ 'x' * 10**9 }}",
    "{{ 'x' | center(1000000000) }}",
    "{{ 'x' | center(10**9) }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 9999999999 ** 9999999999 }}",
    "{{ [0] * 10**9 }}",
    "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
    "{% set n = namespace(s='x') %}{% for a in range(99) %}{% set n.s = n.s ~ n.s %}{% endfor %}",
    "{{ (((('x' * 9999) | list) * 999) | sort | join) | length }}",
)


@pytest.fixture
async def pool() -> AsyncIterator[TemplatePool]:
    pool = TemplatePool()
    yield pool
    await pool.aclose()


@pytest.mark.anyio
@pytest.mark.parametrize("source", TOO_MUCH)
async def test_a_template_that_takes_too_much_is_ended_and_the_next_is_rendered(
    pool: TemplatePool, source: str
) -> None:
    taken = await pool.render(RenderJob(source=source, request=ASKED))
    following = await pool.render(RenderJob(source="{{ request.method }}", request=ASKED))

    assert taken.text is None
    assert taken.error is not None
    assert "it takes more" in taken.error
    assert following.text == "POST"


@pytest.mark.anyio
async def test_senders_at_a_template_that_takes_too_much_hold_up_no_other_bin_s(pool: TemplatePool) -> None:
    bomb, fine = RenderJob(source=TOO_MUCH[6], request=ASKED), RenderJob(source="{{ request.method }}", request=ASKED)
    bombs = [asyncio.create_task(pool.render(bomb, bin="bomb")) for _ in range(MAX_OF_BIN + 1)]
    others = await asyncio.gather(*(pool.render(fine, bin=name) for name in ("one", "two", "two")))

    assert [other.text for other in others] == ["POST"] * 3
    assert sum(each.done() for each in bombs) < 4
    for each in bombs:
        each.cancel()
    await asyncio.gather(*bombs, return_exceptions=True)


@pytest.mark.anyio
async def test_a_template_that_takes_too_much_waits_twice_as_long_each_time(pool: TemplatePool) -> None:
    bomb, now = RenderJob(source=TOO_MUCH[6], request=ASKED), asyncio.get_running_loop().time
    await pool.render(bomb)
    waits = []
    for _ in range(2):
        began = now()
        assert "it takes more" in str((await pool.render(bomb)).error)
        waits.append(now() - began)

    assert waits[0] >= PAUSE
    assert waits[1] >= 2 * PAUSE
    assert (await pool.render(RenderJob(source="{{ request.path }}", request=ASKED))).text == "/orders/7"


@pytest.mark.anyio
async def test_a_template_that_is_only_checked_is_not_run(pool: TemplatePool) -> None:
    assert await pool.check("{{ 1 / 0 }}") is None
    assert await pool.check("{{ 1 /") is not None


# In a bin


def make(server: Server, name: str, source: str) -> str:
    """The path of a bin that answers with the template."""
    made = server.post("/bins", {"name": name, "response": {"template": True, "body": source}})
    assert made.status_code == 201, made.text
    return f"/b/{name}"


def test_a_failing_template_answers_500_and_the_request_shows_why(server: Server) -> None:
    path = make(server, "failing", "{{ request.json.user.name }}")

    answer = server.post(path, {})

    assert answer.status_code == 500
    assert answer.headers["content-security-policy"] == "sandbox"
    assert "has no attribute 'user'" in answer.text
    (captured,) = server.captured("failing")
    assert captured["answer"]["status"] == 500
    assert "has no attribute 'user'" in captured["answer"]["error"]


def test_a_header_is_rendered_too_and_gives_back_the_bytes_that_came(server: Server) -> None:
    headers = [["X-Hook-Secret", "{{ request.headers['X-Hook-Secret'] }}"], ["X-Same", "{"]]
    server.post("/bins", {"name": "echo-header", "response": {"template": True, "status": 204, "headers": headers}})
    sent = "Grüße 💥".encode()

    answer = server.request("POST", "/b/echo-header", headers={b"x-hook-secret": sent})
    lacking = server.post("/b/echo-header")

    found = {name.lower(): value for name, value in answer.headers.raw}
    assert (answer.status_code, found[b"x-hook-secret"], found[b"x-same"]) == (204, sent, b"{")
    assert (lacking.status_code, "x-hook-secret" in lacking.headers) == (500, False)
    assert "no header 'X-Hook-Secret'" in lacking.text


@pytest.mark.parametrize("written", ["a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\0b", "x" * 8193])
def test_a_template_can_not_split_a_header(server: Server, written: str) -> None:
    rule = {"headers": [["X-Echo", "{{ request.json }}"]], "template": True, "body": "ok"}
    server.post("/bins", {"name": "split", "response": rule})

    answer = server.request("POST", "/b/split", json=written)

    assert (answer.status_code, "x-echo" in answer.headers, "set-cookie" in answer.headers) == (500, False, False)
    assert "header X-Echo: a header value is at most 8,192" in answer.text
    assert "header X-Echo" in server.captured("split")[-1]["answer"]["error"]


def test_a_template_that_does_not_compile_is_refused(server: Server) -> None:
    rule = {"when": {}, "template": True, "body": "{{ x", "headers": [["a", "{{ y }}"], ["b", "{% if %}"]]}
    refused = server.post("/bins", {"name": "broken", "response": {"rules": [rule]}})

    assert refused.status_code == 422
    assert [error["loc"] for error in refused.json()["errors"]] == [
        "response.rules[0].body",
        "response.rules[0].headers[1]",
    ]
    assert server.request("GET", "/bins/broken").status_code == 404


def test_a_body_too_large_for_a_template_is_kept_all_the_same(server: Server) -> None:
    path = make(server, "large", "{{ request.body | length }}")

    answer = server.call("POST", path, b"x" * (1024 * 1024 + 1))

    assert answer.status_code == 500
    (captured,) = server.captured("large")
    assert captured["size"] == 1024 * 1024 + 1
    assert "1,048,576" in captured["answer"]["error"]


def workers_of(server: Server) -> list[int]:
    pid = server.pid
    children = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for tasks in children for child in tasks.read_text().split()]


def test_a_killed_worker_is_replaced(server: Server) -> None:
    path = make(server, "echoing", "{{ request.method }}")
    assert server.call("GET", path).text == "GET"

    for worker in workers_of(server):
        os.kill(worker, signal.SIGKILL)
    answers = [server.call("GET", path).text for _ in range(3)]

    assert answers[-1] == "GET"


def test_no_worker_outlives_a_server_that_is_killed(tmp_path: Path) -> None:
    with Server(tmp_path / "hookbin.db") as server:
        assert server.call("GET", make(server, "echoing", "{{ request.method }}")).text == "GET"
        workers = workers_of(server)
        server.kill()

    assert workers
    eventually(lambda: not any(lives(worker) for worker in workers))


def lives(pid: int) -> bool:
    """Zombies do not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
