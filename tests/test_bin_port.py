"""`--bin-port`: bins at an origin of their own, which nothing of the pages is at."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, expect

from tests.support import Server, eventually, free_port
from tests.wire import check_problem


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A server, and where its bins are."""
    port = free_port()
    with Server(tmp_path_factory.mktemp("parted") / "hookbin.db", "--bin-port", str(port)) as server:
        yield server, f"http://localhost:{port}"


def test_bins_answer_at_their_port_alone_and_pages_at_theirs(parted: tuple[Server, str]) -> None:
    server, bins = parted

    assert httpx.post(f"{bins}/b/apart/x", content=b"1", trust_env=False, verify=False).status_code == 200
    assert server.captured("apart")[0]["path"] == "/b/apart/x"
    problem = check_problem(server.post("/b/apart"), 421, "bins_elsewhere")
    assert f"{bins}/b/" in problem["detail"]
    for path in ("/", "/bins", "/ui/", "/healthz", "/static/favicon.svg", "/b"):
        check_problem(httpx.get(bins + path, trust_env=False, verify=False), 404, "not_found")
    assert server.get("/bins/apart")["request_count"] == 1


def test_every_url_of_a_bin_that_is_shown_leads_there(parted: tuple[Server, str]) -> None:
    server, bins = parted
    server.post("/bins", {"name": "shown"})

    assert server.get("/bins/shown")["url"] == f"{bins}/b/shown"
    assert server.get("/")["links"]["bin"] == f"{bins}/b/{{bin}}"
    assert f"{bins}/b/NAME" in server.log()
    for path in ("/ui/", "/ui/bins/shown"):
        text = server.request("GET", path).text
        assert f"{server.url}/b/" not in text, path
    httpx.get(f"{bins}/b/shown", trust_env=False, verify=False, headers={"host": "?"})
    (request,) = server.captured("shown")
    assert f"--url {bins}/b/shown" in server.request("GET", f"/requests/{request['id']}/export?format=curl").text


def test_our_own_bins_are_sent_to_and_their_requests_seen_from_both_ends(parted: tuple[Server, str]) -> None:
    server, bins = parted
    webhook = server.register(f"{bins}/b/end")

    (delivery,) = eventually(lambda: server.deliveries(webhook=webhook["id"], state="succeeded"))

    assert "Received" in server.request("GET", f"/ui/deliveries/{delivery['id']}").text


def test_a_page_sends_its_test_request_there(parted: tuple[Server, str], browser: Browser) -> None:
    server, _ = parted
    server.post("/bins", {"name": "tested"})
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{server.url}/ui/bins/tested")
        page.get_by_role("button", name="Send a test request").click()
        expect(page.locator(".toast")).to_contain_text("has answered")

    assert [request["path"] for request in server.captured("tested")] == ["/b/tested/hello"]
