"""A running hookbin, spoken to over its API."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from types import TracebackType
from typing import Any, TypeAlias

import httpx
import msgspec
from msgspec import Struct

from hookbin import __version__
from hookbin.delivery.targets import parse_destination
from hookbin.errors import FieldsInvalid, WaitTimedOut

WRONG_INPUT = frozenset({400, 401, 404, 409, 413, 415, 422})
_TEMPORARY = frozenset({429, 500, 502, 503, 504})
MAX_PAGE = 250
"""Rows that are asked for at a time."""
PATIENCE = 30.0
"""Seconds for which an answer is waited for, and between two pieces of one."""
Parameter: TypeAlias = str | int | float | Sequence[str]


class RemoteError(Exception):
    """What the server, or its absence, says.

    `wrong_input` says that other input would have been taken, `temporary` that the same may be taken later;
    `nearest` is what `Remote.wait` saw of requests that lack something: `id`, `method`, `target` and `failed` of each.
    """

    def __init__(
        self,
        detail: str,
        *,
        wrong_input: bool = False,
        temporary: bool = False,
        nearest: Sequence[Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.wrong_input = wrong_input
        self.temporary = temporary
        self.nearest = nearest


class RemoteSilent(RemoteError):
    """Nothing came in the time that it was waited for."""


class StreamEvent(Struct, frozen=True, kw_only=True):
    """What the stream told: `id` is a row's `seq`, none for what stands beside the log."""

    id: int | None
    kind: str
    data: Any


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
        self.close()

    def close(self) -> None:
        self._client.close()

    def get(self, path: str, /, **query: Parameter) -> Any:
        return self._call("GET", path, params=query)

    def wait(self, bin: str, /, *, timeout: float, **query: Parameter) -> list[Any]:
        """The requests in full, as soon as `count` of them are there that meet the conditions (`WaitQuery`)."""
        asked: dict[str, Parameter] = {"timeout": timeout, **query}
        found: list[Any] = self._call("GET", f"/bins/{bin}/wait", params=asked, timeout=timeout + PATIENCE)["data"]
        return found

    def all(self, path: str) -> list[Any]:
        """Every row of a list, page after page."""
        return list(self.rows(path))

    def rows(self, path: str, /, *, limit: int | None = None, **query: Parameter) -> Iterator[Any]:
        """The first `limit` rows of a list, page after page."""
        left = sys.maxsize if limit is None else limit
        while left > 0:
            page = self.get(path, limit=min(left, MAX_PAGE), **query)
            yield from page["data"]
            left -= len(page["data"])
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    @contextmanager
    def download(self, path: str, /, *, patience: float = PATIENCE, **query: Parameter) -> Iterator[httpx.Response]:
        """An answer that is read piece by piece; what goes wrong meanwhile is a `RemoteError` too."""
        try:
            with self._client.stream("GET", path, params=query, timeout=patience) as response:
                if not response.is_success:
                    response.read()
                    raise self._refused(response)
                yield response
        except httpx.TransportError as error:
            raise self._unreachable(error) from error

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
            with suppress(RemoteSilent), closing(self.stream(patience=seconds, kinds=kind, after=after)) as events:
                event = next(events, None)
                if event is not None and event.id is not None:
                    after = event.id
                    if event.kind == kind:
                        yield event.data

    def stream(self, *, patience: float, **query: Parameter) -> Generator[StreamEvent | None]:
        """What the stream tells as it comes, None for each ping, until the connection ends.

        Raises `RemoteSilent` when nothing came for `patience` seconds.
        """
        with self.download("/stream", patience=patience, **query) as response:
            rest, fields = b"", dict[bytes, bytes]()
            for piece in response.iter_bytes():
                *lines, rest = (rest + piece).split(b"\n")  # other ends of lines stand in what strangers sent
                for line in lines:
                    name, _, value = line.partition(b": ")
                    fields[name] = value
                    if name == b"data":
                        id = fields.get(b"id")
                        yield StreamEvent(
                            id=None if id is None else int(id),
                            kind=fields[b"event"].decode(),
                            data=msgspec.json.decode(value),
                        )
                        fields = {}
                    elif line.startswith(b":"):
                        yield None

    def _call(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = self._client.request(method, path, **options)
        except httpx.TransportError as error:
            raise self._unreachable(error) from error
        if not response.is_success:
            raise self._refused(response)
        answer = _json(response)
        if response.content and not (isinstance(answer, dict) and _OURS & answer.keys()):
            raise RemoteError(f"{response.url} did not answer as a hookbin does; name another with --server")
        return answer

    def _unreachable(self, error: httpx.TransportError) -> RemoteError:
        if isinstance(error, httpx.ReadTimeout):
            return RemoteSilent(f"{self.url} did not answer in time", temporary=True)
        if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError):
            return RemoteError(f"{self.url} broke the connection off", temporary=True)
        return RemoteError(
            f"nothing answers at {self.url} ({error or type(error).__name__}); "
            "start one with `hookbin serve`, or name another with --server",
            temporary=True,
        )

    def _refused(self, response: httpx.Response) -> RemoteError:
        problem, status = _json(response), response.status_code
        if not isinstance(problem, dict) or "detail" not in problem:
            return RemoteError(f"{response.url} answered {status}; is that a hookbin?", temporary=status in _TEMPORARY)
        lines = [f"{error['loc']}: {error['msg']}" for error in problem.get("errors", ())]
        if problem.get("code") in _UNKNOWN:
            lines = [f"{self.url} knows no {response.url.path}; it may be older than this command ({__version__})"]
        elif status == 401:
            lines = [f"{self.url} wants its token: give it with --token, or in HOOKBIN_TOKEN"]
        return RemoteError(
            "\n".join(lines) or problem["detail"],
            wrong_input=status in WRONG_INPUT,
            temporary=status in _TEMPORARY,
            nearest=problem.get("nearest", ()) if problem.get("code") == WaitTimedOut.code else None,
        )


_OURS = frozenset({"id", "data", "status", "request_id", "event_id"})
"""Each object that the API gives has one of these."""
_UNKNOWN = frozenset({"not_found", "method_not_allowed"})
"""What a server answers that has no such route."""
_JSON = {"content-type": "application/json"}


def _json(response: httpx.Response) -> Any:
    try:
        return msgspec.json.decode(response.content) if response.content else None
    except msgspec.DecodeError:
        return None
