-- Records that are committed together are one row. A row of one record is that record as
-- it stands; see record.go for a row of more.
ALTER TABLE audit_record ADD COLUMN records BIGINT NOT NULL DEFAULT 1;
