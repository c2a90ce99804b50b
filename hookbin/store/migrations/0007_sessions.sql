-- Who is signed in. What the cookie holds is kept as a hash alone.

CREATE TABLE sessions (
    digest     BLOB PRIMARY KEY,   -- SHA-256 of what the cookie holds
    seal       BLOB NOT NULL,      -- HMAC of the digest by the token: with another token the session is over
    id         TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    client     TEXT NOT NULL,
    user_agent BLOB NOT NULL
) WITHOUT ROWID;
