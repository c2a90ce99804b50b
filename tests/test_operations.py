"""For whoever runs the server: is it alive, can it write, what has it done."""

from __future__ import annotations

import resource
from collections.abc import Callable

import httpx
from prometheus_client.parser import text_string_to_metric_families

from hookbin import __version__
from tests.support import Server, eventually


def samples(server: Server) -> dict[str, float]:
    """Each sample by its name, with its labels behind it."""
    families = text_string_to_metric_families(server.call("GET", "/metrics").text)
    return {
        " ".join([sample.name, *sample.labels.values()]): sample.value
        for family in families
        for sample in family.samples
    }


def test_a_browser_is_sent_to_the_page(server: Server) -> None:
    response = server.call("GET", "/", accept="text/html,application/xhtml+xml,*/*;q=0.8")

    assert (response.status_code, response.headers["location"]) == (303, "/ui/")
    assert "303" in server.get("/openapi.json")["paths"]["/"]["get"]["responses"]


def test_a_program_gets_links_that_lead_somewhere(server: Server) -> None:
    index = server.get("/")

    assert (index["name"], index["version"]) == ("hookbin", __version__)
    links = {name: url for name, url in index["links"].items() if "{" not in url and name != "stream"}
    assert {
        name: server.call("GET", url.removeprefix(server.url)).status_code for name, url in links.items()
    } == dict.fromkeys(links, 200)


def test_crawlers_are_kept_out(server: Server) -> None:
    response = server.call("GET", "/robots.txt")

    assert response.text == "User-agent: *\nDisallow: /\n"
    assert response.headers["x-robots-tag"] == "noindex"


def test_the_metrics_count_what_happened(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.post("/bins", {"name": "broken", "response": {"status": 404}})
    server.register(f"{server.url}/b/fine")
    server.register(f"{server.url}/b/broken")
    eventually(lambda: not server.deliveries(state="pending"))

    eventually(lambda: samples(server).get("hookbin_attempts_total 4xx"))
    found = samples(server)

    assert server.call("GET", "/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
    assert found["hookbin_captures_total"] == 2
    assert found["hookbin_events_total"] == 3  # two pings, and `delivery.exhausted` of the one that failed
    assert found["hookbin_attempts_total 2xx"] == 1
    assert found["hookbin_deliveries_total succeeded"] == 1
    assert found["hookbin_deliveries_total failed"] == 1
    assert found["hookbin_attempt_duration_seconds_count"] == 2
    assert found["hookbin_attempts_in_flight"] == 0
    assert found["hookbin_writer_queue_bytes"] == 0
    assert found["hookbin_stream_subscribers"] == 0
    assert found["hookbin_commit_batch_size_count"] > 0


def test_errors_do_not_tell_which_library_answers(server: Server) -> None:
    headers = server.call("GET", "/nothing").headers

    assert "server" not in headers
    assert "x-powered-by" not in headers


def test_a_lack_of_our_own_is_told_as_ours_and_the_delivery_waits(start_server: Callable[..., Server]) -> None:
    server = start_server()
    server.register(f"{server.url}/b/reached", name="reached", ping=False)
    pid = server.pid
    with httpx.Client(base_url=server.url, trust_env=False, verify=False) as kept:
        kept.get("/healthz")  # no other connection can be made meanwhile
        used = server.descriptors_at_rest()
        limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        lowest_free = next(number for number in range(len(used) + 1) if number not in used)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
        try:
            kept.post("/events", json={"type": "a.b", "data": 1}).raise_for_status()
            eventually(lambda: "hookbin_attempts_postponed_total 0.0" not in kept.get("/metrics").text)
        finally:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)

    assert "no file descriptor left" in server.call("GET", "/ui/?show=problems").text
    (delivery,) = eventually(lambda: server.deliveries(state="succeeded"))
    assert delivery["attempt_count"] == 1
