"""The schemes that we sign by: the `signature_style` of a webhook, its headers and its secrets.

In all of them `webhook-id` and `webhook-timestamp` are sent too: the id is the same in every attempt
at a delivery, so that a receiver can tell a repeat.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from hookbin.errors import FieldsInvalid
from hookbin.models.common import Headers
from hookbin.models.webhooks import NO_SIGNATURE
from hookbin.signatures.scheme import Message, Style
from hookbin.signatures.schemes import SCHEMES

STYLES: Mapping[str, Style] = MappingProxyType(
    {scheme.name: scheme.style for scheme in SCHEMES.values() if scheme.style is not None}
)
SIGNATURE_HEADERS: Mapping[str, Style] = MappingProxyType(
    {
        name.lower(): scheme.style
        for scheme in SCHEMES.values()
        if scheme.style is not None
        for name in (scheme.headers[0], *scheme.style.beside)
    }
)
"""The headers that the styles set, in lower case, and the style of each."""

if TYPE_CHECKING:
    StyleName: TypeAlias = str
    AnyStyleName: TypeAlias = str
else:
    StyleName = Literal[tuple(STYLES)]
    AnyStyleName = Literal[(*STYLES, NO_SIGNATURE)]
"""As the API takes and as it gives them: what is sent on has no signature of ours."""


def signature_headers(style: str, secrets: Sequence[str], message: Message) -> Headers:
    """`secrets` are those that sign, the current one first."""
    always = (("webhook-id", message.id), ("webhook-timestamp", str(message.timestamp)))
    return always if style == NO_SIGNATURE else (*always, *STYLES[style].sign(secrets, message))


def check_secret(secret: str, *, style: str) -> str:
    """The secret as given. Raises FieldsInvalid if it can't sign in that style; its message never holds the secret."""
    complaint = STYLES[style].secret.complaint(secret)
    if complaint is not None:
        raise FieldsInvalid(("secret", complaint))
    return secret


def fits(secret: str, *, style: str) -> bool:
    """Whether the secret can sign in that style."""
    return STYLES[style].secret.complaint(secret) is None
