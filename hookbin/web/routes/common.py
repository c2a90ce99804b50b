"""What several routes have in common."""

from __future__ import annotations

from typing import Any

from hookbin import errors
from hookbin.web.rest import paging

BODY_ERRORS = (
    errors.NoBody,
    errors.BrokenJson,
    errors.UnsupportedMediaType,
    errors.BodyTooLarge,
    errors.SenderTimedOut,
    errors.FieldsInvalid,
)
LIST: dict[str, Any] = {"query": paging.PageQuery, "raises": (errors.FieldsInvalid,)}
