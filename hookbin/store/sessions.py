"""Who is signed in: looked up in memory, kept in the file, so that a restart signs nobody out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from contextlib import suppress

import msgspec

from hookbin.clock import Clock, Ids
from hookbin.errors import SessionNotFound, StorageFailed
from hookbin.models.common import SECOND
from hookbin.models.sessions import Session
from hookbin.store.database import Database
from hookbin.store.transaction import Transaction, insert_into

MAX_SESSIONS = 100
"""Sessions at once; the oldest one ends when another begins."""
SESSION_SECONDS = 30 * 24 * 3600
MAX_USER_AGENT = 300
"""Characters that are kept of it."""
_BYTES = 32
_FIELDS = Session.__struct_fields__
_INSERT = insert_into("sessions", ("digest", "seal", *_FIELDS))


class SessionStore:
    """Sessions by the hash of a secret that the cookie alone holds."""

    def __init__(self, database: Database, *, token: str | None, clock: Clock, ids: Ids) -> None:
        self._database = database
        self._token = token or ""
        self._clock = clock
        self._ids = ids
        self._sessions: dict[bytes, Session] = {}
        """The oldest first."""

    async def load(self) -> None:
        """Those that were begun with this token."""
        sql = f"SELECT digest, seal, {', '.join(_FIELDS)} FROM sessions ORDER BY created_at"
        for digest, seal, *fields, user_agent in await self._database.read(sql):
            if hmac.compare_digest(seal, self._seal(digest)):
                self._sessions[digest] = _from_row((*fields, user_agent.decode()))

    def all(self) -> list[Session]:
        """The newest first."""
        now = self._clock.now()
        return [session for session in reversed(self._sessions.values()) if session.expires_at > now]

    def find(self, secret: str) -> Session | None:
        session = self._sessions.get(_digest(secret))
        return session if session is not None and session.expires_at > self._clock.now() else None

    def is_signed_in_from(self, client: str) -> bool:
        """Whether a session was begun at that address."""
        return any(session.client == client for session in self._sessions.values())

    async def begin(self, *, client: str, user_agent: str) -> str:
        """The secret of a new session. If it can't be written, it lasts until the server stops."""
        secret, now = secrets.token_urlsafe(_BYTES), self._clock.now()
        session = Session(
            id=self._ids.session(),
            created_at=now,
            expires_at=now + SESSION_SECONDS * SECOND,
            client=client,
            user_agent=user_agent[:MAX_USER_AGENT],
        )
        kept = self.all()[: MAX_SESSIONS - 1]
        self._sessions = {digest: known for digest, known in self._sessions.items() if known in kept}
        self._sessions[_digest(secret)] = session
        with suppress(StorageFailed):
            await self._write(_digest(secret), session, kept=[known.id for known in kept])
        return secret

    async def end(self, id: str) -> None:
        """Raises `SessionNotFound`; `StorageFailed` when it may come back with a restart."""
        digest = next((digest for digest, session in self._sessions.items() if session.id == id), None)
        if digest is None:
            raise SessionNotFound(f"no session has the id {id[:64]!r}; it has ended, or expired")
        del self._sessions[digest]
        await self._database.transact(
            lambda transaction: transaction.execute("DELETE FROM sessions WHERE digest = ?", (digest,))
        )

    async def _write(self, digest: bytes, session: Session, *, kept: list[str]) -> None:
        *fields, user_agent = msgspec.structs.astuple(session)
        row = (digest, self._seal(digest), *fields, user_agent.encode())

        def replace_what_is_over(transaction: Transaction) -> None:
            sql = "DELETE FROM sessions WHERE id NOT IN (SELECT value FROM json_each(?))"
            transaction.execute(sql, (msgspec.json.encode(kept).decode(),))
            transaction.execute(_INSERT, row)

        await self._database.transact(replace_what_is_over)

    def _seal(self, digest: bytes) -> bytes:
        return hmac.digest(self._token.encode(), digest, "sha256")


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _from_row(row: tuple[object, ...]) -> Session:
    return msgspec.convert(dict(zip(_FIELDS, row, strict=True)), Session)
