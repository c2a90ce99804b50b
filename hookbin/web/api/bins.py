"""Bins: make, list, read, change, delete."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct
from starlette.responses import Response

from hookbin.answers.checks import check_response, templates_of
from hookbin.answers.presets import PRESETS, Preset, preset
from hookbin.capture.trial import try_response
from hookbin.clock import parse_seq_id
from hookbin.errors import FieldsInvalid, NameTaken, RequestIncomplete, RequestMalformed, TargetRefused
from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin, Verify
from hookbin.names import check_bin_name
from hookbin.shapes.bins import BinChange, BinShape, BinVerify, NewBin
from hookbin.shapes.common import Page
from hookbin.shapes.trials import NewTrial, TrialShape
from hookbin.shapes.undo import Undoable, UndoQuery
from hookbin.signatures.schemes import scheme_named
from hookbin.signatures.verification import check_rule
from hookbin.web.api.targets import make_targets
from hookbin.web.api.undo import answer
from hookbin.web.rest import paging
from hookbin.web.rest.route import Call, raises
from hookbin.web.rest.services import Services


@raises(NameTaken, TargetRefused)
async def create(call: Call[None, NewBin]) -> BinShape:
    """Make a bin.

    Every field has a default; an empty body makes a bin whose address is its random id.
    """
    wanted, settings = call.body, call.site.settings
    response = await _checked_templates(_response(wanted), call.services)
    bin = await call.stores.bins.create(
        name=None if wanted.name is None else check_bin_name(wanted.name),
        response=BinResponse() if response is None else response,
        verify=None if wanted.verify is None else _verify(wanted.verify),
        max_requests=settings.max_requests if wanted.max_requests is UNSET else wanted.max_requests,
        max_age=settings.max_age if wanted.max_age is UNSET else wanted.max_age,
        forward=(lambda bin: make_targets(call.services, bin, wanted.forward)) if wanted.forward else None,
    )
    return call.stores.bin_shape(bin)


async def index(call: Call[paging.PageQuery, None]) -> Page[BinShape]:
    """List the bins.

    Newest first.
    """
    before = paging.before_number("bin_", call.query.cursor)
    newest_first = reversed(call.stores.bins.all())
    return paging.page(
        [bin for bin in newest_first if before is None or bin.key < before],
        limit=call.query.limit,
        cursor_of=lambda bin: paging.number_cursor("bin_", bin.key),
        shape=call.stores.bin_shape,
    )


class ReadQuery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    secret: Annotated[bool, Meta(description="Show the secret of `verify` whole.")] = False


async def read(call: Call[ReadQuery, None]) -> BinShape:
    """Read a bin.

    By name or id.
    """
    return call.stores.bin_shape(call.stores.bins.get(call.path["bin"]), with_secret=call.query.secret)


@raises(NameTaken, TargetRefused)
async def change(call: Call[None, BinChange]) -> BinShape:
    """Change a bin.

    What is left out stays as it is; null puts the default back.
    """
    bin = call.stores.bins.get(call.path["bin"])
    response = await _checked_templates(_response(call.body, before=bin.response), call.services)
    changes = _changes(call.body, call.services, bin) | ({} if response is None else {"response": response})
    forward = None
    if call.body.forward is not UNSET:
        as_changed = msgspec.structs.replace(bin, **changes)
        forward = make_targets(call.services, as_changed, call.body.forward or [])
    changed = await call.stores.bins.edit(bin, lambda now: msgspec.structs.replace(now, **changes), forward=forward)
    return call.stores.bin_shape(changed)


async def reset_sequence(call: Call[None, None]) -> BinShape:
    """Begin a sequence again.

    The next request gets the first step.
    """
    bin = call.stores.bins.get(call.path["bin"])
    return call.stores.bin_shape(await call.stores.bins.edit(bin, begin_again))


@raises(RequestIncomplete, RequestMalformed)
async def try_answer(call: Call[None, NewTrial]) -> TrialShape:
    """Try a response on a captured request.

    Says which part of it would answer, with what bytes, and why what stands before does not. Nothing is sent, kept or
    changed: no turn of the sequence is taken, and no chance thrown. Another response than the bin's begins at its first
    step.
    """
    bin, wanted = call.stores.bins.get(call.path["bin"]), call.body
    response = await _checked_templates(_response(wanted, before=bin.response), call.services) or bin.response
    seq = parse_seq_id("req_", wanted.request)
    request = None if seq is None else await call.stores.requests.get(seq)
    if request is None:
        raise FieldsInvalid(("request", f"no captured request has the id {wanted.request[:64]!r}"))
    return await try_response(
        response,
        request,
        position=call.stores.bins.sequence_position(bin) if response == bin.response else 0,
        chance=wanted.chance,
        templates=call.site.templates,
    )


async def presets(call: Call[None, None]) -> Page[Preset]:
    """List the presets.

    Responses by name, for `preset` of a bin.
    """
    return Page(data=list(PRESETS))


async def delete(call: Call[UndoQuery, None]) -> Undoable | Response:
    """Delete a bin.

    The bin and everything it captured are gone at once; with `undo` they are hidden, and it goes on capturing, until
    then.
    """
    bin, seconds = call.stores.bins.get(call.path["bin"]), call.query.undo
    if seconds is not None:
        return answer(await call.stores.pending_deletions.hide_bin(bin, seconds=seconds))
    await call.stores.bins.delete(bin)
    return answer(None)


def begin_again(bin: Bin) -> Bin:
    """The bin with its sequence at the first step."""
    return msgspec.structs.replace(bin, sequence_run=bin.sequence_run + 1)


def _response(wanted: NewBin | BinChange | NewTrial, *, before: BinResponse | None = None) -> BinResponse | None:
    """The response that is asked for, by itself or as a preset; None when none is.

    Raises `FieldsInvalid`. The secret of the handshake is never shown, so one that is left out is the one `before`.
    """
    if wanted.preset is not UNSET:
        if wanted.response is not UNSET:
            raise FieldsInvalid(("preset", "stands for a response, and one is given too; leave one of them out"))
        return preset(wanted.preset)
    if wanted.response is UNSET:
        return None
    if wanted.response is None:
        return BinResponse()
    return check_response(_with_secret(wanted.response, before))


async def _checked_templates(response: BinResponse | None, services: Services) -> BinResponse | None:
    """The response as given. Raises `FieldsInvalid` for each template that does not compile."""
    if response is None:
        return None
    errors = [
        (place, f"the template can't be used: {error}")
        for place, source in templates_of(response)
        if (error := await services.site.templates.check(source)) is not None
    ]
    if errors:
        raise FieldsInvalid(*errors)
    return response


def _with_secret(response: BinResponse, before: BinResponse | None) -> BinResponse:
    handshake = response.handshake
    if handshake is None or handshake.secret is not UNSET:
        return response
    known = None if before is None else before.handshake
    if known is None or known.provider is not handshake.provider:
        return response
    return msgspec.structs.replace(response, handshake=known)


def _verify(wanted: BinVerify, *, before: Verify | None = None) -> Verify:
    """Raises `FieldsInvalid`. A secret that is left out is the one `before`, of the same scheme."""
    wanted = msgspec.structs.replace(wanted, scheme=scheme_named(wanted.scheme))
    if wanted.secret is UNSET:
        if before is None or before.scheme != wanted.scheme:
            raise FieldsInvalid(("verify.secret", "is needed; copy it from the sender's settings"))
        wanted = msgspec.structs.replace(wanted, secret=before.secret)
    return check_rule(msgspec.convert(wanted, Verify, from_attributes=True))


def _changes(change: BinChange, services: Services, bin: Bin) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if change.name is not UNSET:
        changes["name"] = None if change.name is None else check_bin_name(change.name)
    if change.verify is not UNSET:
        changes["verify"] = None if change.verify is None else _verify(change.verify, before=bin.verify)
    if change.max_requests is not UNSET:
        changes["max_requests"] = change.max_requests or services.site.settings.max_requests
    if change.max_age is not UNSET:
        changes["max_age"] = change.max_age or services.site.settings.max_age
    return changes
