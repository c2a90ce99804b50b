-- When the response was changed: who was being answered then may have got the one or the other.

ALTER TABLE past_responses ADD COLUMN changed_at INTEGER NOT NULL DEFAULT 0; -- µs since the epoch
