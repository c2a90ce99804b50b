"""The class of an error, one row each: whether it is retried, what is said of it, what a receiver can know of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from hookbin.models.deliveries import ErrorClass


class ErrorFacts(Struct, frozen=True, kw_only=True):
    """What is known of an attempt that ended with an error of one class."""

    meaning: str
    """The beginning of a sentence."""
    brief: str
    """In the room that a time axis has."""
    is_retried: bool = True
    """By the word `network` of `retry_on`; else by none."""
    is_sent: bool = True
    """Whether anything of the request may have reached the receiver."""
    lost: str = "no answer came back"
    """What became of the answer to a request that did arrive, if only in an attempt that a crash repeated."""


ERROR_CLASSES: Mapping[ErrorClass, ErrorFacts] = MappingProxyType(
    {
        ErrorClass.DNS_ERROR: ErrorFacts(
            meaning="The destination's name could not be looked up", brief="no name", is_sent=False
        ),
        ErrorClass.CONNECTION_REFUSED: ErrorFacts(meaning="The connection was refused", brief="refused", is_sent=False),
        ErrorClass.CONNECT_TIMEOUT: ErrorFacts(
            meaning="No connection was made in time", brief="timeout", is_sent=False
        ),
        ErrorClass.TLS_ERROR: ErrorFacts(
            meaning="No trusted TLS connection could be made", brief="TLS error", is_sent=False
        ),
        ErrorClass.TIMEOUT: ErrorFacts(
            meaning="No complete answer came in time", brief="timeout", lost="the webhook’s timeout was over"
        ),
        ErrorClass.CONNECTION_RESET: ErrorFacts(
            meaning="The connection broke before the answer was complete",
            brief="reset",
            lost="the connection broke off",
        ),
        ErrorClass.PROTOCOL_ERROR: ErrorFacts(
            meaning="What came back was no HTTP", brief="protocol", lost="what came back was no HTTP"
        ),
        ErrorClass.ANSWER_LIMIT: ErrorFacts(
            meaning="The answer went past a limit", brief="limit", lost="the answer went past a limit"
        ),
        ErrorClass.BLOCKED_TARGET: ErrorFacts(
            meaning="The address may not be called", brief="blocked", is_retried=False, is_sent=False
        ),
        ErrorClass.SIGNING_ERROR: ErrorFacts(
            meaning="It could not be signed", brief="unsigned", is_retried=False, is_sent=False
        ),
        ErrorClass.UNSENDABLE: ErrorFacts(
            meaning="It could not be sent as it is", brief="unsendable", is_retried=False, is_sent=False
        ),
    }
)
