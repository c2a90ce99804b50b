"""What belongs together is told as one tree, and a request is sent on with changes."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browsing import capture, delivered_to, is_live, opened
from tests.raw_receiver import Receiver
from tests.support import Server, eventually
from tests.wire import exchange


def shown(server: Server, id: str) -> list[str]:
    """The kinds and ids of the tree's nodes, in their order."""
    return re.findall(r'<li id="(\w+)"', server.request("GET", f"/ui/threads/{id}").text)


def replay(server: Server, id: str, **wanted: object) -> dict[str, object]:
    answer = server.post(f"/requests/{id}/replay", wanted)
    assert answer.status_code == 202, answer.text
    (event,) = answer.json()["events"]
    return dict(event)


def test_every_part_of_a_thread_leads_to_all_of_it(server: Server) -> None:
    with Receiver(200).serving() as url:
        server.post("/bins", {"name": "passing-on", "forward": [{"destination": url}]})
        delivery = delivered_to(server, "passing-on")
        (request,) = server.captured("passing-on")
        (forwarded,) = eventually(lambda: server.get(f"/events?request={request['id']}")["data"])
        on = eventually(lambda: server.deliveries(event=forwarded["id"], state="succeeded"))[0]

        tree = shown(server, delivery["event_id"])
        first, second = (f"att_{one['id'][4:]}_1" for one in (delivery, on))
        sent, passed_on = [delivery["event_id"], delivery["id"], first], [forwarded["id"], on["id"], second]
        assert tree == [*sent, request["id"], *passed_on]
        for id in (delivery["id"], request["id"], forwarded["id"], on["id"]):
            assert shown(server, id) == tree
        assert server.request("GET", "/ui/threads/evt_nothing").status_code == 404


def test_a_thread_is_one_file_that_runs_nothing(server: Server) -> None:
    capture(server, "in-a-file", b"<script>alert(1)</script>", headers={"authorization": "Bearer secret", "x-a": "<b>"})
    (request,) = server.captured("in-a-file")
    answer = server.request("GET", f"/ui/threads/{request['id']}?file")

    assert answer.headers["content-disposition"] == f'attachment; filename="hookbin-{request["id"]}.html"'
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
    assert "<script" not in answer.text
    assert "Bearer secret" not in answer.text
    assert "default-src &#39;none&#39;" in answer.text or "default-src 'none'" in answer.text
    assert not re.search(r"(?:href|src)=", answer.text)


def test_a_thread_as_a_file_masks_the_secrets_of_answers_too(server: Server) -> None:
    server.post("/bins", {"name": "gives-cookies", "response": {"headers": [["set-cookie", "session=of-the-answer"]]}})
    delivery = delivered_to(server, "gives-cookies")
    file = server.request("GET", f"/ui/threads/{delivery['id']}?file").text
    assert "set-cookie: ********" in file
    assert "of-the-answer" not in file


def test_a_request_is_sent_on_with_changes_and_what_they_were_is_shown(server: Server) -> None:
    capture(server, "changing/path?a=1", b'{"n": 1}', headers={"x-kept": "yes"})
    (request,) = server.captured("changing")
    changes = {"method": "PUT", "path": "/other", "query": "b=2", "headers": [["X-New", "1"]], "body": '{"n": 2}'}
    event = replay(server, request["id"], destination=f"{server.url}/b/changed", changes=changes)
    eventually(lambda: server.captured("changed"))

    (got,) = server.captured("changed")
    assert (got["method"], got["path"], got["query"]) == ("PUT", "/b/changed/other", "b=2")
    assert got["body"]["text"] == '{"n": 2}'
    assert ["X-New", "1"] in got["headers"]
    assert "x-kept" not in {name.lower() for name, _ in got["headers"]}
    page = server.request("GET", f"/ui/events/{event['id']}/changes").text
    assert "What was changed before it was sent" in page
    assert "PUT" in page
    assert "X-New" in page or "x-new" in page
    assert "/changes" in server.request("GET", f"/ui/events/{event['id']}").text


def test_what_is_not_changed_is_not_said_to_be(server: Server) -> None:
    capture(server, "as-it-was/p", b"\xff\x00")
    (request,) = server.captured("as-it-was")
    event = replay(server, request["id"], destination=f"{server.url}/b/as-it-came")
    assert "/changes" not in server.request("GET", f"/ui/events/{event['id']}").text


@pytest.mark.parametrize("target", ["http://elsewhere/b/far/p?q", "/%62%2Ffar/p?q", "/b/far%2Fp?q"])
def test_a_change_is_shown_alone_however_the_target_was_written(server: Server, target: str) -> None:
    exchange(server, f"PUT {target} HTTP/1.1\r\nHost: {server.url[7:]}\r\nConnection: close\r\n\r\n".encode())
    request = eventually(lambda: server.captured("far"))[0]
    event = replay(server, request["id"], destination=f"{server.url}/b/nearer", changes={"method": "POST"})
    page = server.request("GET", f"/ui/events/{event['id']}/changes")
    assert page.status_code == 200
    assert re.findall(r'<th scope="row">(\w+)</th>', page.text) == ["method"]


@pytest.mark.parametrize(
    ("changes", "loc"),
    [
        ({"method": "A B"}, "changes.method"),
        ({"path": "x"}, "changes.path"),
        ({"path": "/a b"}, "changes.path"),
        ({"query": "a#b"}, "changes.query"),
        ({"headers": [["a", "b"], ["a b", "c"]]}, "changes.headers[1]"),
        ({"headers": [["a", "b\r\nc: d"]]}, "changes.headers[0]"),
        ({"body": "a", "body_base64": "YQ=="}, "changes.body_base64"),
        ({"body_base64": "*"}, "changes.body_base64"),
        ({"path": "/../x"}, "destination"),
    ],
)
def test_a_change_that_can_not_be_sent_is_told_at_its_field(server: Server, changes: object, loc: str) -> None:
    capture(server, "unchangeable")
    request = server.captured("unchangeable")[0]
    answer = server.post(
        f"/requests/{request['id']}/replay", {"destination": "http://127.0.0.1:9/", "changes": changes}
    )
    assert answer.status_code == 422
    assert [error["loc"] for error in answer.json()["errors"]] == [loc]


def test_a_request_is_changed_and_sent_from_its_page_and_its_detail_says_what_came_of_it(
    server: Server, page: Page
) -> None:
    capture(server, "from-the-page/p", b"line 1\r\nline 2", headers={"content-type": "text/plain"})
    (request,) = server.captured("from-the-page")
    opened(server, page, "/ui/bins/from-the-page")
    page.keyboard.press("j")
    page.get_by_role("link", name="Replay").click()
    expect(page.get_by_role("heading", name="Send this request on")).to_be_visible()
    is_live(page)
    page.get_by_label("To an address").fill(f"{server.url}/b/sent-from-page")
    page.get_by_label("Method").fill("PATCH")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("link", name="Follow it")).to_be_visible()
    got = eventually(lambda: server.captured("sent-from-page"))[0]
    assert (got["method"], got["body"]["text"]) == ("PATCH", "line 1\r\nline 2")
    opened(server, page, f"/ui/bins/from-the-page?request={request['id']}")
    expect(page.locator("[data-sent-on]")).to_contain_text("replayed to")
    expect(page.locator("[data-sent-on]")).to_contain_text("200")
    replay(server, request["id"], destination=f"{server.url}/b/sent-again")
    expect(page.locator("[data-sent-on] li")).to_have_count(2)
    page.get_by_role("link", name="The whole thread").click()
    expect(page.locator(".thread li[data-kind=request]")).to_have_count(3)
