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
    ├── Refused                 Unauthorized, HostRefused, OriginRefused
    ├── Unavailable             Overloaded, ViewsBusy, NotReady, OutOfResources, ShuttingDown, TooManyTries
    │   └── StorageFailed       DatabaseLost, DatabaseUnreadable
    └── StartError              hookbin could not start (command line, exit code 3)

The HTTP status of each code stands in `hookbin.problems`, nowhere else.
"""

from __future__ import annotations

from typing import ClassVar


class HookbinError(Exception):
    """The root. `detail` is one sentence for a person, with the next step in it."""

    code: ClassVar[str] = "error"
    title: ClassVar[str] = "Something went wrong"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class InvalidInput(HookbinError):
    """`errors` holds one `(loc, msg)` for each field that is known to be wrong; `loc` names the only one."""

    code = "invalid_input"
    title = "The input can't be used"

    def __init__(self, detail: str, *, loc: str | None = None) -> None:
        super().__init__(detail)
        self.errors: tuple[tuple[str, str], ...] = () if loc is None else ((loc, detail),)


class NoBody(InvalidInput):
    code = "no_body"
    title = "A body is needed"


class BrokenJson(InvalidInput):
    code = "broken_json"
    title = "The body is not JSON"


class UnsupportedMediaType(InvalidInput):
    code = "unsupported_media_type"
    title = "The content type can't be read here"


class BodyTooLarge(InvalidInput):
    code = "body_too_large"
    title = "The body is too large"


class MalformedRequest(InvalidInput):
    code = "malformed_request"
    title = "This is no HTTP"


class HeadTooLarge(InvalidInput):
    code = "head_too_large"
    title = "The request line and headers are too large"


class FieldsInvalid(InvalidInput):
    code = "invalid_fields"
    title = "Some fields are not valid"

    def __init__(self, *errors: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{loc}: {msg}" for loc, msg in errors))
        self.errors = errors


class TargetRefused(InvalidInput):
    code = "target_refused"
    title = "This destination may not be called"


class HandshakeRefused(InvalidInput):
    code = "handshake_refused"
    title = "The destination has not agreed"


class NotFound(HookbinError):
    code = "not_found"
    title = "Nothing is here"


class BinNotFound(NotFound):
    code = "bin_not_found"
    title = "There is no such bin"


class RequestNotFound(NotFound):
    code = "request_not_found"
    title = "There is no such captured request"


class ViewNotFound(NotFound):
    code = "view_not_found"
    title = "This body can't be seen so"


class PartNotFound(NotFound):
    code = "part_not_found"
    title = "The body has no such part"


class WebhookNotFound(NotFound):
    code = "webhook_not_found"
    title = "There is no such webhook"


class EventNotFound(NotFound):
    code = "event_not_found"
    title = "There is no such event"


class DeliveryNotFound(NotFound):
    code = "delivery_not_found"
    title = "There is no such delivery"


class UndoNotFound(NotFound):
    code = "undo_not_found"
    title = "There is nothing to undo"


class MethodNotAllowed(HookbinError):
    """`allow` lists the methods that the resource does have."""

    code = "method_not_allowed"
    title = "This method is not possible here"

    def __init__(self, detail: str, *, allow: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allow = allow


class Conflict(HookbinError):
    code = "conflict"
    title = "This clashes with what is there"


class NameTaken(Conflict):
    code = "name_taken"
    title = "The name is taken"


class IdempotencyMismatch(Conflict):
    code = "idempotency_mismatch"
    title = "The idempotency key was used for another event"


class LoopDetected(Conflict):
    code = "loop_detected"
    title = "This event goes in a circle"


class NotRetryable(Conflict):
    code = "not_retryable"
    title = "This delivery can't be retried"


class NotCancellable(Conflict):
    code = "not_cancellable"
    title = "This delivery can't be cancelled"


class WebhookDisabled(Conflict):
    code = "webhook_disabled"
    title = "The webhook is disabled"


class RequestIncomplete(Conflict):
    code = "request_incomplete"
    title = "The captured request is not whole"


class RequestMalformed(Conflict):
    code = "request_malformed"
    title = "What was captured is no HTTP request"


class AttemptInFlight(Conflict):
    code = "attempt_in_flight"
    title = "An attempt is under way"


class SenderTimedOut(HookbinError):
    code = "sender_timed_out"
    title = "The request did not come to its end in time"


class WaitTimedOut(HookbinError):
    """`nearest` holds `(id, method, target, complaints)` of requests that were nearly as wanted."""

    code = "wait_timed_out"
    title = "The requests that were waited for did not come"

    def __init__(self, detail: str, *, nearest: tuple[tuple[str, str, str, tuple[str, ...]], ...]) -> None:
        super().__init__(detail)
        self.nearest = nearest


class TooManyPinned(Conflict):
    code = "too_many_pinned"
    title = "No more requests of this bin can be pinned"


class Refused(HookbinError):
    code = "refused"
    title = "This may not be done"


class Unauthorized(Refused):
    code = "unauthorized"
    title = "A token is needed"


class HostRefused(Refused):
    code = "host_refused"
    title = "The Host header names another server"


class OriginRefused(Refused):
    code = "origin_refused"
    title = "Another site's page may not do this"


class Unavailable(HookbinError):
    code = "unavailable"
    title = "Not now"


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Too much is waiting to be written"


class ViewsBusy(Unavailable):
    code = "views_busy"
    title = "Too many bodies are being looked at"


class TooManyWaiting(Unavailable):
    code = "too_many_waiting"
    title = "Too many calls wait for requests"


class TooManyTries(Unavailable):
    code = "too_many_tries"
    title = "Too many wrong tokens"


class StorageFailed(Unavailable):
    code = "storage_failed"
    title = "The database could not be written"


class DatabaseLost(StorageFailed):
    """The files are no longer those that were opened: nothing is written, so that nothing is made worse."""

    code = "database_lost"
    title = "The database's files were changed from outside"


class DatabaseUnreadable(StorageFailed):
    code = "database_unreadable"
    title = "The database could not be read"


class NotReady(Unavailable):
    code = "not_ready"
    title = "Nothing can be kept just now"


class OutOfResources(Unavailable):
    """What this process or its machine lacks, so that a request can't be sent: no failure of the destination's."""

    code = "out_of_resources"
    title = "Nothing can be sent just now"


class ShuttingDown(Unavailable):
    code = "shutting_down"
    title = "hookbin is stopping"


class StartError(HookbinError):
    code = "start_error"
    title = "hookbin could not start"
