"""The command line: `hookbin` and its commands, a module each."""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from hookbin import __version__
from hookbin.cli.backup import backup
from hookbin.cli.check import check
from hookbin.cli.completion import completion
from hookbin.cli.demo import demo
from hookbin.cli.export import export
from hookbin.cli.healthcheck import healthcheck
from hookbin.cli.lists import deliveries, requests
from hookbin.cli.options import INTERRUPTED, NO_READER, give_up
from hookbin.cli.replay import replay
from hookbin.cli.send import send
from hookbin.cli.serve import serve
from hookbin.cli.tail import tail
from hookbin.cli.wait import wait

COMMANDS = (serve, send, demo, tail, wait, requests, deliveries, replay, export, backup, check, healthcheck, completion)


class _Commands(click.Group):
    """Bare `hookbin` is `hookbin serve`. A command that is broken off says so in a sentence."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["serve", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            give_up("stopped", code=INTERRUPTED)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to flush goes nowhere
            give_up("nobody reads the output any more", code=NO_READER)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="hookbin %(version)s")
def main() -> None:
    """Both ends of a webhook in one process: it sends, it receives, and a page shows both live.

    Without a command it serves; `hookbin serve --help` lists the settings.
    """


for command in COMMANDS:
    main.add_command(command)
