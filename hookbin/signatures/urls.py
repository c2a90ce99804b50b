"""The URLs that a sender may have been given, of which a signature is made with what stands in the body.

Its host may be that of the public URL, of a trusted proxy or of the Host field. Some senders sign a port that is the
scheme's own, and some leave away one that is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial

from hookbin.models.request_target import origin_form
from hookbin.signatures.scheme import Claim, SignedRequest

MAX_SHOWN = 200
"""Characters of a URL that a reason names."""
_PORTS = {"http": 80, "https": 443}
_PORT = re.compile(r":[0-9]*\Z")


def claim_of_url(
    request: SignedRequest, given: str, *, signed: Callable[[bytes, bytes], bytes], before: str | None = None
) -> Claim:
    """A claim that any of the URLs was signed; `signed` makes of one and a body what is signed."""
    urls = list(_urls(request, request.scheme, public_url=request.public_url))
    first, *others = (partial(signed, _encoded(url)) for url in urls)
    return Claim(
        given=(given,),
        signed=first,
        also=tuple(others),
        before=before,
        near=tuple((words, signed(_encoded(url), request.body)) for words, url in _other_urls(request)),
        otherwise=f"The URL is signed, with host and port, and hookbin took it for {urls[0][:MAX_SHOWN]} and forms of "
        "that. If the sender was given another one, start hookbin with the --public-url in it; else the secret is "
        "another one.",
    )


def _other_urls(request: SignedRequest) -> Iterator[tuple[str, str]]:
    """URLs that it did not come to as far as is known, each with what would make it so."""
    other = "http" if request.scheme == "https" else "https"
    is_said = request.header("x-forwarded-proto") or request.header("forwarded")
    way = (
        "name the proxy whose word for that came along with --trust-proxy"
        if is_said
        else "let the proxy in front of hookbin send X-Forwarded-Proto, and trust it with --trust-proxy"
    )
    for url in _urls(request, other):
        yield f"The sender was given this bin's URL with {other}, and it came by {request.scheme}: {way}.", url
    for base in _forms(request.unproved) if request.unproved else ():
        yield (
            f"The sender signed {request.unproved}, as a proxy says that is not trusted: name it with --trust-proxy, "
            "or start hookbin with that --public-url.",
            base + origin_form(request.target),
        )


def _urls(request: SignedRequest, scheme: str, *, public_url: str | None = None) -> dict[str, None]:
    """The likeliest first, each once."""
    hosts = [*([request.forwarded_host] if request.forwarded_host else []), request.header("host") or ""]
    bases = [f"{scheme}://{host}" for host in hosts]
    if public_url:
        kind, _, host = public_url.rstrip("/").partition("://")
        bases.insert(0, f"{kind.lower()}://{host}")
    target = origin_form(request.target)
    return dict.fromkeys(form + target for base in bases for form in _forms(base))


def _forms(base: str) -> Iterator[str]:
    """With its port, without one, and with that of its scheme."""
    bare = _PORT.sub("", base)
    yield base
    yield bare
    yield f"{bare}:{_PORTS[base.partition(':')[0]]}"


def _encoded(url: str) -> bytes:
    return url.encode("latin-1", "replace")
