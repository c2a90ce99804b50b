"""Talking to a server without a library in between, and judging the problems that it answers with."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx

from tests.support import PATIENCE, Server


class Wire(NamedTuple):
    """A response as it came over the wire; the body is what followed the headers, chunks and all."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        return next((value for known, value in self.headers if known.lower() == name), None)


def exchange(server: Server, request: bytes) -> Wire:
    """Send these bytes, and nothing else, and read until the server closes the connection."""
    return parsed(exchange_all(server, request))


@contextmanager
def connected(server: Server) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE) as connection:
        yield connection


def read_all(connection: socket.socket) -> bytes:
    received = bytearray()
    while data := connection.recv(65536):
        received += data
    return bytes(received)


def pipelined(server: Server, paths: Sequence[str]) -> None:
    """An empty POST to each, over one connection; each must be answered 200."""
    requests = [f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n" for path in paths]
    requests[-1] = requests[-1].removesuffix("\r\n") + "Connection: close\r\n\r\n"
    answers = exchange_all(server, "".join(requests).encode())
    assert answers.count(b"HTTP/1.1 200 OK\r\n") == len(paths)


def exchange_all(server: Server, requests: bytes) -> bytes:
    """All that comes back until the server closes the connection."""
    with connected(server) as connection:
        connection.sendall(requests)
        return read_all(connection)


def parsed(response: bytes) -> Wire:
    head, _, body = response.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    return Wire(int(status_line.split()[1]), headers, body)


def curl(*arguments: str) -> str:
    """What curl prints; fails when curl does."""
    command = ["curl", "--silent", "--show-error", "--noproxy", "*", *arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE, text=True).stdout


def check_problem(response: httpx.Response, status: int, code: str, *, loc: str | None = None) -> Any:
    """The problem in the response, which must be of this status and code and complain about `loc` if given."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status
    assert problem["code"] == code, problem
    assert problem["type"] == f"urn:hookbin:error:{code}"
    assert problem["title"]
    assert len(problem["detail"]) > 10
    if loc is not None:
        assert loc in [error["loc"] for error in problem["errors"]], problem
        assert all(error["msg"] for error in problem["errors"])
    return problem
