-- Secrets that have a policy, which are few, are found without reading the others.
CREATE INDEX secret_policy ON secret (id) WHERE policy <> '';
