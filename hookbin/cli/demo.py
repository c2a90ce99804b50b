"""`hookbin demo`: a small living system in a running hookbin, made and taken away."""

from __future__ import annotations

import click
from click.core import ParameterSource

from hookbin.cli.options import remote_options, with_remote
from hookbin.client.demo import build, remove_all


@click.command()
@click.option("--remove", is_flag=True, help="Delete what it made.")
@remote_options
def demo(*, remove: bool, server: str, token: str | None) -> None:
    """Make a small living system in a running hookbin: a steady bin, a flaky one, a dead one, with heartbeats to each.

    The bins are named demo-steady, demo-flaky and demo-dead. Run it again to put things right.
    """
    if remove:
        count = with_remote(server, token, remove_all)
        click.echo(f"{count} bins and webhooks deleted" if count else "there was nothing to delete")
        return
    for line in with_remote(server, token, build):
        click.echo(line)
    click.echo(
        f"\nAll of it live: {server.rstrip('/')}/ui/    Take it away again: hookbin demo --remove{_elsewhere(server)}"
    )


def _elsewhere(server: str) -> str:
    """What has to be added to a command that is to reach the same server."""
    source = click.get_current_context().get_parameter_source("server")
    return f" --server {server}" if source is ParameterSource.COMMANDLINE else ""
