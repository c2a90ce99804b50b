"""A running hookbin, spoken to over its API."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, TypeAlias

import httpx
import msgspec

from hookbin.delivery.targets import parse_destination
from hookbin.errors import FieldsInvalid, WaitTimedOut

WRONG_INPUT = frozenset({400, 409, 413, 415, 422})
PATIENCE = 30.0
"""Seconds that an answer may take to begin."""
Parameter: TypeAlias = str | int | float | Sequence[str]


class RemoteError(Exception):
    """What the server, or its absence, says; `wrong_input` when other input would have been taken.

    `nearest` is what `Remote.wait` saw of requests that lack something: `id`, `method`, `target` and `failed` of each.
    """

    def __init__(self, detail: str, *, wrong_input: bool = False, nearest: Sequence[Any] | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wrong_input = wrong_input
        self.nearest = nearest


class Remote:
    """The API at a base URL. Use it as a context manager; every call raises `RemoteError`."""

    def __init__(self, url: str, *, token: str | None) -> None:
        """Raises `RemoteError` for a URL that is none."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self.url = url.rstrip("/")
        try:
            parse_destination(self.url)
        except FieldsInvalid as error:
            raise RemoteError(f"--server {error.errors[0][1]}", wrong_input=True) from error
        self._client = httpx.Client(base_url=self.url, headers=headers, timeout=PATIENCE, trust_env=False)

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._client.close()

    def get(self, path: str, **query: Parameter) -> Any:
        return self._call("GET", path, params=query)

    def wait(self, bin: str, *, timeout: float, **query: Parameter) -> list[Any]:
        """The requests in full, as soon as `count` of them are there that meet the conditions (`WaitQuery`)."""
        asked: dict[str, Parameter] = {"timeout": timeout, **query}
        found: list[Any] = self._call("GET", f"/bins/{bin}/wait", params=asked, timeout=timeout + PATIENCE)["data"]
        return found

    def all(self, path: str) -> list[Any]:
        """Every row of a list, page after page."""
        rows: list[Any] = []
        query: dict[str, str | int] = {"limit": 250}
        while True:
            page = self.get(path, **query)
            rows += page["data"]
            if page["next_cursor"] is None:
                return rows
            query["cursor"] = page["next_cursor"]

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self._call("POST", path, content=msgspec.json.encode(body), headers={**_JSON, **headers})

    def post_raw(self, path: str, body: bytes, *, query: dict[str, str], headers: dict[str, str]) -> Any:
        return self._call("POST", path, content=body, params=query, headers=headers)

    def patch(self, path: str, body: Any) -> Any:
        return self._call("PATCH", path, content=msgspec.json.encode(body), headers=_JSON)

    def delete(self, path: str) -> None:
        self._call("DELETE", path)

    def follow(self, kind: str, *, after: int, left: Callable[[], float]) -> Iterator[Any]:
        """The stream's messages of one kind with a `seq` over `after`, as they come, while seconds are `left`.

        A connection's reads have one timeout. So each is left with the first message or ping, and the next goes on.
        """
        while (seconds := left()) > 0:
            with suppress(httpx.ReadTimeout):
                for event in self._first_event(kind, after, seconds):
                    after = int(event["id"])
                    if event["event"] == kind:
                        yield msgspec.json.decode(event["data"])

    def _first_event(self, kind: str, after: int, seconds: float) -> Iterator[dict[str, str]]:
        """The fields of it; none of a ping."""
        query: dict[str, str | int] = {"kinds": kind, "after": after}
        try:
            with self._client.stream("GET", "/stream", params=query, timeout=seconds) as response:
                if response.status_code != 200:
                    response.read()
                    raise _refused(response)
                fields: dict[str, str] = {}
                for line in response.iter_lines():
                    name, _, value = line.partition(": ")
                    fields[name] = value
                    if name == "data":
                        yield fields
                    if name == "data" or line.startswith(":"):
                        return
        except httpx.ReadTimeout:
            raise
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if not response.is_success:
            raise _refused(response)
        answer = _json(response)
        if response.content and not (isinstance(answer, dict) and _OURS & answer.keys()):
            raise RemoteError(f"{response.url} did not answer as a hookbin does; name another with --server")
        return answer

    def _unreachable(self, error: Exception) -> RemoteError:
        return RemoteError(
            f"nothing answers at {self.url} ({error or type(error).__name__}); "
            "start one with `hookbin serve`, or name another with --server"
        )


_OURS = frozenset({"id", "data"})
"""Each object that the API gives has one of these, a list the other."""
_JSON = {"content-type": "application/json"}


def _refused(response: httpx.Response) -> RemoteError:
    problem = _json(response)
    if not isinstance(problem, dict) or "detail" not in problem:
        return RemoteError(f"{response.url} answered {response.status_code}; is that a hookbin?")
    lines = [f"{error['loc']}: {error['msg']}" for error in problem.get("errors", ())]
    return RemoteError(
        "\n".join(lines) or problem["detail"],
        wrong_input=response.status_code in WRONG_INPUT,
        nearest=problem.get("nearest", ()) if problem.get("code") == WaitTimedOut.code else None,
    )


def _json(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content) if response.content else None
    except msgspec.DecodeError:
        return None
