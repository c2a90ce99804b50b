"""Who is signed in, and ending it."""

from __future__ import annotations

from hookbin.shapes.common import Page
from hookbin.shapes.sessions import SessionShape, session_shape
from hookbin.web.rest.route import Call
from hookbin.web.rest.sessions import end_session, session_of


async def index(call: Call[None, None]) -> Page[SessionShape]:
    """Who is signed in?

    Each sign-in by the page is one, for 30 days or until it signs out; the newest first. None where no token is
    asked for.
    """
    current = session_of(call.request)
    return Page(data=[session_shape(each, current=each == current) for each in call.stores.sessions.all()])


async def end(call: Call[None, None]) -> None:
    """Sign somebody out.

    What its cookie proves ends at once, and the streams that it follows.
    """
    await end_session(call.services, call.path["session"])
