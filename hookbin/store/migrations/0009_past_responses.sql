-- What bins answered before their response was changed, so that a request can show the answer it got.

CREATE TABLE past_responses (
    bin      INTEGER NOT NULL,   -- bins.key
    upto     INTEGER NOT NULL,   -- the last `seq` that may have been answered so
    response TEXT,               -- JSON of models.BinResponse; NULL where it is not kept
    PRIMARY KEY (bin, upto)
) WITHOUT ROWID;
INSERT INTO past_responses SELECT bin, max(seq), NULL FROM requests GROUP BY bin;
CREATE TRIGGER bins_deleted AFTER DELETE ON bins BEGIN
    DELETE FROM past_responses WHERE bin = old.key;
END;
