"""Views and downloads of a captured body over HTTP."""

from __future__ import annotations

import gzip
import json
import time

import httpx
import pytest
import zstandard

from hookbin.bodies.views.plain import hex_dump
from tests.support import Server
from tests.test_views_limits import HUGE
from tests.wire import check_problem

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360f8cf00000001"
    "0101005c8fa2c50000000049454e44ae426082"
)


def capture(server: Server, bin: str, body: bytes, content_type: str | None = None, **headers: str) -> str:
    """The id of the captured request."""
    if content_type is not None:
        headers["content_type"] = content_type
    response = server.call("POST", f"/b/{bin}", body, **headers)
    assert response.status_code == 200, response.text
    id: str = server.get(f"/bins/{bin}/requests", params={"limit": "1"})["data"][0]["id"]
    return id


def view_names(server: Server, id: str) -> list[str]:
    return [view["name"] for view in server.get(f"/requests/{id}/views")["data"]]


def test_the_views_that_apply_are_listed_the_best_first(server: Server) -> None:
    id = capture(server, "views", b'{"a":1.0}', "application/json")
    answer = server.get(f"/requests/{id}/views")
    assert [view["name"] for view in answer["data"]] == ["json", "text", "hex"]
    assert answer["data"][0]["text"] == '{\n  "a": 1.0\n}'
    assert (answer["encodings"], answer["decoded_size"]) == ([], 9)
    assert server.get(f"/requests/{id}/views/text")["text"] == '{"a":1.0}'


def test_a_view_that_does_not_apply_is_not_there(server: Server) -> None:
    id = capture(server, "not-there", b"text")
    for path in ("views/json", "views/nothing", "decoded", "image"):
        check_problem(server.request("GET", f"/requests/{id}/{path}"), 404, "view_not_found")
    for number in ("1", "0", "-1", "x", "99999999999999999999"):
        check_problem(server.request("GET", f"/requests/{id}/parts/{number}"), 404, "part_not_found")
    for path in ("views", "views/hex", "decoded", "image", "parts/1"):
        check_problem(server.request("GET", f"/requests/req_7zzzzzzzzzzzz/{path}"), 404, "request_not_found")


def inert(response: httpx.Response) -> None:
    assert response.status_code == 200, response.text
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"].startswith("sandbox;")


def test_a_compressed_body_can_be_downloaded_decompressed(server: Server) -> None:
    id = capture(server, "gzipped", gzip.compress(b'{"a": 1}'), "application/json", content_encoding="gzip")
    answer = server.get(f"/requests/{id}/views")
    assert answer["encodings"] == ["gzip"]
    assert answer["data"][0]["name"] == "json"
    assert answer["data"][0]["notice"] == "Unpacked from gzip: 28 bytes became 8."
    assert answer["data"][-1]["name"] == "sent"
    response = server.request("GET", f"/requests/{id}/decoded")
    inert(response)
    assert response.content == b'{"a": 1}'
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == f'attachment; filename="{id}-decoded.bin"'
    assert response.headers["hookbin-truncated"] == "false"


def test_what_unpacks_to_nothing_or_lacks_its_end_can_be_downloaded(server: Server) -> None:
    frame = zstandard.compress(b"x" * 300_000 + bytes(range(256)) * 99)
    for name, packed, encoding, cut in (
        ("empty", gzip.compress(b""), "gzip", "false"),
        ("cut", frame[:-9], "zstd", "true"),
    ):
        id = capture(server, f"packed-{name}", packed, content_encoding=encoding)
        response = server.request("GET", f"/requests/{id}/decoded")
        assert (response.status_code, response.headers["hookbin-truncated"]) == (200, cut)
        assert ("its end is missing" in server.get(f"/requests/{id}/views")["data"][0]["notice"]) == (cut == "true")


def form_data(*parts: tuple[str, bytes]) -> bytes:
    return b"".join(b"--x\r\n" + head.encode() + b"\r\n\r\n" + body + b"\r\n" for head, body in parts) + b"--x--\r\n"


def test_the_parts_of_a_form_are_listed_and_each_can_be_downloaded(server: Server) -> None:
    body = form_data(
        ('Content-Disposition: form-data; name="note"', b"hi\r\n--xy\r\nthere"),
        ('Content-Disposition: form-data; name="f"; filename="a b.png"\r\nContent-Type: image/png', PNG),
    )
    id = capture(server, "parts", body, "multipart/form-data; boundary=x")
    note, file = server.get(f"/requests/{id}/views/multipart")["parts"]
    assert (note["number"], note["name"], note["filename"], note["text"]) == (1, "note", None, "hi\r\n--xy\r\nthere")
    assert (file["number"], file["filename"], file["size"], file["text"]) == (2, "a b.png", len(PNG), None)
    assert file["headers"][1] == ["Content-Type", "image/png"]
    response = server.request("GET", f"/requests/{id}/parts/2")
    inert(response)
    assert response.content == PNG
    assert response.headers["content-type"] == "application/octet-stream"
    assert response.headers["content-disposition"] == "attachment; filename=\"a_b.png\"; filename*=UTF-8''a%20b.png"
    check_problem(server.request("GET", f"/requests/{id}/parts/3"), 404, "part_not_found")


def test_an_image_is_served_as_what_it_is_and_not_as_what_it_is_called(server: Server) -> None:
    id = capture(server, "image", PNG, "text/html")
    assert view_names(server, id)[0] == "image"
    response = server.request("GET", f"/requests/{id}/image")
    inert(response)
    assert response.headers["content-type"] == "image/png"
    assert response.content == PNG


def test_page_and_api_answer_in_bounded_time_with_a_notice(server: Server) -> None:
    body, content_type, encoding = HUGE["one line of JSON"]
    id = capture(server, "huge", body[: 10 * 1024 * 1024], content_type, content_encoding=encoding)
    began = time.monotonic()
    views, page = (server.request("GET", path) for path in (f"/requests/{id}/views", f"/ui/bins/huge?request={id}"))

    assert time.monotonic() - began < 20.0  # a tenth of that when the machine is quiet; far more without the bounds
    assert views.json()["data"][0]["notice"]
    assert 'class="notice' in page.text


ROWS = [{"id": number, "name": "Jörg 🪝"} for number in range(3_000)]


@pytest.mark.parametrize(
    ("view", "content", "whole"),
    [
        ("json", json.dumps(ROWS).encode(), json.dumps(ROWS, indent=2)),
        ("text", ("é🪝\n" * 60_000).encode("utf-16"), "é🪝\n" * 60_000),
        ("html", b"<html>" + b"<p>a</p>" * 200_000, "<html>" + "<p>a</p>" * 200_000),
        ("hex", bytes(range(256)) * 33, hex_dump(bytes(range(256)) * 33)),
    ],
)
def test_a_long_body_is_read_page_by_page_there_and_back(server: Server, view: str, content: bytes, whole: str) -> None:
    id = capture(server, "long", content, "application/json" if view == "json" else "text/html; charset=utf-8")
    pages, starts, start = [], [0], 0
    while True:
        page = server.get(f"/requests/{id}/views/{view}", params={"start": str(start)})
        pages.append(page["text"])
        assert (page["place"]["start"], page["place"]["previous"]) == (start, starts[-2] if start else None)
        assert f"{start + 1:,}" in page["notice"] or start == 0 or view == "hex"
        start = page["place"]["next"]
        if start is None:
            break
        starts.append(start)
    assert len(pages) > 2
    assert ("\n" if view == "hex" else "").join(pages) == whole
    assert server.get(f"/requests/{id}/views/{view}", params={"start": "9999999"})["text"] == ""


def test_an_image_in_a_part_is_drawn_and_nothing_else_is(server: Server) -> None:
    file = 'Content-Disposition: form-data; name="f"; filename="a"\r\nContent-Type: text/html'
    id = capture(server, "parts", form_data((file, PNG), (file, b"<svg/>")), "multipart/form-data; boundary=x")
    drawn, other = server.get(f"/requests/{id}/views/multipart")["parts"]
    assert drawn["image"] == {"media_type": "image/png", "width": 1, "height": 1, "drawable": True}
    assert other["image"] is None
    image = server.request("GET", f"/requests/{id}/image?part=1")
    inert(image)
    assert (image.headers["content-type"], image.content) == ("image/png", PNG)
    for part in ("2", "3"):
        check_problem(server.request("GET", f"/requests/{id}/image?part={part}"), 404, "view_not_found")
