"""Where this server is reached, and which URLs lead to a bin of its own."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from hookbin.config import Settings
from hookbin.delivery.targets import is_loopback_host
from hookbin.models.request_target import PREFIX


class Addresses:
    """By the public name, or over loopback at the port that is bound."""

    def __init__(self, settings: Settings, *, port: int) -> None:
        self.base_url = settings.base_url(port)
        """Where the server is reached, without a slash at the end."""
        self._settings = settings
        self._port = port

    def of_bin(self, name_or_id: str) -> str:
        return f"{self.base_url}{PREFIX}{name_or_id}"

    def is_own_bin(self, url: str) -> bool:
        """Whether a URL leads to one of our own bins."""
        parts = urlsplit(url)
        if ".." in unquote(unquote(parts.path)) or not parts.path.startswith(PREFIX):
            return False
        if url.startswith(self.base_url + PREFIX):
            return True
        host = parts.hostname or ""
        everywhere = self._settings.on_loopback or self._settings.host in ("", "0.0.0.0", "::")
        ours = is_loopback_host(host) if everywhere else host == self._settings.host
        return ours and parts.scheme == "http" and parts.port == self._port
