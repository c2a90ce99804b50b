-- Both halves of a webhook, and the numbers that order them.
-- Big blobs stand last in their row, so that a list never reads them.

CREATE TABLE bins (
    key          INTEGER PRIMARY KEY AUTOINCREMENT,
    id           TEXT NOT NULL UNIQUE,
    name         TEXT UNIQUE,
    created_at   INTEGER NOT NULL,
    response     TEXT NOT NULL,          -- JSON of models.BinResponse
    max_requests INTEGER NOT NULL,
    max_age      INTEGER
);

CREATE TABLE requests (
    seq             INTEGER PRIMARY KEY,
    bin             INTEGER NOT NULL,    -- bins.key; rows of a deleted bin are trimmed in steps
    received_at     INTEGER NOT NULL,
    method          TEXT NOT NULL,
    target          TEXT NOT NULL,
    http_version    TEXT NOT NULL,
    scheme          TEXT NOT NULL,
    client          TEXT,
    content_type    TEXT,
    size            INTEGER NOT NULL,
    truncated       INTEGER NOT NULL,
    incomplete      INTEGER NOT NULL,
    declared_size   INTEGER,
    answer_status   INTEGER,             -- NULL: the sender was gone
    answer_delay_ms INTEGER NOT NULL,
    attempt_id      TEXT,
    signature       TEXT NOT NULL,
    headers         BLOB NOT NULL,       -- JSON pairs in the order of arrival
    body            BLOB NOT NULL
);
CREATE INDEX requests_by_bin ON requests (bin, seq);
CREATE INDEX requests_by_attempt ON requests (attempt_id) WHERE attempt_id IS NOT NULL;

CREATE TABLE webhooks (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL,
    destination     TEXT NOT NULL,
    events          TEXT NOT NULL,       -- JSON list of patterns
    secret          TEXT NOT NULL,
    retry_schedule  TEXT NOT NULL,       -- JSON list of seconds
    retry_on        TEXT NOT NULL,       -- JSON list of words
    timeout         REAL NOT NULL,
    max_in_flight   INTEGER NOT NULL,
    heartbeat       REAL,
    disabled        INTEGER NOT NULL,
    disabled_reason TEXT,
    created_at      INTEGER NOT NULL,
    deleted_at      INTEGER              -- kept while its deliveries are
) WITHOUT ROWID;

CREATE TABLE events (
    seq             INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    type            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    content_type    TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    hops            INTEGER NOT NULL,    -- times it came back through our own webhooks
    size            INTEGER NOT NULL,
    fingerprint     BLOB NOT NULL,
    body            BLOB NOT NULL
);

CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    event_id        TEXT NOT NULL,
    webhook_id      TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed', 'cancelled')),
    attempt_count   INTEGER NOT NULL,
    next_attempt_at INTEGER,
    next_trigger    TEXT NOT NULL CHECK (next_trigger IN ('auto', 'manual')),
    created_at      INTEGER NOT NULL,
    finished_at     INTEGER,
    UNIQUE (event_id, webhook_id)
) WITHOUT ROWID;
CREATE INDEX deliveries_pending ON deliveries (webhook_id, next_attempt_at) WHERE state = 'pending';
CREATE INDEX deliveries_by_webhook ON deliveries (webhook_id, id);

CREATE TABLE attempts (
    seq                INTEGER PRIMARY KEY,
    delivery_id        TEXT NOT NULL,
    number             INTEGER NOT NULL,
    trigger            TEXT NOT NULL CHECK (trigger IN ('auto', 'manual')),
    started_at         INTEGER NOT NULL,
    duration           INTEGER NOT NULL,
    status             INTEGER,
    error              TEXT,
    error_detail       TEXT,
    delivery_state     TEXT NOT NULL,
    next_attempt_at    INTEGER,
    method             TEXT NOT NULL,
    url                TEXT NOT NULL,
    request_headers    BLOB NOT NULL,
    response_truncated INTEGER NOT NULL,
    response_headers   BLOB,
    response_body      BLOB,
    UNIQUE (delivery_id, number)
);

-- The log's numbers must never be given out twice, also not after the newest rows were deleted
-- and hookbin was restarted: each deletion leaves the highest number here.
CREATE TABLE highest_seq (seq INTEGER NOT NULL);
INSERT INTO highest_seq VALUES (0);
CREATE TRIGGER requests_deleted AFTER DELETE ON requests BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;
CREATE TRIGGER events_deleted AFTER DELETE ON events BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;
CREATE TRIGGER attempts_deleted AFTER DELETE ON attempts BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;
