"""What the forms of the pages offer and how much they take, from the rules and the registries that say so."""

from __future__ import annotations

from typing import Any

from hookbin.answers.presets import PRESETS
from hookbin.conditions.filters import MAX_SEARCH
from hookbin.delivery.headers import MASK
from hookbin.exports.formats import BIN_FORMATS, DELIVERY_FORMATS, REQUEST_FORMATS
from hookbin.models.answers import FAULT_MEANINGS
from hookbin.models.bins import DIGESTS, DigestEncoding
from hookbin.models.deliveries import CancelReason
from hookbin.models.webhooks import NO_SIGNATURE
from hookbin.names import MAX_EVENT_TYPE, MAX_NOTE
from hookbin.shapes.requests import MAX_REPLAYS, MIN_REPLAYS
from hookbin.signatures.styles import STYLES

TEMPLATE_NAMES = ("method", "path", "query.name", "headers['name']", "json.name", "form.name", "body")
"""What a template can read of a request, with an example of a name."""
MAX_THUMBNAILS = 24
"""Images of a multipart body that a page draws."""
LIMITS = {
    "event_type": MAX_EVENT_TYPE,
    "note": MAX_NOTE,
    "replays": MAX_REPLAYS,
    "replays_least": MIN_REPLAYS,
    "search": MAX_SEARCH,
    "thumbnails": MAX_THUMBNAILS,
}


def _as_named(names: Any) -> list[tuple[str, str]]:
    return [(str(name), str(name)) for name in names]


GLOBALS: dict[str, Any] = {
    "cancel_reasons": {
        CancelReason.OWNER: "by hand",
        CancelReason.WEBHOOK_DISABLED: "with its webhook, which was disabled",
        CancelReason.WEBHOOK_DELETED: "with its webhook, which was deleted",
        CancelReason.LOOP: "since it had come round through this server too often",
        CancelReason.DOT_SEGMENTS: "since its path could have led out of the destination’s",
    },
    "limits": LIMITS,
    "mask": MASK,
    "request_formats": REQUEST_FORMATS,
    "bin_formats": BIN_FORMATS,
    "delivery_formats": DELIVERY_FORMATS,
    "preset_options": [("", "200 OK"), *((preset.name, preset.title) for preset in PRESETS)],
    "fault_options": [("", "none"), *((str(fault), f"{fault}: {does}") for fault, does in FAULT_MEANINGS.items())],
    "condition_kinds": [
        ("header", "A header", "x-github-event is push"),
        ("query", "A parameter", "state is open*"),
        ("json", "A JSON value", "data.items[0].paid is true"),
        ("form", "A form field", "From is +1415*"),
    ],
    "template_variables": [f"request.{name}" for name in TEMPLATE_NAMES],
    "digest_options": _as_named(DIGESTS),
    "encoding_options": _as_named(DigestEncoding),
    "styles": {**{name: style.title for name, style in STYLES.items()}, NO_SIGNATURE: "none of ours"},
    "style_options": [(name, style.title) for name, style in STYLES.items()],
}
"""What every template can use under these names; options are pairs of a value and the words for it."""
