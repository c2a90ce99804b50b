-- Deletions that can be undone until they are due. What is to go is hidden at once, and read through these views.

CREATE TABLE pending_deletions (
    key    INTEGER PRIMARY KEY,
    id     TEXT NOT NULL UNIQUE,
    kind   TEXT NOT NULL,        -- requests, bin or webhook
    target TEXT NOT NULL,        -- the id of the bin or the webhook; of requests, that of their bin
    due    INTEGER NOT NULL,     -- 0 from when it is carried out on
    count  INTEGER NOT NULL,     -- requests that are hidden, and how many of them are pinned
    pinned INTEGER NOT NULL
);
CREATE TABLE hidden_requests (
    seq      INTEGER PRIMARY KEY,
    deletion INTEGER NOT NULL    -- pending_deletions.key
);
CREATE VIEW shown_requests AS SELECT * FROM requests WHERE seq NOT IN (SELECT seq FROM hidden_requests);
CREATE VIEW shown_bins AS
    SELECT * FROM bins WHERE id NOT IN (SELECT target FROM pending_deletions WHERE kind = 'bin');
