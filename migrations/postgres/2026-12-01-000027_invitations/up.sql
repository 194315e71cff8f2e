-- Invitations: codes with which people register.

CREATE TABLE invitations (
    id UUID PRIMARY KEY,
    -- SHA-256 of the code.
    code_hash BYTEA NOT NULL UNIQUE CHECK (length(code_hash) = 32),
    role TEXT NOT NULL CHECK (role IN ('USER', 'MODERATOR', 'ADMIN')),
    -- The grant in place of the usual one; NULL is the usual one.
    grant_minor BIGINT CHECK (grant_minor > 0),
    max_uses BIGINT NOT NULL CHECK (max_uses BETWEEN 1 AND 10000),
    uses BIGINT NOT NULL CHECK (uses BETWEEN 0 AND max_uses),
    created_by UUID NOT NULL REFERENCES users (id),
    created_at_us BIGINT NOT NULL CHECK (created_at_us BETWEEN -62135596800000000 AND 253402300799999999),
    expires_at_us BIGINT NOT NULL CHECK (expires_at_us BETWEEN -62135596800000000 AND 253402300799999999)
);
