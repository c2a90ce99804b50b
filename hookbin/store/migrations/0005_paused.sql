-- A paused webhook goes on taking events, and nothing is sent to it until it is resumed.
ALTER TABLE webhooks ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;
