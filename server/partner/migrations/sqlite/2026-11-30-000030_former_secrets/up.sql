-- The client secret before the present one, which may count beside it for a while. Same model as the PostgreSQL directory.
-- Until when is microseconds since 1970.

ALTER TABLE apps ADD COLUMN former_secret_hash TEXT;
ALTER TABLE apps ADD COLUMN former_secret_until BIGINT;
