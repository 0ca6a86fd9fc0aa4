-- Secrets by the name that Azure shows, in any case, the oldest first. The query has the
-- same expression.
CREATE INDEX secret_shown ON secret (vault, lower(replace(name, '/', '--')), created, id);
-- The deleted ones among many.
CREATE INDEX secret_deleted ON secret (vault, name) WHERE purge_at <> 0;
