"""The command line: `hookbin` and its commands, a module each."""

from __future__ import annotations

import click

from hookbin import __version__
from hookbin.cli.demo import demo
from hookbin.cli.send import send
from hookbin.cli.serve import serve

COMMANDS = (serve, send, demo)


class _ServeByDefault(click.Group):
    """Bare `hookbin` is `hookbin serve`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        own = {name for option in self.get_params(ctx) for name in option.opts}
        if not args or (args[0].startswith("-") and args[0] not in own):
            args = ["serve", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_ServeByDefault, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="hookbin %(version)s")
def main() -> None:
    """Both ends of a webhook in one process: it sends, it receives, and a page shows both live.

    Without a command it serves; `hookbin serve --help` lists the settings.
    """


for command in COMMANDS:
    main.add_command(command)
