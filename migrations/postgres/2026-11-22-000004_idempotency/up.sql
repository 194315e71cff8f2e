-- The outcomes of money commands, so that a repeated command is answered and not done again.

CREATE TABLE idempotency_keys (
    user_id UUID NOT NULL,
    key TEXT NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- The SHA-256 of the canonical command.
    request_hash BYTEA NOT NULL CHECK (length(request_hash) = 32),
    outcome TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);

-- For deleting what is old.
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at_us);
