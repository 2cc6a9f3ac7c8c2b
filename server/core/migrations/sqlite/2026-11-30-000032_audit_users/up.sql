-- On whose behalf an app has acted, where a user has allowed it.

ALTER TABLE audit_events ADD COLUMN user_id TEXT;
