"""The trail of an event: which bins and webhooks of ours led to it, so that no chain passes one of them twice.

It goes along as `hookbin-trail: tag.tag.….seal`, and comes back when what was sent ends in a bin or is published anew.
A tag is a keyed digest of an id, since the id of a bin is a capability; the seal is one of all tags. So outsiders can
neither read, make nor shorten a trail; whoever takes the whole header away begins a new chain, and one that is not
ours counts as none. Each hop adds at most two places: a trail is as short as its hops are few.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from functools import lru_cache

HEADER = "hookbin-trail"
MAX_HOPS = 5
"""Times that an event may come back through our own webhooks."""
PLACES_A_HOP = 2
"""A webhook, and the bin or the publishing that it led to."""
_TAG, _SEAL = 6, 12
"""Bytes of a digest that are kept."""
_REMEMBERED = 4096


class Trails:
    """Makes and reads trails, written as their tags between dots; the key is that of this database."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key
        self._tag = lru_cache(maxsize=_REMEMBERED)(self._make_tag)
        self.sealed = lru_cache(maxsize=_REMEMBERED)(self._make_sealed)
        """The value of the header for a trail that goes on through a webhook."""

    def read(self, header: str | None) -> str:
        """The trail in a header; an empty one when there is none of ours."""
        if not header:
            return ""
        trail, _, seal = header.rpartition(".")
        is_ours = hmac.compare_digest(seal.encode("latin-1", "replace"), self._digest(trail, _SEAL).encode())
        return trail if is_ours else ""

    def through(self, trail: str, id: str) -> str:
        """The trail once it has passed a bin or a webhook."""
        return f"{trail}.{self._tag(id)}" if trail else self._tag(id)

    def has_passed(self, trail: str, id: str) -> bool:
        return bool(trail) and self._tag(id) in trail.split(".")

    def _make_sealed(self, trail: str, webhook_id: str) -> str:
        through = self.through(trail, webhook_id)
        return f"{through}.{self._digest(through, _SEAL)}"

    def _make_tag(self, id: str) -> str:
        return self._digest(id, _TAG)

    def _digest(self, text: str, length: int) -> str:
        digest = hmac.digest(self._key(), text.encode("latin-1", "replace"), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:length]).decode()


NO_TRAILS = Trails(bytes)
"""For what is sent without a database, of which nothing comes back."""


def hops_of(trail: str) -> int:
    """How many webhooks it has passed at least."""
    places = trail.count(".") + 1 if trail else 0
    return (places + 1) // PLACES_A_HOP
