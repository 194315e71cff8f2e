-- Users and their sessions: who may sign in, and with which token.

CREATE TABLE users (
    id UUID PRIMARY KEY,
    -- In lower case, so that two addresses that differ only in case are one.
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    avatar TEXT,
    role TEXT NOT NULL CHECK (role IN ('USER', 'MODERATOR', 'ADMIN')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    -- In PHC string format.
    password_hash TEXT NOT NULL,
    created_at_us BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    user_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- The SHA-256 of the token; the token itself is stored nowhere.
    token_hash BYTEA NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    created_at_us BIGINT NOT NULL,
    expires_at_us BIGINT NOT NULL
);

CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_end ON sessions (expires_at_us);
