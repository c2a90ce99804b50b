"""TLS to a destination: whose certificates are trusted, and the layer between its bytes and ours.

There is no way not to check certificates. The layer stands on memory buffers, so that the connection below it
can be looked at byte by byte, and a certificate that was refused can still be shown.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from hookbin.errors import StartError
from hookbin.models.deliveries import MAX_CERTIFICATE_NAME, MAX_CERTIFICATE_NAMES, Certificate

_PIECE = 64 * 1024
_SHORT = {
    "commonName": "CN",
    "countryName": "C",
    "domainComponent": "DC",
    "localityName": "L",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "stateOrProvinceName": "ST",
}
"""RFC 4514, 3."""
_HOST_KINDS = ("DNS", "IP Address")
"""What Python calls them in `subjectAltName` (RFC 5280, 4.2.1.6)."""


def trusting(
    ca_file: Path | None, *, client_cert: Path | None = None, client_key: Path | None = None
) -> ssl.SSLContext:
    """Trusts what the system trusts, and the certificates in a PEM file too. Raises `StartError`.

    What the file names is trusted itself, be it a root, an intermediate or the receiver's own certificate
    (X509_V_FLAG_PARTIAL_CHAIN), and certificates are checked as before RFC 5280's strict form was asked for: both
    the same in every version of Python, whose defaults changed in 3.13.
    """
    context = ssl.create_default_context()
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["http/1.1"])
    if ca_file is not None:
        _load(
            lambda: context.load_verify_locations(ca_file),
            ca_file,
            "is no PEM file with certificates; --ca-file needs one",
        )
    if client_cert is not None:
        complaint = "has no certificate with the key in it or in --client-key; --client-cert needs both"
        _load(lambda: context.load_cert_chain(client_cert, client_key, password=""), client_cert, complaint)
    return context


def _load(load: Callable[[], None], file: Path, complaint: str) -> None:
    try:
        load()
    except ssl.SSLError as error:
        raise StartError(f"{file} {complaint}") from error
    except OSError as error:
        raise StartError(f"the certificates in {file} can't be read: {error.strerror or error}") from error


class TlsLayer:
    """One side of TLS, as a client: bytes of the connection go in and come out of it."""

    def __init__(self, context: ssl.SSLContext, host: str) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host.rstrip("."))
        self.is_ready = False
        self.first = b""
        """How the peer began, by which it can be told that it speaks no TLS."""

    def take_in(self, data: bytes) -> None:
        """Bytes of the handshake that came."""
        if not self.is_ready and len(self.first) < _PIECE:
            self.first += data
        self._incoming.write(data)

    def handshake(self) -> bool:
        """Go on with it as far as the bytes that came allow; True once it is over. Raises `ssl.SSLError`."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.is_ready = True
        return True

    def to_send(self) -> bytes:
        return self._outgoing.read()

    def encrypt(self, data: bytes) -> bytes:
        view = memoryview(data)
        while view:
            view = view[self._object.write(view) :]
        return self._outgoing.read()

    def decrypt(self, data: bytes) -> tuple[bytes, bool]:
        """What the peer says, and whether it has said that no more comes. Raises `ssl.SSLError`."""
        self._incoming.write(data)
        pieces = []
        try:
            while piece := self._object.read(_PIECE):
                pieces.append(piece)
        except ssl.SSLWantReadError:
            return b"".join(pieces), False
        except ssl.SSLZeroReturnError:
            pass
        return b"".join(pieces), True

    @property
    def has_more(self) -> bool:
        """Whether a part of a record is there that is not whole yet."""
        return self._incoming.pending > 0

    @property
    def version(self) -> str | None:
        return self._object.version()

    @property
    def certificate(self) -> Certificate | None:
        """The peer's, also one that was refused."""
        if self.is_ready:
            return _certificate(self._object.getpeercert() or {})
        # Python shows a certificate that it refuses in no public way on 3.11 and 3.12.
        unverified: Any = getattr(getattr(self._object, "_sslobj", None), "get_unverified_chain", list)
        chain = unverified() or []
        return _certificate(chain[0].get_info()) if chain else None


def _certificate(info: Any) -> Certificate | None:
    if not info:
        return None
    hosts = [host[:MAX_CERTIFICATE_NAME] for kind, host in info.get("subjectAltName", ()) if kind in _HOST_KINDS]
    return Certificate(
        subject=_name(info["subject"]),
        issuer=_name(info["issuer"]),
        ends=info["notAfter"],
        names=tuple(hosts[:MAX_CERTIFICATE_NAMES]),
    )


def _name(parts: Iterable[Iterable[tuple[str, str]]]) -> str:
    named = ", ".join(f"{_SHORT.get(name, name)}={value}" for part in parts for name, value in part)
    return named[:MAX_CERTIFICATE_NAME]
