"""Whose certificates are trusted when a delivery goes out by https. There is no way not to check them."""

from __future__ import annotations

import ssl
from pathlib import Path

from hookbin.errors import StartError


def trusting(ca_file: Path | None) -> ssl.SSLContext:
    """Trusts what the system trusts, and the certificates in a PEM file too. Raises `StartError`."""
    context = ssl.create_default_context()
    if ca_file is None:
        return context
    try:
        context.load_verify_locations(ca_file)
    except ssl.SSLError as error:
        raise StartError(f"{ca_file} is no PEM file with certificates; --ca-file needs one") from error
    except OSError as error:
        raise StartError(f"the certificates in {ca_file} can't be read: {error.strerror or error}") from error
    return context
