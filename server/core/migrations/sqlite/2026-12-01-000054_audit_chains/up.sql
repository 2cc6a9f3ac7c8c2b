-- The audit trail as hash chains, one for each tenant and environment. Same model as the PostgreSQL directory.
-- An entry is written without a place in its chain, in the transaction of the change that it records; the linker gives
-- it one behind the commit, in order and without gaps.

ALTER TABLE audit_events ADD COLUMN environment TEXT NOT NULL DEFAULT 'live'
    CHECK (environment IN ('live', 'sandbox'));
ALTER TABLE audit_events ADD COLUMN sequence BIGINT;
ALTER TABLE audit_events ADD COLUMN previous_hash TEXT;
ALTER TABLE audit_events ADD COLUMN hash TEXT;

-- Two rows cannot have one place: a fork is an error of the statement that would make it.
CREATE UNIQUE INDEX audit_events_by_chain ON audit_events (tenant_id, environment, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_to_link ON audit_events (id) WHERE sequence IS NULL;

-- The newest place and hash of each chain, kept apart from the rows and signed, so that a cut end shows.
CREATE TABLE audit_chains (
    tenant_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    -- Microseconds since 1970 by the database's clock.
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment)
);

-- Up to where a chain was pruned: the hash from which a check begins, signed.
CREATE TABLE audit_checkpoints (
    tenant_id TEXT NOT NULL,
    environment TEXT NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL,
    key_id TEXT NOT NULL,
    signature TEXT NOT NULL,
    pruned_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment)
);

DROP TRIGGER audit_events_no_update;
DROP TRIGGER audit_events_no_delete;

-- The one change of an entry is that it gets its place, once.
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events WHEN
    OLD.sequence IS NOT NULL OR NEW.sequence IS NULL OR NEW.previous_hash IS NULL OR NEW.hash IS NULL
    OR NEW.id IS NOT OLD.id OR NEW.occurred_at IS NOT OLD.occurred_at OR NEW.tenant_id IS NOT OLD.tenant_id
    OR NEW.environment IS NOT OLD.environment OR NEW.actor IS NOT OLD.actor OR NEW.user_id IS NOT OLD.user_id
    OR NEW.action IS NOT OLD.action OR NEW.subject IS NOT OLD.subject
    OR NEW.secrecy_level IS NOT OLD.secrecy_level OR NEW.occurrences IS NOT OLD.occurrences
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

-- An entry goes only after a checkpoint has been left in its place.
CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events WHEN NOT EXISTS (
    SELECT 1 FROM audit_checkpoints AS pruned WHERE pruned.tenant_id = OLD.tenant_id
    AND pruned.environment = OLD.environment AND pruned.sequence >= OLD.sequence
)
BEGIN
    SELECT RAISE(ABORT, 'audit_events is append-only');
END;

-- Heads and checkpoints move forward alone.
CREATE TRIGGER audit_chains_forward BEFORE UPDATE ON audit_chains WHEN NEW.sequence <= OLD.sequence
BEGIN
    SELECT RAISE(ABORT, 'audit_chains is append-only');
END;

CREATE TRIGGER audit_chains_no_delete BEFORE DELETE ON audit_chains
BEGIN
    SELECT RAISE(ABORT, 'audit_chains is append-only');
END;

CREATE TRIGGER audit_checkpoints_forward BEFORE UPDATE ON audit_checkpoints WHEN NEW.sequence <= OLD.sequence
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoints is append-only');
END;

CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE ON audit_checkpoints
BEGIN
    SELECT RAISE(ABORT, 'audit_checkpoints is append-only');
END;
