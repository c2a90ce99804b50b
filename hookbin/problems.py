"""An error as status, header fields and bytes: the one table of statuses, and `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from hookbin import errors

STATUS: dict[type[errors.HookbinError], int] = {
    errors.HookbinError: 500,
    errors.InvalidInput: 400,
    errors.UnsupportedMediaType: 415,
    errors.BodyTooLarge: 413,
    errors.HeadTooLarge: 431,
    errors.FieldsInvalid: 422,
    errors.TargetRefused: 422,
    errors.HandshakeRefused: 422,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.SenderTimedOut: 408,
    errors.WaitTimedOut: 408,
    errors.Conflict: 409,
    errors.Refused: 403,
    errors.Unauthorized: 401,
    errors.HostRefused: 421,
    errors.BinsElsewhere: 421,
    errors.Unavailable: 503,
    errors.TooManyTries: 429,
    errors.StorageFailed: 507,
}
"""A class that is not here has the status of the nearest one above it."""

RETRY_AFTER = "1"
MEDIA_TYPE = "application/problem+json"


class FieldError(Struct, frozen=True, kw_only=True):
    loc: str
    msg: str


class NearMiss(Struct, frozen=True, kw_only=True):
    """A captured request that was not as wanted."""

    id: str
    method: str
    target: str
    failed: list[str]
    """Each condition that it does not meet, and what it has instead."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """RFC 9457. `code` is stable and listed in docs/errors.md."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []
    nearest: list[NearMiss] = []


class ProblemAnswer(Struct, frozen=True):
    """A problem as any server can send it."""

    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


def status_of(error: type[errors.HookbinError]) -> int:
    return next(STATUS[ancestor] for ancestor in error.__mro__ if ancestor in STATUS)


def problem(error: errors.HookbinError) -> Problem:
    fields = error.errors if isinstance(error, errors.InvalidInput) else ()
    return Problem(
        type=f"urn:hookbin:error:{error.code}",
        title=error.title,
        status=status_of(type(error)),
        detail=error.detail,
        code=error.code,
        errors=[FieldError(loc=loc, msg=msg) for loc, msg in fields],
        nearest=_nearest(error),
    )


def _nearest(error: errors.HookbinError) -> list[NearMiss]:
    if not isinstance(error, errors.WaitTimedOut):
        return []
    return [
        NearMiss(id=id, method=method, target=target, failed=list(complaints))
        for id, method, target, complaints in error.nearest
    ]


def problem_answer(error: errors.HookbinError) -> ProblemAnswer:
    """The error as JSON, with the header fields that its status asks for (RFC 9110)."""
    shape = problem(error)
    body = msgspec.json.encode(shape)
    length = (b"content-length", b"%d" % len(body))
    return ProblemAnswer(shape.status, [(b"content-type", MEDIA_TYPE.encode()), length, *_fields(error)], body)


def _fields(error: errors.HookbinError) -> list[tuple[bytes, bytes]]:
    match error:
        case errors.Unauthorized():
            return [(b"www-authenticate", b'Bearer realm="hookbin"')]
        case errors.MethodNotAllowed():
            return [(b"allow", ", ".join(error.allow).encode())]
        case errors.Unavailable() if not isinstance(error, errors.StorageFailed):
            return [(b"retry-after", RETRY_AFTER.encode())]
        case _:
            return []
