"""The trial of a response on a captured request, as the API takes and gives it."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from hookbin.answers.asked import AskedCard
from hookbin.models.answers import BinResponse
from hookbin.models.common import Pair
from hookbin.shapes.common import Body
from hookbin.shapes.requests import Answer


class NewTrial(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Without a `response` or `preset`, that of the bin is tried."""

    request: Annotated[str, Meta(description="The id of a captured request.")]
    response: BinResponse | UnsetType | None = UNSET
    preset: Annotated[str | UnsetType, Meta(description="The response of that name: see `GET /presets`.")] = UNSET
    chance: Annotated[bool, Meta(description="Whether the `chance` is taken to come up; nothing is thrown.")] = False


class TrialShape(Answer, frozen=True, kw_only=True):
    """What the request would get."""

    headers: Annotated[
        list[Pair], Meta(description="Without Date and the fields of the connection; none where a fault sends none.")
    ]
    body: Annotated[Body, Meta(description="As it would go out: half of it when it is truncated, none to a HEAD.")]
    fault_meaning: Annotated[str | None, Meta(description="What the fault does.")]
    asked: Annotated[
        list[AskedCard], Meta(description="What was asked, in order: the last one answers, the others say why not.")
    ]
