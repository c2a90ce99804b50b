"""What a test is given: bins that catch what it sends, webhooks that send to it, and time that can pass at once."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET

from hookbin.client.remote import Parameter, Remote, RemoteError
from hookbin.models.common import SECOND
from hookbin.models.deliveries import DeliveryState
from hookbin.shapes.deliveries import AttemptShape, DeliveryShape
from hookbin.shapes.requests import RequestShape
from hookbin.testing.running import RunningServer

Answers: TypeAlias = int | str | Mapping[str, Any] | Sequence[int | Mapping[str, Any]]
"""A status, the name of a preset, a response as the API takes it, or statuses and steps that come in turn."""


class NotReceived(AssertionError):
    """What a test waited for did not come; the message says what the nearest requests lack."""


class ReceivedRequest(RequestShape, frozen=True, kw_only=True):
    """A captured request as the API gives it, and what is convenient in a test."""

    @property
    def content(self) -> bytes:
        """The body as it came, up to the bytes that an answer of the API carries."""
        if self.body.base64 is UNSET:
            return str(self.body.text).encode()
        return base64.b64decode(str(self.body.base64))

    def json(self) -> Any:
        """Raises `msgspec.DecodeError` for a body that is no JSON."""
        return msgspec.json.decode(self.content)

    def header(self, name: str) -> str | None:
        """The first value of that name, in capitals or not."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), None)


class ReceivingBin:
    """A bin, to be named to whatever sends."""

    def __init__(self, remote: Remote, made: Mapping[str, Any]) -> None:
        self.id: str = made["id"]
        self.url: str = made["url"]
        self._remote = remote

    @property
    def requests(self) -> list[ReceivedRequest]:
        """All that it captured, oldest first."""
        rows = self._remote.all(f"/bins/{self.id}/requests")
        return [_received(self._remote.get(f"/requests/{row['id']}")) for row in reversed(rows)]

    def wait_for(
        self,
        *,
        count: int = 1,
        timeout: float = 5,
        json: Any = None,
        header: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        **conditions: Parameter,
    ) -> list[ReceivedRequest]:
        """The `count` requests that meet all conditions, those already there too, in the order they came.

        `json` is a part of the body: each value in it must be there. Texts are patterns (`*`, `?`). Any other
        condition of `GET /bins/{bin}/wait` has its name there: `path`, `method`, `q`, `signature`, `after` …
        Raises `NotReceived` after `timeout` seconds, and `RemoteError` for a condition that makes no sense.
        """
        __tracebackhide__ = True
        pairs = {"header": header, "query": query, "form": form}
        for name, values in pairs.items():
            conditions[name] = [f"{key}:{pattern}" for key, pattern in (values or {}).items()]
        conditions["json"] = [] if json is None else list(_json_conditions("", json))
        try:
            found = self._remote.wait(self.id, count=count, timeout=timeout, **conditions)
        except RemoteError as error:
            if error.nearest is None:
                raise
            raise NotReceived("\n".join([error.detail, *_differences(error.nearest)])) from None
        return [_received(each) for each in found]


class SentDelivery:
    """A delivery, told as it is whenever it is asked."""

    def __init__(self, server: RunningServer, id: str) -> None:
        self.id = id
        self._server = server

    @property
    def state(self) -> DeliveryState:
        return self._now().state

    @property
    def attempts(self) -> list[AttemptShape]:
        return self._now().attempts

    @property
    def explanation(self) -> str:
        """What became of it and why, in a sentence."""
        return self._now().explanation

    def _now(self) -> DeliveryShape:
        return msgspec.convert(self._server.remote.get(f"/deliveries/{self.id}"), DeliveryShape)


class SendingWebhook:
    """A webhook, registered with what is tested."""

    def __init__(self, server: RunningServer, made: Mapping[str, Any]) -> None:
        self.id: str = made["id"]
        self.secret: str = made["secret"]
        """What its receiver checks signatures with."""
        self._server = server

    def publish(self, type: str, data: Any = None) -> SentDelivery:
        """Send it an event; returns after the first attempt. Raises `RemoteError`."""
        (delivery,) = _published(self._server, type, data, webhook=self.id)["deliveries"]
        return SentDelivery(self._server, delivery["id"])


class Harness:
    """The fixture `hookbin`: a running server, and what one test made in it, which is deleted at the end."""

    def __init__(self, server: RunningServer) -> None:
        self.url = server.url
        self.remote = server.remote
        """The API, for whatever is not here."""
        self._server = server
        self._made: list[str] = []

    def __enter__(self) -> Harness:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        for path in reversed(self._made):
            with suppress(RemoteError):  # the test may have deleted it
                self.remote.delete(path)
        self._server.set_back()

    def bin(self, answers: Answers | None = None, **options: Any) -> ReceivingBin:
        """A new bin; `options` are those of `POST /bins`. Raises `RemoteError`."""
        made = self.remote.post("/bins", {**_response(answers), **options})
        self._made.append(f"/bins/{made['id']}")
        return ReceivingBin(self.remote, made)

    def webhook(self, *, to: str | ReceivingBin, **options: Any) -> SendingWebhook:
        """A new webhook, without a ping; `options` are those of `POST /webhooks`. Raises `RemoteError`."""
        destination = to if isinstance(to, str) else to.url
        asked = {"name": "test", "destination": destination, "ping": False, **options}
        path = f"/webhooks/{self.remote.post('/webhooks', asked)['id']}"
        self._made.append(path)
        with_secret = {"secret": "true"}
        return SendingWebhook(self._server, self.remote.get(path, **with_secret))

    def publish(self, type: str, data: Any = None) -> list[SentDelivery]:
        """Send an event to every webhook that wants it; returns after the first attempts. Raises `RemoteError`."""
        event = _published(self._server, type, data)
        return [SentDelivery(self._server, delivery["id"]) for delivery in event["deliveries"]]

    @property
    def now(self) -> datetime:
        """The time that the server tells, and signs with."""
        return datetime.fromtimestamp(self._server.now / SECOND, UTC)

    def advance(self, **passed: float) -> None:
        """Let time pass at once: `advance(hours=6)`, with the names that `timedelta` has.

        Every attempt that is due on the way is made at its time. Returns when the last of them is recorded.
        """
        self._server.let_pass(timedelta(**passed) // timedelta(microseconds=1))


def _published(server: RunningServer, type: str, data: Any, *, webhook: str | None = None) -> Any:
    """The event, after the first attempts."""
    event = server.remote.post("/events", {"type": type, "data": data, "webhook": webhook})
    server.settle()
    return event


def _received(row: Any) -> ReceivedRequest:
    return msgspec.convert(row, ReceivedRequest)


def _response(answers: Answers | None) -> dict[str, Any]:
    """The fields of a new bin that make it answer so."""
    if answers is None:
        return {}
    if isinstance(answers, str):
        return {"preset": answers}
    if isinstance(answers, int | Mapping):
        return {"response": _step(answers)}
    return {"response": {"sequence": [_step(answer) for answer in answers]}}


def _step(answer: int | Mapping[str, Any]) -> dict[str, Any]:
    return {"status": answer} if isinstance(answer, int) else dict(answer)


def _json_conditions(path: str, value: Any) -> Iterator[str]:
    """One condition for each value in it that has no parts."""
    parts: list[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        parts = [(f"{path}.{name}" if path else str(name), part) for name, part in value.items()]
    elif isinstance(value, list):
        parts = [(f"{path}[{index}]", part) for index, part in enumerate(value)]
    if not parts:
        yield f"{path}=={msgspec.json.encode(value).decode()}"
    for inner, part in parts:
        yield from _json_conditions(inner, part)


def _differences(nearest: Sequence[Any]) -> Iterator[str]:
    """What was wanted (`-`) and what came instead (`+`), as pytest writes it."""
    for miss in nearest:
        yield f"{miss['method']} {miss['target']}  {miss['id']}"
        for complaint in miss["failed"]:
            wanted, _, instead = complaint.partition(": ")
            yield f"  - {wanted}"
            yield f"  + {instead}"
