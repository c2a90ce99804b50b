-- What has to be known of a webhook beside how it is now, and of an event beside what it says.

ALTER TABLE webhooks ADD COLUMN generation INTEGER NOT NULL DEFAULT 0; -- rises when it leads elsewhere or is enabled anew

-- Only who reads the body reads these, so they may stand behind it.
ALTER TABLE events ADD COLUMN content_encoding TEXT;
ALTER TABLE events ADD COLUMN trail TEXT NOT NULL DEFAULT '';

-- What this database's trails are signed with, so that nobody else can make one.
CREATE TABLE trail_key (key BLOB NOT NULL);
INSERT INTO trail_key VALUES (randomblob(32));
