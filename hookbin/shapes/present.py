"""How models become the shapes of the JSON API."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import UNSET

from hookbin.answers.plan import next_step
from hookbin.answers.presets import Preset
from hookbin.clock import rfc3339, seq_id
from hookbin.delivery.headers import masked
from hookbin.models.answers import BinResponse
from hookbin.models.bins import Bin, Verify
from hookbin.models.deliveries import Attempt, AttemptSummary, Delivery, Replayed
from hookbin.models.events import Event, EventSummary
from hookbin.models.request_target import path_and_query
from hookbin.models.requests import CapturedRequest, RequestSummary
from hookbin.models.webhooks import NO_SIGNATURE, Handshake, OldSecret, Webhook
from hookbin.shapes import (
    Answer,
    AttemptRow,
    AttemptShape,
    BinHandshake,
    BinShape,
    BinVerify,
    Body,
    DeliveryRef,
    DeliveryRow,
    DeliveryShape,
    EventInList,
    EventRow,
    EventShape,
    ExpiringSecret,
    LeftAlone,
    PresetShape,
    ReceivedResponse,
    ReplayShape,
    RequestRow,
    RequestShape,
    Response,
    SentRequest,
    Signature,
    TargetShape,
    WebhookShape,
)
from hookbin.signatures.secrets import hint, public_key

SHOWN_BODY = 256 * 1024
"""Bytes of a body that a JSON answer carries; all of it is at `/requests/{id}/body`."""


def time_or_none(value: int | None) -> str | None:
    return None if value is None else rfc3339(value)


def body_shape(body: bytes, *, truncated: bool = False, size: int | None = None, limit: int = SHOWN_BODY) -> Body:
    """`text` when the bytes are UTF-8, else `base64`; cut at `limit`."""
    size = len(body) if size is None else size
    shown = body[:limit]
    truncated = truncated or len(body) > limit
    try:
        text = shown.decode()
    except UnicodeDecodeError as error:
        if len(body) > limit and error.start > len(shown) - 4:  # the cut went through a character
            return Body(size=size, truncated=True, text=shown[: error.start].decode())
        return Body(size=size, truncated=truncated, base64=base64.b64encode(shown).decode())
    return Body(size=size, truncated=truncated, text=text)


def bin_shape(
    bin: Bin,
    *,
    url: str,
    request_count: int,
    sequence_position: int,
    forward: Sequence[Webhook],
    with_secret: bool = False,
) -> BinShape:
    return BinShape(
        id=bin.id,
        name=bin.name,
        url=url,
        created_at=rfc3339(bin.created_at),
        request_count=request_count,
        response=response_shape(bin.response),
        sequence_position=sequence_position,
        sequence_next=next_step(bin.response, sequence_position),
        verify=None if bin.verify is None else _verify_shape(bin.verify, with_secret=with_secret),
        max_requests=bin.max_requests,
        max_age=bin.max_age,
        forward=[_target_shape(target) for target in forward],
    )


def _target_shape(target: Webhook) -> TargetShape:
    return TargetShape(
        id=target.id,
        destination=target.destination,
        signature="original" if target.signature_style == NO_SIGNATURE else "fresh",
        retry_schedule=list(target.retry_schedule),
        retry_on=list(target.retry_on),
        timeout=target.timeout,
        max_in_flight=target.max_in_flight,
        disabled=target.disabled,
        disabled_reason=target.disabled_reason,
    )


def response_shape(response: BinResponse) -> Response:
    """All of it but the secret of its handshake."""
    shape = msgspec.convert(response, Response, from_attributes=True)
    if shape.handshake is None:
        return shape
    return msgspec.structs.replace(shape, handshake=BinHandshake(provider=shape.handshake.provider))


def _verify_shape(verify: Verify, *, with_secret: bool) -> BinVerify:
    shape = msgspec.convert(verify, BinVerify, from_attributes=True)
    return shape if with_secret else msgspec.structs.replace(shape, secret=hint(verify.secret))


def preset_shape(preset: Preset) -> PresetShape:
    return PresetShape(
        name=preset.name,
        title=preset.title,
        description=preset.description,
        response=response_shape(preset.response),
    )


def request_row(request: RequestSummary) -> RequestRow:
    return RequestRow(**request_fields(request))


def whole_request(request: CapturedRequest) -> RequestShape:
    """With all of the body that was kept."""
    return request_shape(request, limit=request.size)


def request_shape(request: CapturedRequest, *, limit: int = SHOWN_BODY) -> RequestShape:
    return RequestShape(
        **request_fields(request),
        headers=list(request.headers),
        trailers=list(request.trailers),
        body=body_shape(request.body, truncated=request.truncated, size=request.size, limit=limit),
    )


def webhook_shape(webhook: Webhook, *, with_secret: bool = False) -> WebhookShape:
    return WebhookShape(
        id=webhook.id,
        name=webhook.name,
        destination=webhook.destination,
        events=list(webhook.events),
        headers=list(masked(webhook.headers)),
        signature_style=webhook.signature_style,
        handshake="cloudevents" if webhook.handshake is Handshake.CLOUDEVENTS else None,
        retry_schedule=list(webhook.retry_schedule),
        retry_on=list(webhook.retry_on),
        timeout=webhook.timeout,
        max_in_flight=webhook.max_in_flight,
        rate_limit=webhook.rate_limit,
        ordered=webhook.ordered,
        disable_after=webhook.disable_after,
        heartbeat=webhook.heartbeat,
        disabled=webhook.disabled,
        disabled_reason=webhook.disabled_reason,
        created_at=rfc3339(webhook.created_at),
        secret_hint=hint(webhook.secret),
        old_secrets=[_expiring(old) for old in webhook.old_secrets],
        public_key=public_key(webhook.secret),
        secret=webhook.secret if with_secret else UNSET,
    )


def _expiring(old: OldSecret) -> ExpiringSecret:
    return ExpiringSecret(hint=hint(old.secret), public_key=public_key(old.secret), expires_at=rfc3339(old.expires_at))


def event_row(event: EventSummary) -> EventRow:
    return EventRow(**_event_fields(event))


def event_in_list(event: EventSummary, deliveries: list[Delivery]) -> EventInList:
    return EventInList(**_event_fields(event), deliveries=[_delivery_ref(delivery) for delivery in deliveries])


def event_shape(event: Event, deliveries: list[Delivery]) -> EventShape:
    states = [_delivery_ref(delivery) for delivery in deliveries]
    return EventShape(**_event_fields(event), deliveries=states, body=body_shape(event.body))


def attempt_row(attempt: AttemptSummary) -> AttemptRow:
    return AttemptRow(**_attempt_fields(attempt))


def attempt_shape(attempt: Attempt, *, sent: bytes) -> AttemptShape:
    """`sent` is the event's body: what the attempt sent."""
    response = None
    if attempt.response_headers is not None:
        received = body_shape(attempt.response_body or b"", truncated=attempt.response_truncated)
        response = ReceivedResponse(headers=list(attempt.response_headers), body=received)
    request = SentRequest(
        method=attempt.method, url=attempt.url, headers=list(attempt.request_headers), body=body_shape(sent)
    )
    return AttemptShape(**_attempt_fields(attempt), request=request, response=response)


def delivery_row(delivery: Delivery) -> DeliveryRow:
    return DeliveryRow(**_delivery_fields(delivery))


def delivery_shape(delivery: Delivery, attempts: list[Attempt], *, sent: bytes, explanation: str) -> DeliveryShape:
    return DeliveryShape(
        **_delivery_fields(delivery),
        explanation=explanation,
        attempts=[attempt_shape(attempt, sent=sent) for attempt in attempts],
    )


def request_fields(request: RequestSummary) -> dict[str, Any]:
    """The fields of a `RequestRow`: the stream encodes them as they are, which takes half the time."""
    path, query = path_and_query(request.target)
    return {
        "id": seq_id("req_", request.seq),
        "seq": request.seq,
        "bin": request.bin_id,
        "received_at": rfc3339(request.received_at),
        "method": request.method,
        "target": request.target,
        "path": path,
        "query": query,
        "http_version": request.http_version,
        "scheme": request.scheme,
        "client": request.client,
        "content_type": request.content_type,
        "size": request.size,
        "truncated": request.truncated,
        "incomplete": request.incomplete,
        "declared_size": request.declared_size,
        "answer": _answer(
            request.answer_status,
            request.answer_rule,
            request.answer_delay_ms,
            request.answer_fault,
            request.answer_error,
        ),
        "signature": _signature(request.signature, request.signature_scheme, request.signature_reason),
        "attempt_id": request.attempt_id,
        "note": request.note,
        "pinned": request.pinned,
    }


@lru_cache(maxsize=256)
def _answer(status: int | None, rule: str | None, delay_ms: int, fault: str | None, error: str | None) -> Answer | None:
    """None when nothing was answered because the sender was gone."""
    if status is None and fault is None:
        return None
    return Answer(status=status, rule=rule, delay_ms=delay_ms, fault=fault, error=error)


@lru_cache(maxsize=256)
def _signature(state: Any, scheme: str | None, reason: str | None) -> Signature:
    return Signature(state=state, scheme=scheme, reason=reason)


def _event_fields(event: EventSummary) -> dict[str, Any]:
    return {
        "id": event.id,
        "seq": event.seq,
        "type": event.type,
        "created_at": rfc3339(event.created_at),
        "deliver_at": time_or_none(event.deliver_at),
        "content_type": event.content_type,
        "idempotency_key": event.idempotency_key,
        "request_id": event.request_id,
        "size": event.size,
    }


def _attempt_fields(attempt: AttemptSummary) -> dict[str, Any]:
    return {
        "id": attempt.id,
        "seq": attempt.seq,
        "delivery_id": attempt.delivery_id,
        "event_id": attempt.event_id,
        "event_type": attempt.event_type,
        "webhook_id": attempt.webhook_id,
        "webhook_name": attempt.webhook_name,
        "number": attempt.number,
        "trigger": attempt.trigger,
        "started_at": rfc3339(attempt.started_at),
        "duration_ms": attempt.duration / 1000,
        "status": attempt.status,
        "error": attempt.error,
        "error_detail": attempt.error_detail,
        "delivery_state": attempt.delivery_state,
        "next_attempt_at": time_or_none(attempt.next_attempt_at),
    }


def _delivery_fields(delivery: Delivery) -> dict[str, Any]:
    return {
        "id": delivery.id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "webhook_id": delivery.webhook_id,
        "webhook_name": delivery.webhook_name,
        "destination": delivery.destination,
        "state": delivery.state,
        "attempt_count": delivery.attempt_count,
        "next_attempt_at": time_or_none(delivery.next_attempt_at),
        "created_at": rfc3339(delivery.created_at),
        "finished_at": time_or_none(delivery.finished_at),
    }


def replay_shape(event_id: str, done: Replayed) -> ReplayShape:
    return ReplayShape(
        event_id=event_id,
        created=[_delivery_ref(delivery) for delivery in done.made],
        retried=[_delivery_ref(delivery) for delivery in done.retried],
        left_alone=[
            LeftAlone(id=delivery.id, webhook_id=delivery.webhook_id, state=delivery.state, reason=reason)
            for delivery, reason in done.left
        ],
    )


def _delivery_ref(delivery: Delivery) -> DeliveryRef:
    return DeliveryRef(id=delivery.id, webhook_id=delivery.webhook_id, state=delivery.state)
