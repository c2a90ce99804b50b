"""`hookbin check`: a database file looked at without a server, and without changing it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import msgspec

from hookbin.app import default_database
from hookbin.cli.options import FAILED, WRONG_INPUT, give_up, json_option
from hookbin.errors import StartError
from hookbin.logs import printable
from hookbin.store.check import Report, examine
from hookbin.text import size_text


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option
def check(*, file: Path | None, as_json: bool) -> None:
    """Tell whether the database FILE is sound, what it holds, and how to repair what is not.

    Without FILE, the one that `serve` takes by default. Nothing is changed. Ends with 1 when something is wrong.
    """
    path = file or default_database()
    try:
        report = examine(path)
    except StartError as error:
        give_up(error.detail, code=WRONG_INPUT)
    if as_json:
        click.echo(json.dumps(msgspec.to_builtins(report)))
    else:
        for line in _lines(path, report):
            click.echo(printable(line))
    sys.exit(FAILED if report.findings else 0)


def _lines(path: Path, report: Report) -> list[str]:
    rows = ", ".join(f"{count} {table}" for table, count in report.counts.items())
    found = [line for finding in report.findings for line in (f"wrong: {finding.what}", f"  {finding.repair}")]
    return [f"{path}: {size_text(report.size)}, {rows}", *report.notes, *(found or ["sound"])]
