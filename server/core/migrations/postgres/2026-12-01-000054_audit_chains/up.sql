-- The audit trail as hash chains, one for each tenant and environment. Same model as the SQLite directory.
-- An entry is written without a place in its chain, in the transaction of the change that it records; the linker gives
-- it one behind the commit, in order and without gaps.

ALTER TABLE audit_events ADD COLUMN environment TEXT COLLATE "C" NOT NULL DEFAULT 'live'
    CHECK (environment IN ('live', 'sandbox'));
ALTER TABLE audit_events ADD COLUMN sequence BIGINT;
ALTER TABLE audit_events ADD COLUMN previous_hash TEXT COLLATE "C";
ALTER TABLE audit_events ADD COLUMN hash TEXT COLLATE "C";

-- Two rows cannot have one place: a fork is an error of the statement that would make it.
CREATE UNIQUE INDEX audit_events_by_chain ON audit_events (tenant_id, environment, sequence) WHERE sequence IS NOT NULL;
CREATE INDEX audit_events_to_link ON audit_events (id) WHERE sequence IS NULL;

-- The newest place and hash of each chain, kept apart from the rows and signed, so that a cut end shows. Whoever links
-- holds the row's lock, so that a chain has one writer, however many nodes there are.
CREATE TABLE audit_chains (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    signature TEXT NOT NULL,
    -- Microseconds since 1970 by the database's clock.
    linked_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment)
);

-- Up to where a chain was pruned: the hash from which a check begins, signed.
CREATE TABLE audit_checkpoints (
    tenant_id TEXT COLLATE "C" NOT NULL,
    environment TEXT COLLATE "C" NOT NULL,
    sequence BIGINT NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    key_id TEXT COLLATE "C" NOT NULL,
    signature TEXT NOT NULL,
    pruned_at BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, environment)
);

DROP TRIGGER audit_events_no_change ON audit_events;
DROP FUNCTION audit_events_refuse_change();

CREATE FUNCTION argus_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;

-- The one change of an entry is that it gets its place, once.
CREATE TRIGGER audit_events_no_update BEFORE UPDATE ON audit_events FOR EACH ROW WHEN (
    OLD.sequence IS NOT NULL OR NEW.sequence IS NULL OR NEW.previous_hash IS NULL OR NEW.hash IS NULL
    OR (NEW.id, NEW.occurred_at, NEW.tenant_id, NEW.environment, NEW.actor, NEW.user_id, NEW.action, NEW.subject,
        NEW.secrecy_level, NEW.occurrences)
    IS DISTINCT FROM
       (OLD.id, OLD.occurred_at, OLD.tenant_id, OLD.environment, OLD.actor, OLD.user_id, OLD.action, OLD.subject,
        OLD.secrecy_level, OLD.occurrences)
) EXECUTE FUNCTION argus_audit_refuse();

-- An entry goes only after a checkpoint has been left in its place.
CREATE FUNCTION argus_audit_refuse_unless_pruned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM audit_checkpoints AS pruned WHERE pruned.tenant_id = OLD.tenant_id
        AND pruned.environment = OLD.environment AND pruned.sequence >= OLD.sequence
    ) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END;
$$;

CREATE TRIGGER audit_events_no_delete BEFORE DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION argus_audit_refuse_unless_pruned();
CREATE TRIGGER audit_events_no_truncate BEFORE TRUNCATE ON audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION argus_audit_refuse();

-- Heads and checkpoints move forward alone.
CREATE TRIGGER audit_chains_forward BEFORE UPDATE ON audit_chains FOR EACH ROW
    WHEN (NEW.sequence <= OLD.sequence) EXECUTE FUNCTION argus_audit_refuse();
CREATE TRIGGER audit_chains_no_delete BEFORE DELETE OR TRUNCATE ON audit_chains
    FOR EACH STATEMENT EXECUTE FUNCTION argus_audit_refuse();
CREATE TRIGGER audit_checkpoints_forward BEFORE UPDATE ON audit_checkpoints FOR EACH ROW
    WHEN (NEW.sequence <= OLD.sequence) EXECUTE FUNCTION argus_audit_refuse();
CREATE TRIGGER audit_checkpoints_no_delete BEFORE DELETE OR TRUNCATE ON audit_checkpoints
    FOR EACH STATEMENT EXECUTE FUNCTION argus_audit_refuse();
