-- What bins, webhooks and events can be told to do, and what is noted on a captured request.
-- `requests` and `events` are copied: a column that is added stands behind the blob, and then
-- every list would read through it.

ALTER TABLE bins ADD COLUMN verify TEXT;                              -- JSON of models.Verify
ALTER TABLE bins ADD COLUMN sequence_position INTEGER NOT NULL DEFAULT 0; -- answers that the sequence gave in this run
ALTER TABLE bins ADD COLUMN sequence_run INTEGER NOT NULL DEFAULT 0;

CREATE TABLE requests_2 (
    seq              INTEGER PRIMARY KEY,
    bin              INTEGER NOT NULL,    -- bins.key; rows of a deleted bin are trimmed in steps
    received_at      INTEGER NOT NULL,
    method           TEXT NOT NULL,
    target           TEXT NOT NULL,
    http_version     TEXT NOT NULL,
    scheme           TEXT NOT NULL,
    client           TEXT,
    content_type     TEXT,
    size             INTEGER NOT NULL,
    truncated        INTEGER NOT NULL,
    incomplete       INTEGER NOT NULL,
    declared_size    INTEGER,
    answer_status    INTEGER,             -- NULL: the sender was gone, or a fault left it without one
    answer_rule      TEXT,
    answer_delay_ms  INTEGER NOT NULL,
    answer_fault     TEXT,
    answer_error     TEXT,
    attempt_id       TEXT,
    signature        TEXT NOT NULL,
    signature_scheme TEXT,
    signature_reason TEXT,
    note             TEXT,
    pinned           INTEGER NOT NULL DEFAULT 0,
    trailers         BLOB,                -- JSON pairs; NULL without any
    headers          BLOB NOT NULL,       -- JSON pairs in the order of arrival
    body             BLOB NOT NULL
);
INSERT INTO requests_2 (
    seq, bin, received_at, method, target, http_version, scheme, client, content_type, size, truncated, incomplete,
    declared_size, answer_status, answer_delay_ms, attempt_id, signature, headers, body
) SELECT
    seq, bin, received_at, method, target, http_version, scheme, client, content_type, size, truncated, incomplete,
    declared_size, answer_status, answer_delay_ms, attempt_id, signature, headers, body
FROM requests;
DROP TABLE requests;
ALTER TABLE requests_2 RENAME TO requests;
CREATE INDEX requests_by_bin ON requests (bin, seq);
CREATE INDEX requests_by_attempt ON requests (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX requests_pinned ON requests (bin) WHERE pinned;
CREATE TRIGGER requests_deleted AFTER DELETE ON requests BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;

ALTER TABLE webhooks ADD COLUMN kind TEXT NOT NULL DEFAULT 'webhook';
ALTER TABLE webhooks ADD COLUMN bin_id TEXT;                          -- of a bin's forward target
ALTER TABLE webhooks ADD COLUMN headers TEXT NOT NULL DEFAULT '[]';   -- JSON pairs
ALTER TABLE webhooks ADD COLUMN old_secrets TEXT NOT NULL DEFAULT '[]'; -- JSON of models.OldSecret
ALTER TABLE webhooks ADD COLUMN signature_style TEXT NOT NULL DEFAULT 'standard';
ALTER TABLE webhooks ADD COLUMN handshake TEXT;                       -- a word of models.Handshake
ALTER TABLE webhooks ADD COLUMN rate_limit REAL;
ALTER TABLE webhooks ADD COLUMN ordered INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN disable_after INTEGER;
ALTER TABLE webhooks ADD COLUMN exhausted_in_a_row INTEGER NOT NULL DEFAULT 0;
CREATE INDEX webhooks_once ON webhooks (destination) WHERE kind = 'once';
CREATE INDEX webhooks_of_bin ON webhooks (bin_id) WHERE bin_id IS NOT NULL;

ALTER TABLE deliveries ADD COLUMN cancel_reason TEXT;                 -- a word of models.CancelReason

CREATE TABLE events_2 (
    seq             INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    type            TEXT NOT NULL,
    created_at      INTEGER NOT NULL,
    deliver_at      INTEGER,
    content_type    TEXT NOT NULL,
    idempotency_key TEXT UNIQUE,
    hops            INTEGER NOT NULL,    -- times it came back through our own webhooks
    request_id      TEXT,                -- the captured request that it sends on
    only_webhook    TEXT,                -- the one webhook that it is meant for; NULL for all that want it
    size            INTEGER NOT NULL,
    fingerprint     BLOB NOT NULL,
    original        BLOB,                -- JSON of models.Original: what a captured request is sent on with
    body            BLOB NOT NULL
);
INSERT INTO events_2 (seq, id, type, created_at, content_type, idempotency_key, hops, size, fingerprint, body)
    SELECT seq, id, type, created_at, content_type, idempotency_key, hops, size, fingerprint, body FROM events;
DROP TABLE events;
ALTER TABLE events_2 RENAME TO events;
CREATE INDEX events_by_request ON events (request_id) WHERE request_id IS NOT NULL;
CREATE TRIGGER events_deleted AFTER DELETE ON events BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;

-- When the first attempt was due: the place of a delivery in the queue of an ordered webhook.
ALTER TABLE deliveries ADD COLUMN turn INTEGER NOT NULL DEFAULT 0;
UPDATE deliveries SET turn = created_at;
CREATE INDEX deliveries_in_order ON deliveries (webhook_id, turn, id) WHERE state = 'pending';
