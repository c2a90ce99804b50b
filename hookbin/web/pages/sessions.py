"""Who is signed in, each with a button that ends it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hookbin.shapes.sessions import session_shape
from hookbin.web.html.rendering import render
from hookbin.web.rest.routing import read_form
from hookbin.web.rest.services import services
from hookbin.web.rest.sessions import end_session, session_of

PATH = "/ui/sessions"


async def page(request: Request) -> Response:
    """The list; a form that names a session ends it."""
    s = services(request)
    if request.method == "POST":
        await end_session(s, dict(await read_form(request)).get("session", ""))
        return RedirectResponse(PATH, status_code=303)
    current = session_of(request)
    rows = [session_shape(each, current=each == current) for each in s.stores.sessions.all()]
    return render(request, "sessions.html", sessions=rows)
