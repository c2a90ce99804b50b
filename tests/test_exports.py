"""Captured requests taken out again: run, parsed and compared with what came in."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jsonschema
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hookbin.exports import shell
from hookbin.exports.formats import BIN_FORMATS
from hookbin.exports.table import CSV_HEAD, csv_row
from tests.builders import a_bin, a_request
from tests.har import HAR
from tests.support import PATIENCE, Server
from tests.wire import check_problem, exchange

BINS = itertools.count()
HOSTILE = b"'\"`$(touch pwned)\\%s\\'\xe9\xff;&|<>"


class Sent(NamedTuple):
    """A request as it goes over the wire; the target is what stands behind the bin's address."""

    method: str = "POST"
    rest: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    chunked: bool = False
    host: bytes = b"Host"

    def message(self, bin: str, authority: str) -> bytes:
        framing = (b"Transfer-Encoding", b"chunked") if self.chunked else (b"Content-Length", b"%d" % len(self.body))
        pairs = [*self.headers, (self.host, authority.encode()), framing, (b"CONNECTION", b"close")]
        head = [b"%b /b/%b%b HTTP/1.1" % (self.method.encode(), bin.encode(), self.rest)]
        head += [b"%b: %b" % pair for pair in pairs]
        chunk = b"%x\r\n%b\r\n" % (len(self.body), self.body) if self.body else b""
        return b"\r\n".join([*head, b"", b""]) + (chunk + b"0\r\n\r\n" if self.chunked else self.body)


def capture(server: Server, sent: Sent, bin: str | None = None) -> Any:
    """The request as the API gives it."""
    bin = bin or f"out-{next(BINS)}"
    answer = exchange(server, sent.message(bin, f"localhost:{server.port}"))
    assert answer.status in (100, 200), answer
    (captured,) = server.captured(bin)
    return captured


def export(server: Server, captured: Any, format: str, **query: str) -> bytes:
    path = f"/requests/{captured['id']}/export"
    response = server.request("GET", path, params={"format": format, **query})
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].startswith("attachment;")
    assert response.headers["x-content-type-options"] == "nosniff"
    return response.content


def body_of(server: Server, captured: Any) -> bytes:
    return server.request("GET", f"/requests/{captured['id']}/body").content


def resent(server: Server, captured: Any, format: str) -> Any:
    """What arrives in a second bin when the export is run."""
    bin = f"again-{next(BINS)}"
    program = export(server, captured, format, to=f"http://localhost:{server.port}/b/{bin}")
    command = [sys.executable, "-"] if format == "python" else ["sh"]
    done = subprocess.run(command, input=program, capture_output=True, timeout=PATIENCE, cwd="/")
    assert done.returncode == 0, (done.stderr, program)
    (again,) = server.captured(bin)
    assert again["target"].startswith(f"/b/{bin}")
    return {**again, "target": again["target"].removeprefix(f"/b/{bin}")}


tokens = st.text("!#$%&'*+-.^_`|~0123456789abcXYZ", min_size=1, max_size=12).map(lambda text: f"X{text}".encode())
values = st.binary(max_size=40).map(lambda value: bytes(byte for byte in value if byte >= 32 and byte != 127).strip())
rests = st.text([chr(code) for code in range(33, 127)], max_size=20).map(lambda text: f"/{text}".encode())
methods = st.sampled_from(
    ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "QUERY", "PROPFIND", "M-SEARCH", "REPORT"]
)
requests = st.builds(
    Sent,
    method=methods,
    rest=st.one_of(
        rests, rests.map(lambda rest: b"?" + rest), st.sampled_from([b"", b"?", b"//x/../y;a=1?", b"/%2F%00"])
    ),
    headers=st.lists(st.tuples(tokens, values), max_size=6).map(tuple),
    body=st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode), st.just(b"@/etc/passwd")),
    chunked=st.booleans(),
    host=st.sampled_from([b"Host", b"hOsT", b"HOST"]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(Sent(body=b"\0\x01\x02"))
@example(Sent("GET", b"?", ((b"X-A", b"1"), (b"x-a", b""), (b"X-A", HOSTILE))))
@example(Sent("HEAD", b"/head"))
@example(
    Sent(rest=b"/[1-3]{a,b}", headers=((b"Content-Type", b"text/x"), (b"Accept", b"*/*"), (b"Expect", b"100-continue")))
)
@example(Sent(body=b"line\n'quoted' $(no) \\ %s\n", chunked=True))
@given(sent=requests)
def test_any_request_comes_back_identical_and_its_curl_sends_it_once_more(server: Server, sent: Sent) -> None:
    bin = f"any-{next(BINS)}"
    captured = capture(server, sent, bin)
    head, _, _ = sent.message("x", f"localhost:{server.port}").partition(b"\r\n\r\n")
    pairs = [line.partition(b": ")[::2] for line in head.split(b"\r\n")[1:]]

    assert captured["method"] == sent.method
    assert captured["target"].encode("latin-1") == b"/b/%b%b" % (bin.encode(), sent.rest)
    assert captured["headers"] == [[name.decode("latin-1"), value.decode("latin-1")] for name, value in pairs]
    assert body_of(server, captured) == sent.body

    again = resent(server, captured, "curl")

    assert again["method"] == sent.method
    assert again["target"].encode("latin-1") == sent.rest
    assert again["headers"] == captured["headers"]
    assert body_of(server, again) == sent.body


@pytest.mark.parametrize("size", [70_000, 2_000_000])
def test_a_large_binary_body_goes_out_by_curl(server: Server, size: int) -> None:
    body = bytes(range(256)) * (size // 256)

    assert body_of(server, resent(server, capture(server, Sent(body=body)), "curl")) == body


@settings(max_examples=60, deadline=None)
@example(HOSTILE)
@given(st.binary(max_size=80).map(lambda data: data.replace(b"\0", b"").rstrip(b"\n")))
def test_a_word_is_the_same_bytes_to_a_shell(data: bytes) -> None:
    script = f"printf '%s' {shell.word(data.decode('latin-1'))}"

    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout == data


def test_a_comment_never_ends_before_its_line() -> None:
    (line,) = shell.as_comments(["a\nrm -rf /\r\x85\u2028$(b)"])

    assert line == "# a?rm -rf /???$(b)"


@pytest.mark.parametrize("sent", [
    Sent(body=bytes(range(256)), rest=b"/a/../b?x=%2F&", headers=((b"X-Odd", HOSTILE), (b"x-odd", b"2"))),
    Sent("PUT", b"/chunks", body=b"'''\\\n\"\"\"", chunked=True),
    Sent("DELETE", b"?", headers=((b"User-Agent", b"mine"),)),
], ids=["binary", "chunked", "empty"])  # fmt: skip
def test_the_python_program_sends_it_identically(server: Server, sent: Sent) -> None:
    captured = capture(server, sent)

    again = resent(server, captured, "python")

    assert again["method"] == sent.method
    assert again["target"].encode("latin-1") == sent.rest
    assert again["headers"] == host_first(captured["headers"])
    assert body_of(server, again) == sent.body


def host_first(headers: list[list[str]]) -> list[list[str]]:
    return sorted(headers, key=lambda pair: pair[0] != "Host")


FOR_HTTPIE = {
    "plain": Sent("GET", b"/a/../b//c?x=1&y=%20;z"),
    "json": Sent(rest=b"/j", headers=((b"Content-Type", b"application/json"),), body=b'{"a": 1.0}'),
    "binary": Sent(body=bytes(range(256))),
    "large": Sent(body=bytes(range(256)) * 300),
    "chunked": Sent(body=b"abc", chunked=True),
    "no chunk": Sent(chunked=True),
    "items": Sent(
        headers=(
            (b"X-Json", b":=1"), (b"X-File", b"@/etc/passwd"), (b"X-Equal", b"=a"), (b"X-Both", b"a==b"),
            (b"X-Empty", b""), (b"X-Twice", b"1"), (b"x-twice", b"2"), (b"-x", b"1"), (b"--form", b"2"),
            (b"X-Tab", b"a\tb"), (b"X-Text", "gr\u00fc\u00df \u202e".encode()), (b"X-Backslash", b"a\\b\\"),
            (b"X-Shell", b"'\"`$(touch pwned)\\%s&|<>;"),
        ),
        body=b"hi",
    ),
}  # fmt: skip


@pytest.mark.parametrize("sent", FOR_HTTPIE.values(), ids=FOR_HTTPIE)
def test_a_shell_hands_httpie_the_words_that_say_the_same(server: Server, tmp_path: Path, sent: Sent) -> None:
    captured = capture(server, sent)
    words, body = handed_to_httpie(export(server, captured, "httpie"), tmp_path)

    options = words[: words.index("--")]
    method, url, *items = words[words.index("--") + 1 :]
    assert ("--chunked" in options, "--ignore-stdin" in options) == (sent.chunked, not (sent.body or sent.chunked))
    assert (method, url) == (sent.method, f"{server.url}{captured['target']}")
    assert set(items) >= {item(name, value) for name, value in sent.headers}
    assert all(":" in one or one.endswith(";") for one in items)
    assert body == sent.body


def handed_to_httpie(script: bytes, folder: Path) -> tuple[list[str], bytes]:
    """The arguments and the standard input that a program by the name of `http` gets from the script."""
    stand_in = folder / "http"
    stand_in.write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >'{folder}/words'\ncat >'{folder}/body'\n")
    stand_in.chmod(0o755)
    path = f"{folder}:{os.environ['PATH']}"
    script_file = folder / "export.sh"
    script_file.write_bytes(script)
    subprocess.run(["sh", script_file], env={"PATH": path}, stdin=subprocess.DEVNULL, timeout=PATIENCE, check=True)
    return (folder / "words").read_bytes().decode().split("\0")[:-1], (folder / "body").read_bytes()


def item(name: bytes, value: bytes) -> str:
    if not value:
        return f"{name.decode()};"
    escape = "\\" if value[:1] in b"=@" else ""
    return f"{name.decode()}:{escape}{value.decode()}"


@pytest.mark.parametrize(("sent", "said"), [
    (Sent(headers=((b"X-Odd", b"\xe4\xff"),)), "can't send this header: 'X-Odd: \\xe4\\xff'"),
    (Sent(headers=((b"X-Odd", b"\\=a"),)), "can't send this header: 'X-Odd: \\\\=a'"),
    (Sent(rest=b"/[1]"), "tidies this target"),
    (Sent(rest=b"?"), "tidies this target"),
    (Sent(rest=b"/a#b"), "tidies this target"),
    (Sent(rest=b"/%41"), "tidies this target"),
], ids=["latin", "backslash", "brackets", "empty query", "fragment", "needless escape"])  # fmt: skip
def test_what_httpie_can_not_send_is_said(server: Server, tmp_path: Path, sent: Sent, said: str) -> None:
    script = export(server, capture(server, sent), "httpie")
    words, _ = handed_to_httpie(script, tmp_path)

    assert said in script.decode()
    assert not any(word.startswith("X-Odd") for word in words)


def test_a_method_that_httpie_takes_for_a_url_is_not_sent(server: Server) -> None:
    script = export(server, capture(server, Sent("M-SEARCH")), "httpie")

    done = subprocess.run(["sh"], input=script, capture_output=True, timeout=PATIENCE)

    assert done.returncode == 1
    assert done.stderr == b"HTTPie can't send the method M-SEARCH; the curl export can.\n"


@pytest.mark.parametrize("format", ["curl", "httpie"])
@pytest.mark.parametrize(
    ("sent", "what"),
    [
        (Sent(headers=((b"X-Big", b"a" * 150_000),)), "header X-Big: 150007 bytes"),
        (Sent(rest=b"/?" + b"a" * 150_000), "target: "),
    ],
    ids=["header", "target"],
)
def test_what_is_too_long_for_a_command_line_is_said_when_it_is_run(
    server: Server, sent: Sent, what: str, format: str
) -> None:
    script = export(server, capture(server, sent), format)

    done = subprocess.run(["sh"], input=script, capture_output=True, timeout=PATIENCE)

    assert done.returncode == 1
    assert f"can't send the {what}" in done.stderr.decode()
    assert done.stderr.decode().strip() in script.decode().partition("echo")[0]


@pytest.mark.parametrize("length", [shell.MAX_WORD, shell.MAX_WORD + 1])
def test_curl_takes_as_long_a_header_as_the_system_does(server: Server, length: int) -> None:
    captured = capture(server, Sent(headers=((b"X", b"a" * (length - len("X: "))),)))
    script = export(server, captured, "curl")

    assert (b"exit 1" in script) == (length > shell.MAX_WORD)
    if length <= shell.MAX_WORD:
        assert resent(server, captured, "curl")["headers"] == captured["headers"]


@pytest.mark.parametrize("chunked", [False, True])
def test_the_raw_message_is_what_was_sent(server: Server, chunked: bool) -> None:
    sent = Sent(rest=b"/r?", headers=((b"x-A", b"caf\xe9"), (b"X-a", b"")), body=b"a\0b", chunked=chunked)
    captured = capture(server, sent, bin=f"raw-{chunked}".lower())

    assert export(server, captured, "raw") == sent.message(f"raw-{chunked}".lower(), f"localhost:{server.port}")


def test_the_raw_message_has_the_trailers(server: Server) -> None:
    head = b"POST /b/raw-trailers HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    message = head + b"3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n"
    exchange(server, message)

    (captured,) = server.captured("raw-trailers")
    assert captured["trailers"] == [["X-Sum", "1"]]
    assert export(server, captured, "raw") == message


def test_a_har_is_valid_and_keeps_a_binary_body(server: Server) -> None:
    captured = capture(server, Sent(rest=b"/x?a=1&b=%20", headers=((b"Cookie", b"a=1; b=2"),), body=b"\xff\0"))

    har = json.loads(export(server, captured, "har"))

    jsonschema.validate(har, HAR)
    (entry,) = har["log"]["entries"]
    assert entry["request"]["queryString"] == [{"name": "a", "value": "1"}, {"name": "b", "value": " "}]
    assert [cookie["name"] for cookie in entry["request"]["cookies"]] == ["a", "b"]
    assert entry["request"]["url"].startswith(f"http://localhost:{server.port}/b/")
    assert base64.b64decode(entry["request"]["postData"]["text"]) == b"\xff\0"
    assert entry["request"]["postData"]["encoding"] == "base64"
    assert entry["response"]["status"] == 200


@pytest.mark.parametrize("host", [b"", b"Host: a b\r\n"])
def test_the_url_in_a_har_leads_here_when_the_request_does_not_say_where_it_went(server: Server, host: bytes) -> None:
    bin = f"old-{next(BINS)}"
    exchange(server, b"GET /b/%b/x HTTP/1.0\r\n%b\r\n" % (bin.encode(), host))
    (captured,) = server.captured(bin)
    for exported in (export(server, captured, "har"), of_bin(server, bin, format="har")):
        (entry,) = json.loads(exported)["log"]["entries"]
        assert entry["request"]["url"] == f"{server.url}/b/{bin}/x"


def of_bin(server: Server, bin: str, **query: str) -> bytes:
    response = server.request("GET", f"/bins/{bin}/export", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-disposition"].startswith(f'attachment; filename="{bin}.')
    return response.content


@pytest.fixture(scope="module")
def full(server: Server) -> str:
    """A bin with 450 requests, more than are read at once, and one that is larger than what is read at once."""
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as client:
        for number in range(450):
            client.post(f"/b/many/{number}", content=b"=1+1" if number % 2 else b"\xff")
        client.put("/b/many/large", content=b"x" * 3_000_000)
    return "many"


def test_a_bin_goes_out_as_ndjson_oldest_first_with_whole_bodies(server: Server, full: str) -> None:
    rows = [json.loads(line) for line in of_bin(server, full, format="ndjson").splitlines()]

    assert [row["path"] for row in rows] == [*(f"/b/many/{number}" for number in range(450)), "/b/many/large"]
    assert rows[-1]["body"] == {"size": 3_000_000, "truncated": False, "text": "x" * 3_000_000}


def test_a_bin_goes_out_as_a_valid_har(server: Server, full: str) -> None:
    har = json.loads(of_bin(server, full, format="har"))

    jsonschema.validate(har, HAR)
    assert len(har["log"]["entries"]) == 451


@pytest.mark.parametrize("format", ["ndjson", "har"])
@pytest.mark.parametrize(
    ("body", "is_text"),
    [
        (b'"\x00\\' * 300_000, True),
        (("a" + "\U0001f600" * 300_000).encode(), True),
        (b"a" * 400_000 + b"\xc3", False),
        (b"\xff" * 400_000, False),
    ],
    ids=["escaped", "cut at every place of a character", "ends amidst a character", "binary"],
)
def test_a_large_body_goes_out_in_pieces(format: str, body: bytes, is_text: bool) -> None:
    """To make one string of 47 MiB of it would hold the event loop up for half a second."""
    pieces = BIN_FORMATS[format].entry(a_request(a_bin(), body=body, seq=1), "http://localhost")
    entry = json.loads(b"".join(pieces))
    shown = entry["body"] if format == "ndjson" else entry["request"]["postData"]
    text = shown["text"] if is_text or format == "har" else shown["base64"]
    assert body == (text.encode() if is_text else base64.b64decode(text))
    assert max(map(len, pieces)) < 2_000_000


def test_a_bin_goes_out_as_csv_without_formulas(server: Server, full: str) -> None:
    csv.field_size_limit(10_000_000)
    rows = list(csv.DictReader(io.StringIO(of_bin(server, full, format="csv").decode(), newline="")))

    assert len(rows) == 451
    assert (rows[0]["body"], rows[0]["body_base64"]) == ("", "/w==")
    assert rows[1]["body"] == "'=1+1"
    assert rows[1]["target"] == "/b/many/1"


@pytest.mark.parametrize("body", ['a,b"c"\r\nd', '"', "a\nb", "a\rb", "", "'", "ä;\u2028", "a = b", "[1, -2]", "a; b"])
def test_what_a_csv_cell_holds_comes_back(body: str) -> None:
    assert cells(body)["body"] == body


BLANKS = ["", " ", "\u00a0", "\ufeff", "\u200b", "\u3000", " \ufeff\u200b ", "\x00", "\u2060", '"']


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_no_csv_cell_begins_a_formula_wherever_it_is_split(sign: str) -> None:
    for blank in BLANKS:
        formula = f"{blank}{sign}1"
        for body in (formula, f"a;{formula}", f"a\n{formula}", f"a\r\n{formula};{formula}"):
            assert formula not in re.split("[;\r\n]", cells(body)["body"]), ascii(body)


def test_a_cell_full_of_signs_and_blanks_is_written_at_once() -> None:
    """What begins anew at each blank takes the square of their number: this would take minutes."""
    assert cells(" " * 100_000 + ";" * 100_000 + "\n" * 100_000)["body"]


@pytest.mark.parametrize("gap", [0, 1, 200_000, 400_000])
def test_a_large_csv_cell_is_written_in_pieces_none_of_which_begins_a_formula(gap: int) -> None:
    """Wherever it is cut: what stands before the sign, and what nobody sees of it, may be in other pieces."""
    csv.field_size_limit(10_000_000)
    plain, blanks = "é, " * 100_000, " " * gap

    assert cells(plain)["body"] == plain
    for before in ("", ";", f"{plain};"):
        written = cells(f"{before}{blanks}=1+1{plain}")["body"]
        assert re.split("[;\r\n]", written)[-1].lstrip().startswith("'")
        assert written.replace("'", "", 1) == f"{before}{blanks}=1+1{plain}"


def cells(body: str) -> dict[str, str]:
    """The row of a request with this body, as a spreadsheet reads it."""
    written = CSV_HEAD + b"".join(csv_row(a_request(a_bin(), body=body.encode(), seq=1)))
    (row,) = csv.DictReader(io.StringIO(written.decode(), newline=""))
    return row


def test_an_export_takes_the_filters_of_the_list(server: Server, full: str) -> None:
    rows = of_bin(server, full, format="ndjson", method="PUT", q="xxx").splitlines()

    assert [json.loads(row)["path"] for row in rows] == ["/b/many/large"]


@pytest.mark.parametrize("format", ["har", "ndjson", "csv"])
def test_an_empty_bin_goes_out_too(server: Server, format: str) -> None:
    server.post("/bins", {"name": f"void-{format}"})

    content = of_bin(server, f"void-{format}", format=format)

    assert content.count(b"\n") == {"har": 3, "ndjson": 0, "csv": 1}[format]
    if format == "har":
        jsonschema.validate(json.loads(content), HAR)


@pytest.mark.parametrize(
    "to", ["ftp://x/", "http://", "http://u:p@x/", "http://x/?q", "x", "http://x/\n# y", "http://x'y/"]
)
def test_a_destination_that_is_none_is_refused(server: Server, to: str) -> None:
    captured = capture(server, Sent())
    path = f"/requests/{captured['id']}/export"

    response = server.request("GET", path, params={"format": "curl", "to": to})

    check_problem(response, 422, "invalid_fields", loc="to")


def test_a_body_that_came_in_part_is_sent_in_part_and_said_so(tmp_path: Path) -> None:
    with Server(tmp_path / "hookbin.db", "--max-body", "10") as small:
        message = b"POST /b/cut HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 20\r\n\r\n" + b"y" * 20
        assert exchange(small, message).status == 413
        (captured,) = small.captured("cut")
        script = export(small, captured, "curl").decode()

        again = resent(small, captured, "curl")

    assert "# Only the first 10 bytes of the body were kept" in script
    assert (again["body"]["text"], again["declared_size"]) == ("y" * 10, 10)
