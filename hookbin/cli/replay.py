"""`hookbin replay`: a captured request sent on, and what came of it."""

from __future__ import annotations

import sys
from typing import Any

import click

from hookbin.cli.options import FAILED, json_option, remote_options, with_remote
from hookbin.cli.output import Row, attempt_line, print_row, say
from hookbin.cli.send import CLOCK
from hookbin.client.remote import Remote, RemoteError
from hookbin.client.sending import tell_outcomes


@click.command()
@click.argument("what", metavar="REQUEST|BIN")
@click.option("--to", metavar="URL", help="Where to send it; path and query below the bin are added.")
@click.option("--webhook", metavar="ID", help="A registered webhook to send it to instead.")
@click.option("--resign", is_flag=True, help="Sign it anew, in place of the signature it came with.")
@click.option("--times", type=click.IntRange(1), default=1, show_default=True, help="How often.")
@click.option(
    "--wait", type=click.FloatRange(0, 3600), default=30.0, show_default=True, help="Seconds to wait for outcomes."
)
@json_option
@remote_options
def replay(
    *,
    what: str,
    to: str | None,
    webhook: str | None,
    resign: bool,
    times: int,
    wait: float,
    as_json: bool,
    server: str,
    token: str | None,
) -> None:
    """Send a captured REQUEST on, or the newest of a BIN, as it came.

    Ends with 0 when everything was delivered, with 1 when something was not.
    """
    if (to is None) is (webhook is None):
        raise click.UsageError("say where to send it, with --to or with --webhook")
    target = {"destination": to} if webhook is None else {"webhook": webhook}
    wanted = {**target, "times": times, "signature": "fresh" if resign else "original"}

    def replay_it(remote: Remote) -> bool:
        id = what if what.startswith("req_") else _newest(remote, what)
        events: list[Any] = remote.post(f"/requests/{id}/replay", wanted)["events"]
        return tell_outcomes(remote, events, clock=CLOCK, wait=wait, say=say, tell=tell)

    def tell(attempt: Row) -> None:
        print_row(attempt, attempt_line, as_json=as_json)

    sys.exit(0 if with_remote(server, token, replay_it) else FAILED)


def _newest(remote: Remote, bin: str) -> str:
    for row in remote.rows(f"/bins/{bin}/requests", limit=1):
        return str(row["id"])
    raise RemoteError(f"the bin {bin} has captured nothing yet", wrong_input=True)
