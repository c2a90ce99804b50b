"""The fixtures that more than one module uses."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from hookbin.testing.plugin import hookbin as hookbin
from hookbin.testing.plugin import hookbin_server as hookbin_server
from tests.browsing import DESKTOP, Watched, every_page
from tests.builders import Stores, Workshop, open_stores, open_workshop
from tests.support import Server

expect.set_options(timeout=20_000)  # a page that is right in the end is right, also beside other work
os.environ["HOOKBIN_BALLAST"] = "0"  # each of the many servers would keep its 64 MiB


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for the whole module, with its `SERVER_FLAGS`; use names of your own, others have been there."""
    flags = getattr(request.module, "SERVER_FLAGS", ())
    with Server(tmp_path_factory.mktemp("server") / "hookbin.db", *flags) as server:
        yield server


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts servers with flags of one's own; the second one on the same database finds what the first left."""
    with ExitStack() as stack:

        def start(*flags: str, name: str = "hookbin.db", env: dict[str, str] | None = None) -> Server:
            return stack.enter_context(Server(tmp_path / name, *flags, env=env))

        yield start


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all modules of a worker."""
    with sync_playwright() as playwright:
        loop = asyncio.get_running_loop()
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        yield chromium
        asyncio._set_running_loop(loop)  # the last test of all may have hidden it
        chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Hide Playwright's event loop from tests that have none of it to do: between its calls it only seems to run."""
    if "browser" in getattr(item, "fixturenames", ()):
        return (yield)
    loop = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        return (yield)
    finally:
        asyncio._set_running_loop(loop)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport=DESKTOP) as context:
        yield context


@pytest.fixture
def watched(context: BrowserContext) -> Iterator[Watched]:
    """A page that must not have given the browser anything to complain about."""
    watched = Watched(context.new_page())
    yield watched
    assert watched.complaints == []


@pytest.fixture
def page(watched: Watched) -> Page:
    return watched.page


@pytest.fixture(scope="module")
def pages(server: Server) -> dict[str, str]:
    """The path of each page of the module's server."""
    return every_page(server)


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Workshop]:
    """Stores with a dispatcher at work."""
    async with open_workshop(tmp_path / "hookbin.db") as shop:
        yield shop


@pytest.fixture
async def stores(tmp_path: Path) -> AsyncIterator[Stores]:
    """An open database with all its stores, and a clock that stands still."""
    async with open_stores(tmp_path / "hookbin.db") as stores:
        yield stores
