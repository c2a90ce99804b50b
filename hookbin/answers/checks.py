"""Which answers a bin can give: everything is checked when it is saved."""

from __future__ import annotations

from collections.abc import Iterator

from hookbin.answers import header_rules
from hookbin.answers.handshakes import HANDSHAKES
from hookbin.answers.plan import BODILESS
from hookbin.conditions import matching
from hookbin.errors import FieldsInvalid
from hookbin.models.answers import BinHandshake, BinResponse, Step, is_template
from hookbin.models.common import Headers

MAX_SIZE = 512 * 1024
"""Characters of all bodies and headers of a response together."""
MAX_TEMPLATE = 64 * 1024
Complaint = tuple[str, str]


def check_response(response: BinResponse) -> BinResponse:
    """The response as given. Raises `FieldsInvalid` for all that could not be sent or never be reached."""
    errors = list(_complaints(response))
    if errors:
        raise FieldsInvalid(*errors)
    return response


def steps_of(response: BinResponse) -> Iterator[tuple[str, Step]]:
    """Every step of a response with its place in it."""
    yield "response", response
    for index, rule in enumerate(response.rules):
        yield f"response.rules[{index}]", rule
    if response.chance is not None:
        yield "response.chance", response.chance
    for index, step in enumerate(response.sequence):
        yield f"response.sequence[{index}]", step


def templates_of(response: BinResponse) -> Iterator[tuple[str, str]]:
    """Every template in a response with its place."""
    for loc, step in steps_of(response):
        if step.template:
            yield f"{loc}.body", step.body
            places = ((f"{loc}.headers[{index}]", value) for index, (_, value) in enumerate(step.headers))
            yield from (each for each in places if is_template(each[1]))


def _complaints(response: BinResponse) -> Iterator[Complaint]:
    for loc, step in steps_of(response):
        yield from _step_complaints(step, loc=loc)
    for index, rule in enumerate(response.rules):
        for place, complaint in matching.complaints(rule.when):
            yield f"response.rules[{index}].when.{place}", complaint
    if response.handshake is not None:
        yield from _handshake_complaints(response.handshake)
    if sum(_size(step) for _, step in steps_of(response)) > MAX_SIZE:
        yield "response", f"all bodies and headers of a response together have at most {MAX_SIZE:,} characters"


def _step_complaints(step: Step, *, loc: str) -> Iterator[Complaint]:
    yield from _header_complaints(step.headers, loc=f"{loc}.headers")
    try:
        step.body.encode()
    except UnicodeEncodeError:
        yield f"{loc}.body", "has half of a surrogate pair, which is no text"
    if step.fault is not None and step.fault.sends_a_body and step.status in BODILESS:
        yield f"{loc}.fault", f"{step.fault} needs a body, and a {step.status} has none"
    for index, (_, value) in enumerate(step.headers):
        if is_template(value) and not step.template:
            yield f"{loc}.headers[{index}]", "has a template in it, and this answer is none: set template to true"
    if step.template and len(step.body) > MAX_TEMPLATE:
        yield f"{loc}.body", f"a template has at most {MAX_TEMPLATE:,} characters"


def _header_complaints(headers: Headers, *, loc: str) -> Iterator[Complaint]:
    for index, (name, value) in enumerate(headers):
        complaint = header_rules.complaint(name, value)
        if complaint is not None:
            yield f"{loc}[{index}]", complaint


def _handshake_complaints(handshake: BinHandshake) -> Iterator[Complaint]:
    needed = HANDSHAKES[handshake.provider].needs
    if needed and not handshake.secret:
        yield "response.handshake.secret", f"is needed: {handshake.provider} is answered with it ({needed})"
    if not needed and isinstance(handshake.secret, str):
        yield "response.handshake.secret", f"{handshake.provider} has no use for a secret; leave it out"


def _size(step: Step) -> int:
    return len(step.body) + sum(len(name) + len(value) for name, value in step.headers)
