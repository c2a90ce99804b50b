"""Where this server is reached, and which URLs lead to a bin of its own."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from hookbin.config import Settings
from hookbin.delivery.targets import is_loopback_host
from hookbin.models.request_target import PREFIX


class Addresses:
    """By the public names, or over loopback at the ports that are bound."""

    def __init__(self, settings: Settings, *, port: int, bin_port: int | None = None) -> None:
        self.base_url = settings.base_url(port)
        """Where the server is reached, without a slash at the end."""
        self.bin_port = bin_port
        """Where the bins have an origin of their own."""
        self._port = port if bin_port is None else bin_port
        self.bins_url = settings.bins_url(self._port)
        """The same of the bins."""
        self._settings = settings

    def of_bin(self, name_or_id: str) -> str:
        return f"{self.bins_url}{PREFIX}{name_or_id}"

    def is_own_bin(self, url: str) -> bool:
        """Whether a URL leads to one of our own bins."""
        parts = urlsplit(url)
        if ".." in unquote(unquote(parts.path)) or not parts.path.startswith(PREFIX):
            return False
        if url.startswith(self.bins_url + PREFIX):
            return True
        host = parts.hostname or ""
        everywhere = self._settings.on_loopback or self._settings.host in ("", "0.0.0.0", "::")
        ours = is_loopback_host(host) if everywhere else host == self._settings.host
        return ours and parts.scheme == "http" and parts.port == self._port
