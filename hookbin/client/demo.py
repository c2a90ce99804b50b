"""`hookbin demo`: a small living system in a running hookbin, for a class to look at."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from hookbin.client.remote import Remote, RemoteError


class Part(Struct, frozen=True, kw_only=True):
    """A bin, and the webhook with a heartbeat that delivers to it."""

    bin: str
    story: str
    response: dict[str, Any]
    heartbeat: int
    retry_schedule: list[float]


PARTS = (
    Part(
        bin="demo-steady",
        story="answers 200 every time",
        response={"status": 200},
        heartbeat=4,
        retry_schedule=[1, 2, 4],
    ),
    Part(
        bin="demo-flaky",
        story="answers 500 twice, then 200, and begins anew: watch the retries",
        response={
            "sequence": [{"status": 500, "body": "not yet\n", "repeat": 2}, {"status": 200}],
            "then": "cycle",
        },
        heartbeat=7,
        retry_schedule=[1, 2, 4],
    ),
    Part(
        bin="demo-dead",
        story="breaks each connection off without an answer: all attempts fail",
        response={"fault": "reset"},
        heartbeat=15,
        retry_schedule=[1, 2, 4],
    ),
)
PATTERN = "demo.*"
"""What the webhooks get beside their heartbeats."""


def build(remote: Remote) -> list[str]:
    """Make what is missing and put right what is there; the pages to look at. Raises `RemoteError`."""
    known = {webhook["destination"]: webhook for webhook in remote.all("/webhooks")}
    lines = []
    for part in PARTS:
        bin = _bin(remote, part)
        webhook = known.get(bin["url"])
        options = {
            "events": [PATTERN],
            "heartbeat": part.heartbeat,
            "retry_schedule": part.retry_schedule,
            "paused": False,
            "disabled": False,
        }
        if webhook is None:
            webhook = remote.post("/webhooks", {"name": part.bin, "destination": bin["url"], **options})
        else:
            remote.patch(f"/webhooks/{webhook['id']}", options)
        lines.append(f"{remote.url}/ui/webhooks/{webhook['id']}  {part.bin} {part.story}")
    return lines


def remove_all(remote: Remote) -> int:
    """Delete the demonstration's webhooks and bins; how many there were. Raises `RemoteError`."""
    names = {part.bin for part in PARTS}
    bins = [bin for bin in remote.all("/bins") if bin["name"] in names]
    urls = {bin["url"] for bin in bins}
    webhooks = [webhook for webhook in remote.all("/webhooks") if webhook["destination"] in urls]
    for webhook in webhooks:
        remote.delete(f"/webhooks/{webhook['id']}")
    for bin in bins:
        remote.delete(f"/bins/{bin['id']}")
    return len(webhooks) + len(bins)


def _bin(remote: Remote, part: Part) -> Any:
    try:
        return remote.post("/bins", {"name": part.bin, "response": part.response})
    except RemoteError as error:
        if not error.wrong_input:
            raise
    return remote.patch(f"/bins/{part.bin}", {"response": part.response})
