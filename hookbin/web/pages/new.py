"""What is new is made here: a bin, a webhook, or both; by forms that need no JavaScript."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hookbin.delivery import samples
from hookbin.delivery.retries import SCHEDULES
from hookbin.errors import FieldsInvalid, NameTaken, TargetRefused
from hookbin.names import MAX_BIN_NAME
from hookbin.shapes.bins import NewBin
from hookbin.shapes.webhooks import NewWebhook
from hookbin.web.api import bins, webhooks
from hookbin.web.api.options import read_schedule
from hookbin.web.html.axis import TimeAxis, planned_axis
from hookbin.web.html.rendering import render
from hookbin.web.rest.route import Call
from hookbin.web.rest.routing import decode_json, read_form
from hookbin.web.rest.services import Services, services

_FIELD_OF = {NameTaken: "name", TargetRefused: "destination"}
"""Where a refusal that names no field belongs."""


class Draft(Struct, frozen=True, kw_only=True):
    """What stands in the forms, and what is wrong with it."""

    name: str = ""
    """Of a bin or a webhook, as `make` says."""
    preset: str = ""
    destination: str = ""
    events: tuple[str, ...] = ()
    signature_style: str = "standard"
    retry_schedule: str = ""
    make: str = ""
    """`bin`, `webhook` or `both`; nothing when nothing was to be made yet."""
    complaints: Mapping[str, str] = {}
    """By field."""

    def complaint(self, field: str, *, about: str) -> str:
        """What is wrong with a field of the form that makes `about`."""
        asked = "bin" if self.make == "bin" else "webhook"
        return self.complaints.get(field, "") if about == asked else ""


async def page(request: Request) -> Response:
    """The forms, filled in with what the query says; what one of them sends is made."""
    s = services(request)
    if request.method != "POST":
        return _show(request, _drawn(s, _draft(request.query_params.multi_items())))
    draft = _draft(await read_form(request))
    try:
        return RedirectResponse(await _made(request, draft), status_code=303)
    except FieldsInvalid as error:
        # The first of a field is said, that of an item at its list: `events[0]` at `events`.
        complaints = {loc.partition("[")[0]: msg for loc, msg in reversed(error.errors)}
    except (NameTaken, TargetRefused) as error:
        complaints = {_FIELD_OF[type(error)]: error.detail}
    return _show(request, msgspec.structs.replace(draft, complaints=complaints), status=422)


def forms(s: Services, draft: Draft) -> dict[str, Any]:
    """What the forms need besides, on whichever page they stand."""
    return {
        "draft": draft,
        "axis": _axis(s, draft),
        "schedules": tuple(SCHEDULES),
        "event_types": [sample.type for sample in samples.SAMPLES],
        "suggested": s.site.ids.bin().removeprefix("bin_") if s.site.settings.creates_bins else None,
        "url_of": s.site.addresses.of_bin,
    }


def _show(request: Request, draft: Draft, *, status: int = 200) -> Response:
    return render(request, "new.html", status=status, **forms(services(request), draft))


def _draft(pairs: Sequence[tuple[str, str]]) -> Draft:
    """What a query or a form says; fields that it does not know are nothing to it."""
    values = {name: value.strip() for name, value in pairs}
    events = [word.strip() for name, value in pairs if name == "events" for word in re.split(r"[\n,]", value)]
    known = {name: values[name] for name in Draft.__struct_fields__ if name in values and name != "complaints"}
    return msgspec.convert({**known, "events": list(dict.fromkeys(filter(None, events)))}, Draft)


def _drawn(s: Services, draft: Draft) -> Draft:
    """The draft with what is wrong with its retries, which are told while they are typed."""
    try:
        read_schedule(s.site.settings, draft.retry_schedule or None)
    except FieldsInvalid as error:
        return msgspec.structs.replace(draft, complaints=dict(error.errors))
    return draft


def _axis(s: Services, draft: Draft) -> TimeAxis | None:
    """The attempts that the retries would make; None when they can't be read."""
    try:
        return planned_axis(read_schedule(s.site.settings, draft.retry_schedule or None))
    except FieldsInvalid:
        return None


async def _made(request: Request, draft: Draft) -> str:
    """Makes what is asked for and gives the path of its page. Raises what the API does."""
    if draft.make == "bin":
        return f"/ui/bins/{await _make_bin(request, name=draft.name, preset=draft.preset)}"
    s = services(request)
    own = _bin_name(s, draft.name) if draft.make == "both" else None
    if own is not None and draft.destination:
        raise FieldsInvalid(("destination", "leave it empty: a bin is made for it"))
    wanted = {
        "name": draft.name,
        "destination": draft.destination if own is None else s.site.addresses.of_bin(own),
        "events": draft.events or ["*"],
        "signature_style": draft.signature_style,
        "retry_schedule": draft.retry_schedule or None,
    }
    body = decode_json(msgspec.json.encode(wanted), NewWebhook)
    if own is not None:
        webhooks.values_of(body, s)  # so that no bin is left behind by a webhook that can't be
        await _make_bin(request, name=own)
    webhook = await webhooks.create(Call(request, s, query=None, body=body))
    return "/ui/" if own is not None else f"/ui/webhooks/{webhook.id}"


async def _make_bin(request: Request, *, name: str, preset: str = "") -> str:
    """The name or id of a new bin."""
    wanted = {"name": name or None, **({"preset": preset} if preset else {})}
    body = decode_json(msgspec.json.encode(wanted), NewBin)
    bin = await bins.create(Call(request, services(request), query=None, body=body))
    return bin.name or bin.id


def _bin_name(s: Services, webhook: str) -> str:
    """A name that no bin has: the webhook's, as far as it is one."""
    name = re.sub(r"[^a-z0-9]+", "-", webhook.lower()).strip("-")[:MAX_BIN_NAME]
    free = name and s.stores.bins.find(name) is None
    return name if free else s.site.ids.bin().removeprefix("bin_")
