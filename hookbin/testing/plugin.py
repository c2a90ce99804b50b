"""The pytest plugin. pytest loads it in every run, so it imports what is hookbin's when a test asks for that."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hookbin.testing.harness import Harness
    from hookbin.testing.running import RunningServer


@pytest.fixture(scope="session")
def hookbin_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server of this run, with a database of its own; with xdist each worker has one."""
    database = tmp_path_factory.mktemp("hookbin") / "hookbin.db"
    with import_module("hookbin.testing.running").RunningServer(database) as server:
        yield server


@pytest.fixture
def hookbin(hookbin_server: RunningServer) -> Iterator[Harness]:
    """A running hookbin: bins that catch what is sent, webhooks that send, and time that can pass at once."""
    with import_module("hookbin.testing.harness").Harness(hookbin_server) as harness:
        yield harness
