"""Running the application under uvicorn, and stopping it so that nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import uvicorn

from hookbin.app import Hookbin
from hookbin.wire.connections import Connections, room_for
from hookbin.wire.server import WireProtocol

GRACE_SECONDS = 1
"""What open connections get when the server stops, after the deliveries were drained."""


def run(app: Hookbin, listeners: list[socket.socket], *, on_started: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM. Raises `StartError` when the database can't be used."""
    config = config_for(app)
    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(_serve(app, config, listeners, on_started))


def config_for(app: Hookbin) -> uvicorn.Config:
    settings, bin_port = app.services.site.settings, app.services.site.addresses.bin_port
    watch = Connections(
        most=room_for(settings.max_connections),
        patience=settings.sender_timeout,
        is_proxy=app.proxies.trusts,
        comes_first=app.comes_first,
    )
    return uvicorn.Config(
        app,
        http=cast(Any, partial(WireProtocol, watch=watch, lane=app.lane, lane_port=bin_port, refused=app.refused)),
        loop="auto",
        ws="none",  # or an Upgrade request would never reach a bin
        lifespan="off",  # `_serve` opens the application itself, to tell in one line why it can't
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # `wire.forwarded` reads them
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


class Server(uvicorn.Server):
    """Before the listening socket closes, the application gets to finish what it sends."""

    def __init__(self, config: uvicorn.Config, app: Hookbin, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._app = app
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await self._app.wind_down()
        await super().shutdown(sockets)
        if self.server_state.tasks:  # cancelled by now; what came of their bodies is still to be kept
            await asyncio.wait(self.server_state.tasks, timeout=GRACE_SECONDS)


async def _serve(
    app: Hookbin, config: uvicorn.Config, listeners: list[socket.socket], on_started: Callable[[], None]
) -> None:
    async with app.running():
        _collect_rarely()
        # uvicorn raises the signal again when it is done; by then the database is still to be closed.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: None)
        await Server(config, app, on_started).serve(sockets=listeners)


def _collect_rarely() -> None:
    """Leave what is there for good out of the garbage collection, and make it rarer.

    A capture leaves no cycles behind; with the default thresholds a profile under load showed about a
    tenth of the time going into looking for some.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 10, 10)
