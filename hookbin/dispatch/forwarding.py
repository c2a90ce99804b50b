"""Sending on what was captured: to a bin's forward targets as it comes in, or to any destination when asked to.

What a bin captures and what is forwarded of it are committed as one. So a crash can't come between
them, nothing has to be remembered and looked through again at the next start, and a bin without
targets pays for one look into a dict.
"""

from __future__ import annotations

from hookbin.clock import seq_id
from hookbin.delivery import trails
from hookbin.dispatch.event_factory import EventFactory
from hookbin.dispatch.forwarded_request import has_dot_segments, hops_of, original_of
from hookbin.errors import FieldsInvalid, RequestIncomplete, RequestMalformed, WebhookDisabled
from hookbin.http_fields import first_value
from hookbin.models.deliveries import CancelReason
from hookbin.models.events import Event, Original
from hookbin.models.requests import CapturedRequest
from hookbin.models.webhooks import Webhook, WebhookKind
from hookbin.store.events import EventStore, Published
from hookbin.store.publishing import Publication
from hookbin.store.webhooks import WebhookStore

FORWARDED = "request.forwarded"
REPLAYED = "request.replayed"
MAX_BYTES = 32 * 1024 * 1024
"""Of the bodies that one replay writes, when it is for more than one time."""
_UNKNOWN_TYPE = "application/octet-stream"


class Forwarding:
    """Makes events of captured requests, each with a delivery to every target."""

    def __init__(self, events: EventStore, webhooks: WebhookStore, factory: EventFactory) -> None:
        self._events = events
        self._webhooks = webhooks
        self._factory = factory

    def of_capture(self, request: CapturedRequest) -> Publication | None:
        """What is to be committed with a request that was just captured; None when it is sent nowhere.

        The store fills in the request's id, which it does not have yet. What has come round too often, or
        could lead out of a target's path, gets deliveries that are cancelled from the start and say why.
        """
        targets = [target for target in self._webhooks.forwards_of(request.bin_id) if not target.disabled]
        if not targets or request.truncated or request.incomplete:
            return None
        original, trail = original_of(request), self._factory.trails.read(first_value(request.headers, trails.HEADER))
        hops = max(hops_of(request), trails.hops_of(trail))
        hindrance = CancelReason.DOT_SEGMENTS if has_dot_segments(original.suffix) else None
        if hops > trails.MAX_HOPS or self._factory.trails.has_passed(trail, request.bin_id):
            hindrance = CancelReason.LOOP
        trail = self._factory.trails.through(trail, request.bin_id)
        event = self._event(request, FORWARDED, original, request_id=None, hops=hops, trail=trail)
        return self._factory.publication(event, targets, hindrance=hindrance)

    async def replay(
        self, request: CapturedRequest, target: Webhook, *, keep_signature: bool, times: int
    ) -> list[Published]:
        """Send a captured request `times` times to a webhook, or to a destination of kind `once`.

        Raises `RequestIncomplete`, `RequestMalformed`, `WebhookDisabled`, and `FieldsInvalid` for a path that could
        lead out of the destination's or for too many bytes in all.
        """
        check_whole(request, purpose="sent as it was")
        if target.kind is WebhookKind.WEBHOOK and target.disabled:
            raise WebhookDisabled(f"the webhook {target.id} is disabled; enable it first")
        if times > 1 and times * len(request.body) > MAX_BYTES:
            raise FieldsInvalid(
                ("times", f"can be at most {max(1, MAX_BYTES // len(request.body))} for one this large")
            )
        original = original_of(request, keep_signature=keep_signature)
        if has_dot_segments(original.suffix):
            raise FieldsInvalid(
                ("destination", "can't be used: the request's path has dot segments, which could lead out of its path")
            )
        request_id = seq_id("req_", request.seq)
        hops = hops_of(request)  # no trail: somebody begins a new chain by hand
        events = [self._event(request, REPLAYED, original, request_id=request_id, hops=hops) for _ in range(times)]
        publications = [self._factory.publication(event, [target]) for event in events]
        return await self._events.publish_all(publications, once=target if target.kind is WebhookKind.ONCE else None)

    def _event(
        self,
        request: CapturedRequest,
        type: str,
        original: Original,
        *,
        request_id: str | None,
        hops: int,
        trail: str = "",
    ) -> Event:
        return self._factory.event(
            type,
            request.body,
            content_type=request.content_type or _UNKNOWN_TYPE,
            hops=hops,
            request_id=request_id,
            original=original,
            trail=trail,
        )


def check_whole(request: CapturedRequest, *, purpose: str) -> None:
    """Raises `RequestMalformed` or `RequestIncomplete` for what can't be used for that purpose."""
    if request.malformed is not None:
        raise RequestMalformed(f"it is no HTTP, so it can't be {purpose}: {request.malformed.reason}")
    if request.truncated or request.incomplete:
        what = "is larger than what was kept of it" if request.truncated else "broke off before its end"
        raise RequestIncomplete(f"the request {what}, so it can't be {purpose}")
