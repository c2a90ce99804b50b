"""Why an exchange came to no answer, in words that a person can act on.

A `Failure` is the destination's, and the outcome of an attempt. What this process lacks itself is
`OutOfResources`: it says nothing about the destination, and counts for nothing.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl

import httpx

from hookbin.errors import OutOfResources
from hookbin.models.deliveries import ErrorClass
from hookbin.wire.evidence import Evidence

_LACKING = {
    errno.EMFILE: "this process has no file descriptor left; raise its limit (ulimit -n)",
    errno.ENFILE: "this machine has no file descriptor left",
    errno.ENOMEM: "this machine has no memory left",
    errno.ENOBUFS: "this machine has no memory for sockets left",
}
_WORDS = {
    errno.ECONNREFUSED: "nothing listens on {place}",
    errno.ECONNRESET: "{place} reset the connection",
    errno.EPIPE: "{place} closed the connection",
    errno.EHOSTUNREACH: "{place} can't be reached: no route leads there",
    errno.ENETUNREACH: "{place} can't be reached: no route leads there",
    errno.ETIMEDOUT: "{place} did not answer",
    errno.EADDRNOTAVAIL: "{place} can't be reached from an address of this machine",
}
_NAMES = {
    socket.EAI_NONAME: "the name {host} does not exist",
    socket.EAI_AGAIN: "no name server answered for {host}",
    socket.EAI_FAIL: "the name servers failed for {host}",
}


_TLS_RECORDS = range(20, 25)
"""How each record of TLS begins (RFC 8446, 5.1)."""


class Failure(httpx.TransportError):
    """An exchange without an answer; `raw` is what came back and was no HTTP, `evidence` what was seen of it."""

    evidence: Evidence | None = None

    def __init__(self, error: ErrorClass, detail: str, *, raw: bytes | None = None) -> None:
        super().__init__(detail)
        self.error = error
        self.detail = detail
        self.raw = raw


def out_of_memory() -> OutOfResources:
    return OutOfResources("this process has no memory left")


def _lack_of_ours(error: OSError) -> OutOfResources | None:
    """What this process lacks, if that is what the error says."""
    if isinstance(error, socket.gaierror):
        return out_of_memory() if error.errno == socket.EAI_MEMORY else None
    lacking = _LACKING.get(error.errno or 0)
    return None if lacking is None else OutOfResources(lacking)


def no_connection(error: OSError, place: str) -> Exception:
    """A connection to `place` (`host:port`) could not be made, or was lost before anything was sent."""
    return _lack_of_ours(error) or Failure(ErrorClass.CONNECTION_REFUSED, words(error, place))


def no_address(error: OSError, host: str) -> Exception:
    """The look-up of a name failed."""
    said = _NAMES.get(error.errno or 0) or f"the look-up of {{host}} failed: {_plain(error)}"
    return _lack_of_ours(error) or Failure(ErrorClass.DNS_ERROR, said.format(host=host))


def no_tls(error: ssl.SSLError, host: str, *, began: bytes = b"") -> Failure:
    """The handshake failed, or TLS was ended after it; `began` are the first bytes that came."""
    if began and began[0] not in _TLS_RECORDS:
        return Failure(
            ErrorClass.TLS_ERROR, f"{host} speaks no TLS; the destination may have to begin with http://", raw=began
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        said = f"the certificate of {host} is not trusted: {error.verify_message.rstrip('.')}"
    else:
        reason = (error.reason or "no reason is known").lower().replace("_", " ")
        said = f"TLS with {host} failed: {reason}"
    return Failure(ErrorClass.TLS_ERROR, said)


def words(error: OSError, place: str) -> str:
    """The error as a sentence about `place`."""
    said = _WORDS.get(error.errno or 0)
    return f"the connection to {place} failed: {_plain(error)}" if said is None else said.format(place=place)


def _plain(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or not error.errno:
        return " ".join(str(error.strerror or error).split()) or "no reason is known"
    return os.strerror(error.errno).lower()
