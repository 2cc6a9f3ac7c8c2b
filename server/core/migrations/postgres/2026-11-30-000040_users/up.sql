-- People who sign in, the browsers that they are signed in with, and invitations to choose a password. Same model as the
-- SQLite directory. Times are microseconds since 1970 by the database's clock, which alone decides.

CREATE TABLE users (
    user_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id TEXT COLLATE "C" NOT NULL,
    organization_id TEXT COLLATE "C" NOT NULL,
    -- Case-folded. An address names one person of the whole installation.
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- An argon2id hash as a PHC string; null until an invitation is accepted.
    password_hash TEXT,
    secrecy_level TEXT COLLATE "C" NOT NULL,
    -- JSON array; null for every partner scope.
    scopes TEXT,
    disabled_at BIGINT,
    password_changed_at BIGINT,
    created_at BIGINT NOT NULL,
    FOREIGN KEY (tenant_id, organization_id) REFERENCES organizations (tenant_id, organization_id)
);

CREATE INDEX users_by_tenant ON users (tenant_id, email);

CREATE TABLE sessions (
    -- Keyed hash of the token that the browser has.
    session_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (user_id),
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    opened_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    -- Moves on while the session is used.
    expires_at BIGINT NOT NULL,
    user_agent TEXT NOT NULL,
    address TEXT COLLATE "C"
);

CREATE INDEX sessions_by_user ON sessions (user_id, last_seen_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE invitations (
    -- Keyed hash of the token in the link.
    invitation_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    user_id TEXT COLLATE "C" NOT NULL REFERENCES users (user_id),
    tenant_id TEXT COLLATE "C" NOT NULL REFERENCES tenants (tenant_id),
    expires_at BIGINT NOT NULL
);

CREATE INDEX invitations_by_user ON invitations (user_id);
CREATE INDEX invitations_by_end ON invitations (expires_at);

-- What has to be known before it is known whose call it is: who signs in, whose session and whose invitation it is. The
-- bodies are bound to the tables when they are made, so that nobody's search path leads them elsewhere.

CREATE FUNCTION argus_find_user(wanted TEXT)
    RETURNS TABLE (
        user_id TEXT, tenant_id TEXT, organization_id TEXT, email TEXT, name TEXT, password_hash TEXT,
        secrecy_level TEXT, scopes TEXT, disabled_at BIGINT, password_changed_at BIGINT, created_at BIGINT
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT
        users.user_id, users.tenant_id, users.organization_id, users.email, users.name, users.password_hash,
        users.secrecy_level, users.scopes, users.disabled_at, users.password_changed_at, users.created_at
    FROM users WHERE users.email = wanted;
END;

CREATE FUNCTION argus_find_session(wanted TEXT)
    RETURNS TABLE (
        session_id TEXT, opened_at BIGINT, last_seen_at BIGINT, expires_at BIGINT, user_agent TEXT, address TEXT,
        user_id TEXT, tenant_id TEXT, organization_id TEXT, email TEXT, name TEXT, secrecy_level TEXT, scopes TEXT,
        disabled_at BIGINT, password_changed_at BIGINT, created_at BIGINT
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT
        sessions.session_id, sessions.opened_at, sessions.last_seen_at, sessions.expires_at, sessions.user_agent,
        sessions.address, users.user_id, users.tenant_id, users.organization_id, users.email, users.name,
        users.secrecy_level, users.scopes, users.disabled_at, users.password_changed_at, users.created_at
    FROM sessions JOIN users ON users.user_id = sessions.user_id
    WHERE sessions.session_id = wanted AND sessions.expires_at > argus_now() AND users.disabled_at IS NULL;
END;

CREATE FUNCTION argus_find_invitation(wanted TEXT)
    RETURNS TABLE (
        user_id TEXT, tenant_id TEXT, organization_id TEXT, email TEXT, name TEXT, secrecy_level TEXT, scopes TEXT,
        disabled_at BIGINT, password_changed_at BIGINT, created_at BIGINT
    )
    LANGUAGE sql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
    SELECT
        users.user_id, users.tenant_id, users.organization_id, users.email, users.name, users.secrecy_level,
        users.scopes, users.disabled_at, users.password_changed_at, users.created_at
    FROM invitations JOIN users ON users.user_id = invitations.user_id
    WHERE invitations.invitation_id = wanted AND invitations.expires_at > argus_now() AND users.disabled_at IS NULL;
END;
