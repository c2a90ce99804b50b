"""Which parts of a response a request was put to, in their order, and why each answers it or does not."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hookbin.answers.handshakes import HANDSHAKES
from hookbin.answers.plan import next_step
from hookbin.conditions.incoming import Incoming
from hookbin.conditions.matching import conditions, unmet
from hookbin.models.answers import BinResponse, When

BASE = "response"
"""The name of the response itself, which answers when nothing before it does."""


class AskedCard(Struct, frozen=True, kw_only=True):
    """One part of a response that a request was put to."""

    card: str
    """As in `answer.rule`: `rules[1]`, `chance`, `sequence[0]`, `cors`; `handshake`, and `response` for the rest."""
    answers: bool
    why: str


def asked_cards(response: BinResponse, incoming: Incoming, *, rule: str | None, position: int) -> list[AskedCard]:
    """All that were asked, the one that `rule` says has answered last.

    `rule` is what the plan chose: only the reasons are found here. `position` is the place in the sequence.
    """
    asked = []
    answering = BASE if rule is None else rule.partition(":")[0]
    for card, why_not, why in _cards(response, incoming, position):
        asked.append(AskedCard(card=card, answers=card == answering, why=why if card == answering else why_not))
        if card == answering:
            break
    return asked


def _cards(response: BinResponse, incoming: Incoming, position: int) -> Iterator[tuple[str, str, str]]:
    """The name of each part that is there, why it does not answer, and why it does."""
    if response.cors:
        yield "cors", "it is no preflight: an OPTIONS with Origin and Access-Control-Request-Method", "a preflight"
    if response.handshake is not None:
        check = HANDSHAKES[response.handshake.provider].check.replace("`", "")
        yield "handshake", f"it is not the check of {response.handshake.provider}: {check}", f"the check: {check}"
    for index, rule in enumerate(response.rules):
        asks = rule.when != When()
        lacks = "; ".join(unmet(conditions(rule.when), incoming))
        yield f"rules[{index}]", lacks, "all that it asks for is so" if asks else "it asks for nothing"
    if response.chance is not None:
        share = f"{response.chance.probability * 100:g} % of the requests"
        yield "chance", f"it comes up for {share}, and is taken not to", f"it comes up for {share}, and is taken to"
    if response.sequence:
        step = next_step(response, position)
        yield f"sequence[{step}]", "", f"step {(step or 0) + 1} of {len(response.sequence)} is next"
    yield BASE, "", "nothing before it answers"
