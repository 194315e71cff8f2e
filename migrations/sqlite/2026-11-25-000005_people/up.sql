-- People: profiles that change, users who are erased, and API keys.

ALTER TABLE users ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version >= 1);
-- Set once the user is erased, who is suspended as well: whoever does not know of this column lets nobody in.
ALTER TABLE users ADD COLUMN erased_at_us INTEGER CHECK (erased_at_us IS NULL OR status = 'suspended');

CREATE INDEX users_by_role ON users (role, id);
CREATE INDEX users_present ON users (id) WHERE erased_at_us IS NULL;

-- A user's sessions in the order in which they are listed.
DROP INDEX sessions_by_user;
CREATE INDEX sessions_by_user ON sessions (user_id, id);

CREATE TABLE api_keys (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    -- The SHA-256 of the secret; the secret itself is stored nowhere.
    secret_hash BLOB NOT NULL UNIQUE CHECK (length(secret_hash) = 32),
    -- What it may be used for, each once, in this order.
    scopes TEXT NOT NULL CHECK (scopes IN (
        'read', 'trade', 'manage', 'read trade', 'read manage', 'trade manage', 'read trade manage'
    )),
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER,
    last_used_at_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX api_keys_by_user ON api_keys (user_id, id);
