-- When access keys and roles were last used. It changes by itself, with no operation
-- behind it, so it stands apart from what carries authority, and it has no MAC.
CREATE TABLE last_use (
	id      {{text}} PRIMARY KEY NOT NULL, -- of an access key or a role
	time    BIGINT NOT NULL,
	service {{text}} NOT NULL,
	region  {{text}} NOT NULL
);
