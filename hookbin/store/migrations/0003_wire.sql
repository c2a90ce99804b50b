-- What went over the wire: how an attempt came to its answer, and what of a request was no HTTP.
-- `requests` is copied, since every list reads what is added and the body must stand behind it;
-- of `attempts` no list reads it.

CREATE TABLE requests_3 (
    seq              INTEGER PRIMARY KEY,
    bin              INTEGER NOT NULL,    -- bins.key; rows of a deleted bin are trimmed in steps
    received_at      INTEGER NOT NULL,
    method           TEXT NOT NULL,       -- empty, like the target, when it is malformed
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
    malformed        TEXT,                -- JSON of models.Malformed: the body is then what arrived; NULL for HTTP
    flags            TEXT,                -- JSON list of words; NULL without any
    trailers         BLOB,                -- JSON pairs; NULL without any
    headers          BLOB NOT NULL,       -- JSON pairs in the order of arrival
    body             BLOB NOT NULL
);
INSERT INTO requests_3 SELECT
    seq, bin, received_at, method, target, http_version, scheme, client, content_type, size, truncated, incomplete,
    declared_size, answer_status, answer_rule, answer_delay_ms, answer_fault, answer_error, attempt_id, signature,
    signature_scheme, signature_reason, note, pinned, NULL, NULL, trailers, headers, body
FROM requests;
DROP TABLE requests;
ALTER TABLE requests_3 RENAME TO requests;
CREATE INDEX requests_by_bin ON requests (bin, seq);
CREATE INDEX requests_by_attempt ON requests (attempt_id) WHERE attempt_id IS NOT NULL;
CREATE INDEX requests_pinned ON requests (bin) WHERE pinned;
CREATE TRIGGER requests_deleted AFTER DELETE ON requests BEGIN
    UPDATE highest_seq SET seq = old.seq WHERE seq < old.seq;
END;

ALTER TABLE attempts ADD COLUMN note TEXT;                            -- what was odd about an answer that counts
ALTER TABLE attempts ADD COLUMN timings TEXT;                         -- JSON of models.Timings
ALTER TABLE attempts ADD COLUMN connection TEXT;                      -- JSON of models.Connection
ALTER TABLE attempts ADD COLUMN response_raw BLOB;                    -- what came back and was no HTTP
