"""The error tree; one code for each failure that a user can meet.

    HookbinError
    ├── InvalidInput            what was sent can't be understood or isn't allowed
    │   ├── NoBody, BrokenJson, UnsupportedMediaType, BodyTooLarge
    │   ├── MalformedRequest, HeadTooLarge      what is no HTTP, or too much of it
    │   ├── FieldsInvalid       carries errors: (loc, msg) pairs
    │   ├── TargetRefused       a destination that policy forbids
    │   └── HandshakeRefused    a destination that does not agree to be sent to
    ├── NotFound                BinNotFound, RequestNotFound, WebhookNotFound, ...
    ├── Conflict                NameTaken, IdempotencyMismatch, LoopDetected, NotRetryable, ...
    ├── SenderTimedOut          what was begun did not come to its end in time
    ├── WaitTimedOut            carries the nearest misses
    ├── Refused                 Unauthorized, HostRefused, OriginRefused, BinsElsewhere
    ├── Unavailable             Overloaded, ViewsBusy, BackupUnderWay, NotReady, OutOfResources, ShuttingDown,
    │   │                       TooManyTries
    │   └── StorageFailed       DatabaseLost, DatabaseUnreadable
    └── StartError              hookbin could not start (command line, exit code 3)

The HTTP status of each code stands in `hookbin.problems`, nowhere else.
"""

from __future__ import annotations

import re
from typing import ClassVar


class HookbinError(Exception):
    """The root. `detail` is one sentence for a person, with the next step in it.

    The code of a class is its name in small letters and words, unless it gives another.
    """

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def __init_subclass__(cls) -> None:
        if "code" not in vars(cls):
            cls.code = re.sub(r"\B([A-Z])", r"_\1", cls.__name__).lower()


class InvalidInput(HookbinError):
    """`errors` holds one `(loc, msg)` for each field that is known to be wrong; `loc` names the only one."""

    title = "The input can't be used"

    def __init__(self, detail: str, *, loc: str | None = None) -> None:
        super().__init__(detail)
        self.errors: tuple[tuple[str, str], ...] = () if loc is None else ((loc, detail),)


class NoBody(InvalidInput):
    title = "A body is needed"


class BrokenJson(InvalidInput):
    title = "The body is not JSON"


class UnsupportedMediaType(InvalidInput):
    title = "The content type can't be read here"


class BodyTooLarge(InvalidInput):
    title = "The body is too large"


class MalformedRequest(InvalidInput):
    title = "This is no HTTP"


class HeadTooLarge(InvalidInput):
    title = "The request line and headers are too large"


class FieldsInvalid(InvalidInput):
    code = "invalid_fields"
    title = "Some fields are not valid"

    def __init__(self, *errors: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{loc}: {msg}" for loc, msg in errors))
        self.errors = errors


class TargetRefused(InvalidInput):
    title = "This destination may not be called"


class HandshakeRefused(InvalidInput):
    title = "The destination has not agreed"


class NotFound(HookbinError):
    title = "Nothing is here"


class BinNotFound(NotFound):
    title = "There is no such bin"


class RequestNotFound(NotFound):
    title = "There is no such captured request"


class ViewNotFound(NotFound):
    title = "This body can't be seen so"


class PartNotFound(NotFound):
    title = "The body has no such part"


class WebhookNotFound(NotFound):
    title = "There is no such webhook"


class EventNotFound(NotFound):
    title = "There is no such event"


class DeliveryNotFound(NotFound):
    title = "There is no such delivery"


class UndoNotFound(NotFound):
    title = "There is nothing to undo"


class SessionNotFound(NotFound):
    code = "session_not_found"
    title = "There is no such session"


class MethodNotAllowed(HookbinError):
    """`allow` lists the methods that the resource does have."""

    title = "This method is not possible here"

    def __init__(self, detail: str, *, allow: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allow = allow


class Conflict(HookbinError):
    title = "This clashes with what is there"


class NameTaken(Conflict):
    title = "The name is taken"


class IdempotencyMismatch(Conflict):
    title = "The idempotency key was used for another event"


class LoopDetected(Conflict):
    title = "This event goes in a circle"


class NotRetryable(Conflict):
    title = "This delivery can't be retried"


class NotCancellable(Conflict):
    title = "This delivery can't be cancelled"


class WebhookDisabled(Conflict):
    title = "The webhook is disabled"


class RequestIncomplete(Conflict):
    title = "The captured request is not whole"


class RequestMalformed(Conflict):
    title = "What was captured is no HTTP request"


class AttemptInFlight(Conflict):
    title = "An attempt is under way"


class SenderTimedOut(HookbinError):
    title = "The request did not come to its end in time"


class WaitTimedOut(HookbinError):
    """`nearest` holds `(id, method, target, complaints)` of requests that were nearly as wanted."""

    title = "The requests that were waited for did not come"

    def __init__(self, detail: str, *, nearest: tuple[tuple[str, str, str, tuple[str, ...]], ...]) -> None:
        super().__init__(detail)
        self.nearest = nearest


class TooManyPinned(Conflict):
    title = "No more requests of this bin can be pinned"


class Refused(HookbinError):
    title = "This may not be done"


class Unauthorized(Refused):
    title = "A token is needed"


class HostRefused(Refused):
    title = "The Host header names another server"


class OriginRefused(Refused):
    title = "Another site's page may not do this"


class BinsElsewhere(Refused):
    code = "bins_elsewhere"
    title = "The bins have a port of their own"


class Unavailable(HookbinError):
    title = "Not now"


class Overloaded(Unavailable):
    title = "Too much is waiting to be written"


class ViewsBusy(Unavailable):
    title = "Too many bodies are being looked at"


class TooManyWaiting(Unavailable):
    title = "Too many calls wait for requests"


class BackupUnderWay(Unavailable):
    title = "A backup is under way"


class TooManyTries(Unavailable):
    title = "Too many wrong tokens"


class StorageFailed(Unavailable):
    title = "The database could not be written"


class DatabaseLost(StorageFailed):
    """The files are no longer those that were opened: nothing is written, so that nothing is made worse."""

    title = "The database's files were changed from outside"


class DatabaseUnreadable(StorageFailed):
    title = "The database could not be read"


class NotReady(Unavailable):
    title = "Nothing can be kept just now"


class OutOfResources(Unavailable):
    """What this process or its machine lacks, so that a request can't be sent: no failure of the destination's."""

    title = "Nothing can be sent just now"


class ShuttingDown(Unavailable):
    title = "hookbin is stopping"


class StartError(HookbinError):
    title = "hookbin could not start"
