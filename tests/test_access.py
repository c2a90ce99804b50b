"""Who may do what: the Host and Origin checks on loopback, the token when exposed, and where deliveries may go."""

from __future__ import annotations

import re
import select
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from hookbin.live.wrong_tokens import FREE
from tests.support import Server, eventually
from tests.wire import check_problem, connected, exchange, parsed

TOKEN = "correct-horse-battery-staple"
NOT_A_NAME = ["evil.example", "localhost.evil.example", "evil-localhost", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"]


# On loopback: a page in the owner's browser


@pytest.mark.parametrize("target", ["GET /bins", "GET /ui/", "POST /events?type=a", "GET /stream", "GET /healthz"])
def test_a_name_that_was_rebound_to_us_gets_nothing(server: Server, target: str) -> None:
    for host in (*NOT_A_NAME, ""):
        request = f"{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        answer = exchange(server, request.encode())
        assert (host, answer.status) == (host, 421)
        assert answer.header("content-type") == "application/problem+json"
        assert b'"code":"host_refused"' in answer.body


def test_a_request_without_a_host_gets_nothing(server: Server) -> None:
    assert exchange(server, b"GET /bins HTTP/1.0\r\n\r\n").status == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.8.9.10", "[::1]", "localhost.", "app.localhost", "localhost:9"]
)
def test_every_name_of_this_machine_will_do(server: Server, host: str) -> None:
    request = f"GET /bins HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"

    assert exchange(server, request.encode()).status == 200


def test_the_public_url_s_name_will_do_too(start_server: Callable[..., Server]) -> None:
    server = start_server("--public-url", "https://hooks.example/", "--token", TOKEN)
    token = f"Bearer {TOKEN}"

    assert server.call("GET", "/bins", host="hooks.example", authorization=token).status_code == 200
    assert server.call("GET", "/bins", host="hooks.example.evil", authorization=token).status_code == 421
    check_problem(server.call("GET", "/bins"), 401, "unauthorized")
    made = server.call("POST", "/bins", json={"name": "x"}, authorization=token)
    assert made.json()["url"] == "https://hooks.example/b/x"


def test_behind_a_public_url_strangers_get_nothing_although_the_server_is_bound_to_loopback(
    start_server: Callable[..., Server],
) -> None:
    server = start_server("--public-url", "https://hooks.example")
    (token,) = re.findall(r"^  token  (\S+)$", server.log(), re.MULTILINE)
    assert f"authorization: Bearer {token}" in server.log()
    assert len(token) >= 32
    private = {"name": "x", "destination": "http://127.0.0.1:1/"}

    assert server.call("GET", "/webhooks", host="hooks.example").status_code == 401
    assert server.call("GET", "/webhooks").status_code == 401
    assert server.call("POST", "/b/new").status_code == 404
    refused = server.call("POST", "/webhooks", json=private, authorization=f"Bearer {token}")
    assert (refused.status_code, refused.json()["code"]) == (422, "target_refused")


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "http://localhost"},
        {"sec_fetch_site": ""},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:1"},
        {"origin": "http://["},
        {"origin": ""},
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "DELETE"])
def test_a_write_from_another_site_s_page_is_refused(server: Server, method: str, headers: dict[str, str]) -> None:
    server.post("/bins", {"name": "stays"})
    path, json = ("/bins", {"name": "forged"}) if method == "POST" else ("/bins/stays", {"name": "forged"})

    check_problem(server.call(method, path, json=json, **headers), 403, "origin_refused")

    assert server.get("/bins/stays")["name"] == "stays"
    check_problem(server.call("GET", "/bins/forged"), 404, "bin_not_found")


@pytest.mark.parametrize("headers", [{}, {"sec_fetch_site": "same-origin"}, {"sec_fetch_site": "none"}])
def test_a_write_from_our_own_page_or_from_no_page_is_taken(server: Server, headers: dict[str, str]) -> None:
    assert server.call("POST", "/bins", json={}, **headers).status_code == 201
    assert server.call("POST", "/bins", json={}, origin=server.url, **headers).status_code == 201


def test_our_own_page_behind_a_proxy_is_known_by_the_host_that_the_proxy_was_asked_for(
    start_server: Callable[..., Server],
) -> None:
    server = start_server("--trust-proxy", "127.0.0.1")
    asked: dict[str, Any] = {"x_forwarded_host": "hooks.example:8443", "json": {}}

    assert server.call("POST", "/bins", origin="https://hooks.example:8443", **asked).status_code == 201
    for origin in ("https://hooks.example", "https://evil.example", "null"):
        check_problem(server.call("POST", "/bins", origin=origin, **asked), 403, "origin_refused")
    check_problem(server.call("GET", "/bins", host="evil.example", x_forwarded_host="localhost"), 421, "host_refused")


@pytest.mark.parametrize("path", ["/bins", "/stream", "/bins/x/wait", "/ui/", "/static/favicon.svg"])
def test_another_site_s_page_can_not_fetch_anything(server: Server, path: str) -> None:
    for site, mode in product(("cross-site", "same-site"), ("no-cors", "cors")):
        response = server.call("GET", path, sec_fetch_site=site, sec_fetch_mode=mode)
        check_problem(response, 403, "origin_refused")


def test_a_link_on_another_site_s_page_can_be_followed_and_no_other_page_reads_the_answer(server: Server) -> None:
    response = server.call("GET", "/bins", sec_fetch_site="cross-site", sec_fetch_mode="navigate")

    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["cross-origin-resource-policy"] == "same-origin"


@pytest.mark.parametrize("path", ["/ui/", "/docs", "/bins", "/nothing", "/healthz", "/static/favicon.svg"])
def test_everything_but_the_bins_carries_the_security_headers(server: Server, path: str) -> None:
    headers = server.call("GET", path).headers

    policy = headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    for part in ("script-src 'self'", "style-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
        assert part in policy.split("; ")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cache-control"] == ("no-cache" if path.startswith("/static") else "no-store")


# Exposed: the token


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = tmp_path_factory.mktemp("exposed") / "hookbin.db"
    with Server(database, "--host", "0.0.0.0", env={"HOOKBIN_TOKEN": TOKEN}) as server:
        yield server


BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/bins"),
        ("GET", "/"),
        ("POST", "/bins"),
        ("POST", "/events?type=a"),
        ("DELETE", "/webhooks/x"),
        ("GET", "/stream"),
        ("GET", "/metrics"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/nothing"),
        ("OPTIONS", "/bins"),
        ("HEAD", "/deliveries"),
    ],
)
def test_without_the_token_nothing_is_to_be_had(exposed: Server, method: str, path: str) -> None:
    response = exposed.call(method, path)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer realm="hookbin"'
    if method != "HEAD":
        check_problem(response, 401, "unauthorized")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer wrong", f"Bearer {TOKEN}x", f"Basic {TOKEN}", TOKEN, "Bearer", "", f"Bearer {TOKEN[:-1]}", "Bearer é"],
)
def test_a_wrong_token_is_none(exposed: Server, authorization: str) -> None:
    headers = [(b"authorization", authorization.encode())]

    response = exposed.request("GET", "/bins", headers=headers)

    check_problem(response, 401, "unauthorized")


@pytest.mark.parametrize(
    "head",
    [
        "GET /bins HTTP/1.1\r\nAuthorization: Bearer guess\r\n",
        "GET /ui/ HTTP/1.1\r\nAuthorization: Bearer guess\r\n",
        "POST /ui/sign-in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 11\r\n",
    ],
)
def test_wrong_tokens_are_slowed_and_logged(start_server: Callable[..., Server], head: str) -> None:
    server = start_server("--host", "0.0.0.0", env={"HOOKBIN_TOKEN": TOKEN})
    with ExitStack() as stack:
        tries = [stack.enter_context(connected(server)) for _ in range(100)]
        for connection in tries:
            connection.sendall(f"{head}Host: localhost\r\n\r\n{'token=guess' if 'POST' in head else ''}".encode())
        eventually(lambda: len(select.select(tries, [], [], 0)[0]) >= 80)
        answered = select.select(tries, [], [], 0)[0]
        statuses = Counter(parsed(connection.recv(65_536)).status for connection in answered)
        check_problem(server.call("GET", "/bins", authorization="Bearer guess"), 429, "too_many_tries")
    assert statuses[429] >= 60
    assert FREE <= server.log().count("a wrong token came from 127.0.0.1") < 40


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_bearer_of_the_token_may_do_everything(exposed: Server, scheme: str) -> None:
    authorization = f"{scheme} {TOKEN}"

    assert exposed.call("POST", "/bins", json={}, authorization=authorization).status_code == 201
    assert exposed.call("GET", "/metrics", authorization=authorization, host="hooks.example").status_code == 200
    assert TOKEN not in exposed.log()
    assert exposed.call("GET", "/ui/", authorization=authorization).status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/robots.txt", "/static/favicon.svg", "/ui/sign-in"])
def test_what_monitors_and_the_sign_in_page_need_is_open(exposed: Server, path: str) -> None:
    assert exposed.call("GET", path).status_code == 200


def test_the_token_does_not_help_another_site_s_page(exposed: Server) -> None:
    response = exposed.call("POST", "/bins", json={}, origin="https://evil.example", **BEARER)

    check_problem(response, 403, "origin_refused")


@pytest.mark.parametrize("path", ["/ui/", "/ui/bins/joe?request=1&x=%2F", "/ui"])
def test_a_page_sends_one_to_the_sign_in_and_back(exposed: Server, path: str) -> None:
    response = exposed.call("GET", path)

    assert response.status_code == 303
    location = urlsplit(response.headers["location"])
    assert location.path == "/ui/sign-in"
    (target,) = parse_qs(location.query)["next"]
    signed_in = sign_in(exposed, token=TOKEN, next=target)
    assert signed_in.headers["location"].rstrip("/") == path.rstrip("/")


def sign_in(server: Server, **form: str) -> httpx.Response:
    return server.request("POST", "/ui/sign-in", data=form)


def test_signing_in_gives_a_cookie_that_scripts_and_other_sites_do_not_get(exposed: Server) -> None:
    response = sign_in(exposed, token=f" {TOKEN}\n", next="/ui/")

    assert (response.status_code, response.headers["location"]) == (303, "/ui/")
    cookie = response.headers["set-cookie"]
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes
    assert TOKEN not in cookie
    value = cookie.partition(";")[0]
    assert exposed.call("GET", "/ui/", cookie=value).status_code == 200
    assert exposed.call("GET", "/bins", cookie=value).status_code == 200
    assert exposed.call("GET", "/bins", cookie=value + "x").status_code == 401


def test_signing_in_with_a_wrong_token_is_a_401_with_the_form_again(exposed: Server) -> None:
    for form in ({"token": "wrong"}, {"token": ""}, {}):
        response = sign_in(exposed, **form)
        assert response.status_code == 401
        assert "<form" in response.text
        assert "set-cookie" not in response.headers


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/ui/\\..\\..//evil.example",
        "javascript:alert(1)",
        "/bins",
        "/ui.evil.example",
        "/ui/\r\nset-cookie: x=1",
        "",
        " /ui/",
    ],
)
def test_signing_in_leads_to_our_own_pages_only(exposed: Server, target: str) -> None:
    assert sign_in(exposed, token=TOKEN, next=target).headers["location"] == "/ui/"
    page = exposed.request("GET", "/ui/sign-in", params={"next": target})
    assert 'name="next" value="/ui/"' in page.text


def test_a_form_that_no_one_could_have_typed_is_refused(exposed: Server) -> None:
    response = exposed.request("POST", "/ui/sign-in", content=b"token=" + b"x" * 2_000_000)

    check_problem(response, 413, "body_too_large")
    assert sign_in(exposed, token="&".join(["a=1"] * 2000)).status_code == 401


# Exposed: bins, and where deliveries may go


def test_bins_are_open_to_all_but_are_not_made_by_strangers(exposed: Server) -> None:
    check_problem(exposed.call("POST", "/b/stranger"), 404, "bin_not_found")
    assert exposed.call("POST", "/bins", json={"name": "open"}, **BEARER).status_code == 201

    assert exposed.call("POST", "/b/open/x", host="any.example", origin="https://any.example").status_code == 200


def register(server: Server, destination: str) -> httpx.Response:
    return server.call("POST", "/webhooks", json={"name": "test", "destination": destination}, **BEARER)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_our_own_bins_are_delivered_to_all_the_same(exposed: Server, host: str) -> None:
    bin = f"own-{host.replace('.', '-')}"
    exposed.call("POST", "/bins", json={"name": bin}, **BEARER)

    webhook = register(exposed, f"http://{host}:{exposed.port}/b/{bin}")

    assert webhook.status_code == 201, webhook.text
    eventually(lambda: exposed.call("GET", f"/bins/{bin}", **BEARER).json()["request_count"] == 1)
    exposed.call("DELETE", f"/webhooks/{webhook.json()['id']}", **BEARER)


@pytest.mark.parametrize("rest", ["/b/../bins", "/b/%2e%2e/bins", "/b", "/bins", "/healthz", "/b/%252e%252e/bins"])
def test_nothing_but_our_bins_is_reached_by_that(exposed: Server, rest: str) -> None:
    check_problem(register(exposed, f"http://localhost:{exposed.port}{rest}"), 422, "target_refused")


def test_allow_target_opens_a_network(start_server: Callable[..., Server]) -> None:
    server = start_server("--host", "0.0.0.0", "--allow-target", "127.0.0.0/8", env={"HOOKBIN_TOKEN": TOKEN})

    webhook = register(server, f"http://127.0.0.1:{server.port}/healthz")

    assert webhook.status_code == 201, webhook.text
    check_problem(register(server, "http://10.0.0.1/"), 422, "target_refused")
    check_problem(register(server, "http://169.254.169.254/"), 422, "target_refused")
