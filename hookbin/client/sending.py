"""`hookbin send`: an event published through a running hookbin, and its deliveries followed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from hookbin.client.remote import Remote
from hookbin.clock import Clock
from hookbin.logs import printable

Say = Callable[[str], None]


class Message(Struct, frozen=True, kw_only=True):
    """What is to be sent: JSON data that gets an envelope, or with a content type the body itself."""

    type: str
    content: bytes
    content_type: str | None = None
    idempotency_key: str | None = None


def publish(remote: Remote, message: Message, *, clock: Clock, wait: float, say: Say) -> bool:
    """Publish, tell of each attempt as it is made, and end when no delivery is pending or after `wait` seconds.

    Returns whether every delivery succeeded. Raises `RemoteError`.
    """
    until = clock.monotonic() + wait
    event = _post(remote, message)
    states: dict[str, str] = {delivery["id"]: delivery["state"] for delivery in event["deliveries"]}
    say(f"{event['id']}  {event['type']}  {len(states)} {'delivery' if len(states) == 1 else 'deliveries'}")
    if not states:
        say("no webhook wants this type; GET /webhooks shows what each one wants")
        return True
    for attempt in remote.follow("attempt", after=event["seq"], left=lambda: until - clock.monotonic()):
        if attempt["event_id"] == event["id"]:
            states[attempt["delivery_id"]] = attempt["delivery_state"]
            say(f"  {printable(told(attempt))}")
        if "pending" not in states.values():
            return set(states.values()) == {"succeeded"}
    pending = sum(state == "pending" for state in states.values())
    say(f"{pending} of {len(states)} still pending after {wait:g} s; see {remote.url}/ui/")
    return False


def _post(remote: Remote, message: Message) -> Any:
    headers = {} if message.idempotency_key is None else {"idempotency-key": message.idempotency_key}
    if message.content_type is not None:
        headers["content-type"] = message.content_type
        return remote.post_raw("/events", message.content, query={"type": message.type}, headers=headers)
    return remote.post("/events", {"type": message.type, "data": msgspec.Raw(message.content)}, **headers)


def told(attempt: Mapping[str, Any]) -> str:
    """`name  attempt 1: 200 in 3 ms, succeeded`; the name is as its owner wrote it."""
    outcome = attempt["status"] if attempt["error"] is None else attempt["error"]
    after = f"next at {attempt['next_attempt_at']}" if attempt["next_attempt_at"] else attempt["delivery_state"]
    took = f"{attempt['duration_ms']:.0f} ms"
    return f"{attempt['webhook_name']}  attempt {attempt['number']}: {outcome} in {took}, {after}"
