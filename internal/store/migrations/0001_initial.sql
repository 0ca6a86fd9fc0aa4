-- One text for both engines. {{rowid}} is an append-only integer key, {{text}} is
-- text compared byte by byte, {{blob}} is bytes. Times are microseconds UTC, 0 for
-- none. Nothing is NULL.

-- The turn to write: every writing transaction takes this one row first.
CREATE TABLE head (
	id      BIGINT PRIMARY KEY NOT NULL,
	records BIGINT NOT NULL, -- number of audit records, so the next one's place
	change  BIGINT NOT NULL, -- number of the last change
	time    BIGINT NOT NULL  -- latest time any transaction has used
);
INSERT INTO head (id, records, change, time) VALUES (1, 0, 0, 0);

CREATE TABLE vault (
	id      {{text}} PRIMARY KEY NOT NULL,
	name    {{text}} NOT NULL,
	account {{text}} NOT NULL,
	region  {{text}} NOT NULL,
	created BIGINT NOT NULL,
	body    {{text}} NOT NULL,
	mac     {{blob}} NOT NULL
);
CREATE UNIQUE INDEX vault_name ON vault (name);
CREATE UNIQUE INDEX vault_place ON vault (account, region);

-- A secret without its values.
CREATE TABLE secret (
	id       {{text}} PRIMARY KEY NOT NULL,
	vault    {{text}} NOT NULL,
	name     {{text}} NOT NULL,
	suffix   {{text}} NOT NULL,
	created  BIGINT NOT NULL,
	changed  BIGINT NOT NULL,
	accessed BIGINT NOT NULL, -- a day, not a moment
	purge_at BIGINT NOT NULL, -- when a deleted secret goes for good
	mac      {{blob}} NOT NULL,
	body     {{text}} NOT NULL,
	policy   {{text}} NOT NULL
);
-- One index for each order that secrets are listed in.
CREATE UNIQUE INDEX secret_name ON secret (vault, name);
CREATE INDEX secret_created ON secret (vault, created, id);
CREATE INDEX secret_changed ON secret (vault, changed, id);
CREATE INDEX secret_accessed ON secret (vault, accessed, id);
CREATE INDEX secret_purge ON secret (purge_at, id) WHERE purge_at <> 0;

-- sealed comes last: SQLite keeps the tail of a long row apart and does not read it
-- for the columns before it.
CREATE TABLE version (
	secret   {{text}} NOT NULL,
	id       {{text}} NOT NULL,
	created  BIGINT NOT NULL,
	accessed BIGINT NOT NULL,
	body     {{text}} NOT NULL,
	sealed   {{blob}} NOT NULL,
	PRIMARY KEY (secret, id)
);

-- What carries authority: principals, credentials, grants. Held in memory, by kind.
CREATE TABLE object (
	kind   {{text}} NOT NULL,
	id     {{text}} NOT NULL,
	parent {{text}} NOT NULL,
	mac    {{blob}} NOT NULL,
	body   {{text}} NOT NULL,
	PRIMARY KEY (kind, id)
);

CREATE TABLE seal_key (
	id      {{text}} PRIMARY KEY NOT NULL,
	purpose {{text}} NOT NULL,
	vault   {{text}} NOT NULL,
	kek     {{text}} NOT NULL,
	wrapped {{blob}} NOT NULL,
	created BIGINT NOT NULL,
	seals   BIGINT NOT NULL -- seals given out so far
);

CREATE TABLE audit_record (
	seq  {{rowid}},
	time BIGINT NOT NULL,
	body {{blob}} NOT NULL
);

-- Tiles of the Merkle tree over the records, and its signed heads.
CREATE TABLE tile (
	level BIGINT NOT NULL,
	n     BIGINT NOT NULL,
	width BIGINT NOT NULL,
	data  {{blob}} NOT NULL,
	PRIMARY KEY (level, n)
);
CREATE TABLE checkpoint (
	size {{rowid}},
	time BIGINT NOT NULL,
	note {{text}} NOT NULL
);

-- What changed, so that other nodes can drop what they hold of it.
CREATE TABLE change (
	change {{rowid}},
	kind   {{text}} NOT NULL,
	vault  {{text}} NOT NULL,
	object {{text}} NOT NULL
);

CREATE TABLE setting (
	name  {{text}} PRIMARY KEY NOT NULL,
	value {{text}} NOT NULL
);
