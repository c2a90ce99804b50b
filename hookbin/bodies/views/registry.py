"""The one list of views: add a function and a row, and the API and the pages have it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from hookbin.bodies.match import Match
from hookbin.bodies.reading import Reading
from hookbin.bodies.shapes import View, Views
from hookbin.bodies.views import form, image, json_view, jwt, multipart, plain, protobuf, xml


class Kind(Struct, frozen=True):
    """A view: its name in URLs, its title, how well it suits a body, and what makes it.

    `make` may still return None when a closer look finds that there is nothing to show.
    """

    name: str
    title: str
    fit: Callable[[Reading], Match]
    make: Callable[[Reading], View | None]


KINDS = (
    Kind("image", "Image", image.image_fit, image.image_view),
    Kind("multipart", "Parts", multipart.multipart_fit, multipart.multipart_view),
    Kind("ndjson", "JSON lines", json_view.lines_fit, json_view.lines_view),
    Kind("json", "JSON", json_view.json_fit, json_view.json_view),
    Kind("form", "Form", form.form_fit, form.form_view),
    Kind("html", "HTML source", plain.html_fit, plain.html_view),
    Kind("xml", "XML", xml.xml_fit, xml.xml_view),
    Kind("jwt", "JWT", jwt.jwt_fit, jwt.jwt_view),
    Kind("protobuf", "Protobuf", protobuf.protobuf_fit, protobuf.protobuf_view),
    Kind("text", "Text", plain.text_fit, plain.text_view),
    Kind("hex", "Hex", plain.hex_fit, plain.hex_view),
    Kind("sent", "Hex as it came", plain.sent_fit, plain.sent_view),
)


def applying(reading: Reading) -> list[Kind]:
    """The views that suit a body, the best first."""
    fits = [(kind.fit(reading), kind) for kind in KINDS]
    return [kind for fit, kind in sorted(fits, key=lambda pair: -pair[0]) if fit]


def make(kind: Kind, reading: Reading) -> View | None:
    """The view, with a word on how the body was decompressed."""
    view = kind.make(reading)
    said = _unpacked_notice(reading)
    if view is None or said is None or (kind.name == "sent" and reading.body):
        return view
    return msgspec.structs.replace(
        view, notice=f"{said} {view.notice}" if view.notice else said, truncated=view.truncated or reading.unpacked.cut
    )


def _unpacked_notice(reading: Reading) -> str | None:
    unpacked = reading.unpacked
    done = f"Unpacked from {', '.join(unpacked.encodings)}: {len(reading.sent):,} bytes became {len(reading.body):,}."
    return " ".join(filter(None, (done if unpacked.encodings else None, unpacked.notice))) or None


def every(reading: Reading) -> Views:
    """All views that apply."""
    made = [make(kind, reading) for kind in applying(reading)]
    return Views(
        data=[view for view in made if view is not None],
        encodings=list(reading.unpacked.encodings),
        decoded_size=len(reading.body),
    )


def named(reading: Reading, name: str) -> View | None:
    """The view of this name, if it applies."""
    return next((make(kind, reading) for kind in applying(reading) if kind.name == name), None)


def best(reading: Reading, wanted: str | None) -> tuple[View | None, list[Kind]]:
    """The view that is wanted if it applies, else the best; and all that may be chosen."""
    kinds = applying(reading)
    for kind in sorted(kinds, key=lambda kind: kind.name != wanted):
        view = make(kind, reading)
        if view is not None:
            return view, kinds
    return None, kinds
