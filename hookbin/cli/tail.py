"""`hookbin tail`: what happens, live, a line each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import click

from hookbin.cli.options import json_option, remote_options, with_remote
from hookbin.cli.output import Row, attempt_line, event_line, message_lines, print_row, request_line, say
from hookbin.client.following import follow
from hookbin.client.remote import Remote, RemoteError, StreamEvent

LINES: dict[str, Callable[[Row], str]] = {"request": request_line, "event": event_line, "attempt": attempt_line}


@click.command()
@click.argument("bin", required=False)
@click.option("--kinds", default=",".join(LINES), show_default=True, help="What to tell of, with commas.")
@click.option("-v", "--verbose", is_flag=True, help="Show headers and bodies too.")
@click.option("--count", type=click.IntRange(1), help="End after so many.")
@json_option
@remote_options
def tail(
    *, bin: str | None, kinds: str, verbose: bool, count: int | None, as_json: bool, server: str, token: str | None
) -> None:
    """Tell of each captured request, event and attempt as it comes, of all or of one BIN.

    A lost connection is made anew and what came meanwhile is told; of more than the stream sends again, a gap.
    """
    if unknown := set(kinds.split(",")) - LINES.keys():
        raise click.UsageError(f"--kinds: {sorted(unknown)[0]!r} is not one of {', '.join(LINES)}")
    query: dict[str, Any] = {"kinds": kinds, "headlines": "true", **({} if bin is None else {"bin": bin})}

    def tell_each(remote: Remote) -> None:
        rows = follow(remote, say=say, pause=threading.Event().wait, **query)
        for event in islice(rows, count):
            _tell(remote, event, verbose=verbose, as_json=as_json)

    with_remote(server, token, tell_each)


def _tell(remote: Remote, event: StreamEvent, *, verbose: bool, as_json: bool) -> None:
    row = {"kind": event.kind, **event.data}
    if event.kind == "gap":
        say(f"a gap: what happened between {row['after']} and {row['upto']} is more than is told; see the lists")
    elif verbose:
        row = _in_full(remote, row)
    if as_json or event.kind != "gap":
        print_row(row, LINES.get(event.kind, str), as_json=as_json)
    if verbose and not as_json:
        for line in _details(row):
            click.echo(line)


def _in_full(remote: Remote, row: dict[str, Any]) -> dict[str, Any]:
    """The row with its headers and body, unless it was deleted meanwhile."""
    try:
        if row["kind"] == "attempt":
            attempts = remote.get(f"/deliveries/{row['delivery_id']}")["attempts"]
            return {**row, **next(attempt for attempt in attempts if attempt["number"] == row["number"])}
        return {**row, **remote.get(f"/{row['kind']}s/{row['id']}")}
    except RemoteError as error:
        if not error.wrong_input:
            raise
        say(error.detail)
        return row


def _details(row: Row) -> Iterator[str]:
    match row:
        case {"kind": "attempt", "request": sent, "response": answer}:
            yield from message_lines(sent["headers"], sent["body"])
            if answer is not None:
                yield f"    answered {row['status']}"
                yield from message_lines(answer["headers"], answer["body"] or answer["raw"])
        case {"kind": "request" | "event", "body": body}:
            yield from message_lines(row.get("headers", []), body)
