"""The pytest plugin: what its fixture gives, what it costs who uses none, and the examples of docs/testing.md."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest

from hookbin.testing.harness import Answers, Harness, NotReceived
from hookbin.testing.running import RunningServer
from tests.support import ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()
EXAMPLES = dict(re.findall(r"^```python\n# (\w+\.py)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
TESTS = sorted(name for name in EXAMPLES if name.startswith("test_"))
NEEDS = {"test_shop.py": "fastapi", "test_receiver.py": "django"}
"""Frameworks, by the example that shows them."""
LACKING = {name: framework for name, framework in NEEDS.items() if find_spec(framework) is None}


def post(url: str, **options: Any) -> int:
    return httpx.post(url, trust_env=False, verify=False, **options).status_code


# The examples


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What pytest said of each example, as somebody who copied them all would see; empty of one that passed."""
    folder = tmp_path_factory.mktemp("examples")
    for name, content in EXAMPLES.items():
        (folder / name).write_text(content)
    runnable = [name for name in TESTS if name not in LACKING]
    command = [sys.executable, "-m", "pytest", "-p", "hookbin.testing.plugin", "--junitxml=report.xml", *runnable]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "NO_PROXY": "localhost",
    }
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=60)
    said: dict[str, str] = {}
    for case in ElementTree.parse(folder / "report.xml").iter("testcase"):
        name = f"{(case.get('classname') or case.get('name') or '').split('.')[0]}.py"
        said[name] = said.get(name, "") + "".join(problem.text or "" for problem in case)
    return said


@pytest.mark.parametrize("name", TESTS)
def test_an_example_passes(outcomes: dict[str, str], name: str) -> None:
    if name in LACKING:
        pytest.skip(f"{LACKING[name]} is not installed")

    assert outcomes[name] == ""


def test_every_example_is_found() -> None:
    assert PAGE.count("```python") == len(EXAMPLES)
    assert NEEDS.keys() <= set(TESTS)


# The fixture


def test_what_a_test_waits_for_in_vain_is_told_with_the_nearest_misses(hookbin: Harness) -> None:
    bin = hookbin.bin()
    post(f"{bin.url}/orders/1", json={"type": "order.made", "items": [{"id": 1}]})

    with pytest.raises(NotReceived) as failed:
        bin.wait_for(
            path="/orders/*", json={"type": "order.paid", "items": [{"id": 1}]}, header={"x-kind": "a"}, timeout=0
        )

    first, request, *lacks = str(failed.value).splitlines()
    assert first.startswith("0 of 1 wanted requests came within 0 s")
    assert request.startswith(f"POST /b/{bin.id}/orders/1  req_")
    assert lacks == ["  - header x-kind:a", "  + it is not there", '  - json type=="order.paid"', '  + "order.made"']


@pytest.mark.parametrize(
    ("answers", "statuses"),
    [(None, [200, 200]), (202, [202, 202]), ([503, {"status": 201}], [503, 201, 201]), ({"status": 418}, [418]),
     ("not-found", [404])],
)  # fmt: skip
def test_a_bin_answers_as_it_is_told(hookbin: Harness, answers: Answers | None, statuses: list[int]) -> None:
    bin = hookbin.bin(answers)

    assert [post(bin.url, content=bytes([255, place])) for place in range(len(statuses))] == statuses
    assert [request.content for request in bin.requests] == [bytes([255, place]) for place in range(len(statuses))]


def test_time_passes_for_what_may_be_sent_and_for_nothing_else(hookbin: Harness) -> None:
    bin, slow = hookbin.bin(500), hookbin.bin()
    failing = hookbin.webhook(to=bin, retry_schedule=[60, 3600])
    delivery = failing.publish("a.b")
    hookbin.advance(minutes=2)
    assert len(delivery.attempts) == 2
    hookbin.remote.patch(f"/webhooks/{failing.id}", {"paused": True})
    paced = hookbin.webhook(to=slow, rate_limit=1)

    deliveries = [paced.publish("c.d", number) for number in range(5)]
    hookbin.advance(hours=2)

    assert len(delivery.attempts) == 2
    assert [each.state for each in deliveries] == ["succeeded"] * 5


def test_what_a_test_made_goes_with_it_and_the_time_is_the_machine_s_again(hookbin_server: RunningServer) -> None:
    with Harness(hookbin_server) as first:
        delivery = first.webhook(to=first.bin(500)).publish("a.b")
        first.advance(days=400)
        later = first.now
        assert delivery.state == "failed"
    with Harness(hookbin_server) as second:
        bin = second.bin([500, 200])
        delivery = second.webhook(to=bin).publish("a.b")

        assert (later - second.now).days == 399
        assert [second.remote.get(path)["data"] for path in ("/bins", "/webhooks")] != [[], []]
        second.advance(seconds=2)
        assert [attempt.status for attempt in delivery.attempts] == [500, 200]
    assert [hookbin_server.remote.get(path)["data"] for path in ("/bins", "/webhooks")] == [[], []]


# What it costs


def test_pytest_loads_nothing_but_the_plugin_s_own_module() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import hookbin.testing.plugin;"
        "print(*(name for name in set(sys.modules) - before if name.partition('.')[0] not in sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)

    assert set(done.stdout.split()) == {"hookbin", "hookbin.testing", "hookbin.testing.plugin"}
