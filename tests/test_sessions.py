"""Sessions of signed-in browsers: begun by the token, listed, ended, and safe from what bins answer."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import httpx
import pytest

from hookbin.answers.header_rules import complaint, without_ours
from hookbin.clock import Ids
from hookbin.models.common import SECOND
from hookbin.models.sessions import COOKIE, HTTPS_COOKIE
from hookbin.store.sessions import MAX_SESSIONS, SESSION_SECONDS, SessionStore
from tests.builders import Stores
from tests.support import FakeClock, Server
from tests.wire import check_problem

TOKEN = "correct-horse-battery-staple"
BEARER = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    database = tmp_path_factory.mktemp("sessions") / "hookbin.db"
    with Server(database, "--host", "0.0.0.0", "--trust-proxy", "127.0.0.1", env={"HOOKBIN_TOKEN": TOKEN}) as server:
        yield server


def sign_in(server: Server, **headers: str) -> str:
    """The cookie."""
    response = server.request("POST", "/ui/sign-in", data={"token": TOKEN}, headers=headers)
    assert response.status_code == 303
    cookie: str = response.headers["set-cookie"].partition(";")[0]
    return cookie


def status_with(server: Server, cookie: str, path: str = "/bins") -> int:
    return server.call("GET", path, cookie=cookie).status_code


def session_of(server: Server, cookie: str) -> dict[str, str]:
    listed = server.call("GET", "/sessions", cookie=cookie).json()["data"]
    (found,) = (each for each in listed if each["current"])
    return dict(found)


def test_an_exposed_server_advises_an_origin_for_its_bins(exposed: Server) -> None:
    assert "--bin-port" in exposed.log()


def test_every_sign_in_is_a_session_of_its_own_and_ends_alone(exposed: Server) -> None:
    first, second = sign_in(exposed), sign_in(exposed, **{"user-agent": "two"})

    assert first != second
    assert session_of(exposed, second)["user_agent"] == "two"
    assert session_of(exposed, second)["client"] == "127.0.0.1"
    out = exposed.call("POST", "/ui/sign-out", cookie=first)
    assert (out.status_code, out.headers["location"]) == (303, "/ui/sign-in")
    assert "max-age=0" in out.headers["set-cookie"].lower()
    assert status_with(exposed, first) == 401
    assert status_with(exposed, second) == 200


def test_a_session_is_ended_by_another_one_or_by_the_token(exposed: Server) -> None:
    mine, lost = sign_in(exposed), sign_in(exposed)
    id = session_of(exposed, lost)["id"]

    page = exposed.call("GET", "/ui/sessions", cookie=mine).text
    assert f'name="session" value="{id}"' in page
    ended = exposed.request("POST", "/ui/sessions", data={"session": id}, headers={"cookie": mine})

    assert (ended.status_code, ended.headers["location"]) == (303, "/ui/sessions")
    assert status_with(exposed, lost) == 401
    mine_id = session_of(exposed, mine)["id"]
    assert exposed.call("DELETE", f"/sessions/{mine_id}", **BEARER).status_code == 204
    assert status_with(exposed, mine, "/ui/") == 303
    check_problem(exposed.call("DELETE", f"/sessions/{mine_id}", **BEARER), 404, "session_not_found")


def test_the_stream_of_a_session_ends_with_it(exposed: Server) -> None:
    cookie = sign_in(exposed)
    with httpx.stream("GET", f"{exposed.url}/stream", headers={"cookie": cookie}, timeout=20, trust_env=False) as live:
        lines = live.iter_lines()
        assert next(lines).startswith("retry")
        exposed.call("POST", "/ui/sign-out", cookie=cookie)

        assert list(lines) == [""]


def test_the_stream_of_a_session_ends_when_another_took_its_place(exposed: Server) -> None:
    cookie = sign_in(exposed)
    with httpx.stream("GET", f"{exposed.url}/stream", headers={"cookie": cookie}, timeout=20, trust_env=False) as live:
        lines = live.iter_lines()
        assert next(lines).startswith("retry")
        for _ in range(MAX_SESSIONS):
            sign_in(exposed)

        assert list(islice(lines, 2)) == [""], "the end, and no ping"


def test_the_cookie_has_the_name_that_no_one_else_can_set_where_the_browser_came_by_https(exposed: Server) -> None:
    asked = {"x-forwarded-proto": "https", "x-forwarded-for": "198.51.100.1"}

    response = exposed.request("POST", "/ui/sign-in", data={"token": TOKEN}, headers=asked)

    cookie, *attributes = (part.strip() for part in response.headers["set-cookie"].split(";"))
    assert cookie.startswith(f"{HTTPS_COOKIE}=")
    assert {"Secure", "Path=/", "HttpOnly"} <= set(attributes)
    assert not any(attribute.lower().startswith("domain") for attribute in attributes)
    assert session_of(exposed, cookie)["client"] == "198.51.100.1"


def test_a_cookie_of_the_same_name_from_elsewhere_shadows_nothing(exposed: Server) -> None:
    cookie = sign_in(exposed)

    for shadowed in (f"{COOKIE}=x; a=b; {cookie}; {COOKIE}=y", f"{HTTPS_COOKIE}=x;{cookie}"):
        assert status_with(exposed, shadowed) == 200
    assert status_with(exposed, f"{COOKIE}=x; {COOKIE}=") == 401


def sessions_of(stores: Stores, token: str = TOKEN, *, clock: FakeClock | None = None) -> SessionStore:
    clock = clock or FakeClock()
    return SessionStore(stores.database, token=token, clock=clock, ids=Ids(clock))


@pytest.mark.anyio
async def test_sessions_survive_a_restart_but_not_another_token(stores: Stores) -> None:
    before, after, other = sessions_of(stores), sessions_of(stores), sessions_of(stores, "another token")
    kept, ended = [await before.begin(client="::1", user_agent="é") for _ in range(2)]
    found = before.find(ended)
    assert found is not None
    await before.end(found.id)
    await after.load()
    await other.load()

    assert [after.find(kept), after.find(ended)] == [before.find(kept), None]
    assert other.find(kept) is None
    assert kept not in str(await stores.database.read("SELECT * FROM sessions"))
    await other.begin(client="::1", user_agent="")
    assert await stores.database.read("SELECT count(*) FROM sessions") == [(1,)]


@pytest.mark.anyio
async def test_a_session_expires_and_the_oldest_gives_way(stores: Stores) -> None:
    clock = FakeClock()
    sessions = sessions_of(stores, clock=clock)
    secrets = []
    for _ in range(MAX_SESSIONS + 1):
        secrets.append(await sessions.begin(client="127.0.0.1", user_agent="a browser"))
        clock.advance(1)

    assert sessions.find(secrets[0]) is None
    assert [each.created_at for each in sessions.all()] == sorted(each.created_at for each in sessions.all())[::-1]
    assert len(sessions.all()) == MAX_SESSIONS
    clock.set(SESSION_SECONDS - 2)
    assert sessions.find(secrets[-2]) is None
    last = sessions.find(secrets[-1])
    assert last is not None
    assert last.expires_at - last.created_at == SESSION_SECONDS * SECOND
    assert sessions.all() == [last]


SHADOWS = [
    f"{COOKIE}=x; Path=/",
    f"{HTTPS_COOKIE}=x; Secure; Path=/",
    f"={COOKIE}=x",
    f" \t{COOKIE.upper()} =x",
    f"{COOKIE}; Path=/",
]


@pytest.mark.parametrize("value", SHADOWS)
def test_no_bin_can_be_saved_that_sets_our_cookie(server: Server, value: str) -> None:
    response = server.post("/bins", {"response": {"headers": [["Set-Cookie", value.strip()]]}})

    check_problem(response, 422, "invalid_fields", loc="response.headers[0]")
    assert complaint("SET-COOKIE", value)
    assert without_ours((("set-cookie", value), ("Service-Worker-Allowed", "/"), ("a", "b"))) == (("a", "b"),)


@pytest.mark.parametrize("name", ["Service-Worker-Allowed", "Clear-Site-Data"])
def test_no_bin_can_reach_beyond_its_path(server: Server, name: str) -> None:
    response = server.post("/bins", {"response": {"headers": [[name, "/"]]}})

    check_problem(response, 422, "invalid_fields", loc="response.headers[0]")


def test_a_template_can_set_a_cookie_but_not_ours(server: Server) -> None:
    response = {"template": True, "headers": [["set-cookie", "{{ request.query.name }}=1"]]}
    server.post("/bins", {"name": "baker", "response": response})

    assert server.call("GET", "/b/baker?name=theirs").headers["set-cookie"] == "theirs=1"
    refused = server.call("GET", f"/b/baker?name={COOKIE}")
    assert (refused.status_code, "set-cookie" in refused.headers) == (500, False)
    assert "hookbin's own" in refused.text
