-- How each market was decided, or is proposed to be.

CREATE TABLE market_resolutions (
    market_id UUID NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    -- Counts the resolutions of the market from 1.
    number BIGINT NOT NULL CHECK (number > 0),
    -- One number an option, separated by commas, such as '0,10000'; NULL for a cancellation.
    basis_points TEXT,
    evidence_text TEXT,
    evidence_url TEXT,
    proposed_by UUID NOT NULL REFERENCES users (id),
    proposed_at_us BIGINT NOT NULL,
    -- When an undisputed proposal takes effect; NULL for a decision that took effect at once.
    takes_effect_at_us BIGINT,
    status TEXT NOT NULL CHECK (status IN ('proposed', 'applied', 'rejected', 'withdrawn', 'undone')),
    dispute_count BIGINT NOT NULL CHECK (dispute_count >= 0),
    -- Who confirmed, rejected or withdrew it; NULL while it waits, and if it took effect by time.
    closed_by UUID REFERENCES users (id),
    closed_at_us BIGINT,
    -- The undoing of its settlement, if that was ordered.
    undone_by UUID REFERENCES users (id),
    undo_reason TEXT,
    undone_at_us BIGINT,
    -- What the treasury has paid for recipients who no longer had the money.
    undo_covered_minor BIGINT,
    undo_completed_at_us BIGINT,
    PRIMARY KEY (market_id, number),
    CONSTRAINT market_resolutions_undo CHECK ((undone_by IS NULL) = (undo_reason IS NULL)
        AND (undone_by IS NULL) = (undone_at_us IS NULL)
        AND (undone_by IS NULL) = (undo_covered_minor IS NULL))
);

CREATE INDEX market_resolutions_due ON market_resolutions (takes_effect_at_us, market_id)
    WHERE status = 'proposed';

CREATE TABLE market_disputes (
    market_id UUID NOT NULL,
    number BIGINT NOT NULL,
    user_id UUID NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (market_id, number, user_id),
    FOREIGN KEY (market_id, number) REFERENCES market_resolutions (market_id, number) ON DELETE CASCADE
);

-- Markets that were decided before.
INSERT INTO market_resolutions (market_id, number, basis_points, proposed_by, proposed_at_us, status,
    dispute_count, closed_by, closed_at_us)
SELECT market_id, 1, basis_points, decided_by, decided_at_us, 'applied', 0, decided_by, decided_at_us
FROM settlements;

-- Progress of the undoing of a settlement; NULL without one. `completed_at_us` then says when
-- payments to holders ended.
ALTER TABLE settlements ADD COLUMN undo_cursor BIGINT;
ALTER TABLE settlements ADD COLUMN undo_covered_minor BIGINT NOT NULL DEFAULT 0;
CREATE INDEX settlements_being_undone ON settlements (market_id) WHERE undo_cursor IS NOT NULL;

-- What accounts owe because the treasury has paid for them: they no longer had the money that an
-- undone settlement had paid them.
CREATE TABLE market_debts (
    -- The transfer by which the treasury has paid.
    transfer_id UUID NOT NULL PRIMARY KEY,
    account_id UUID NOT NULL,
    market_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    created_at_us BIGINT NOT NULL
);

CREATE INDEX market_debts_by_account ON market_debts (account_id, transfer_id);

-- Burns. Not validated: older rows fulfil the narrower constraint, and a scan of a large table would
-- block it.
ALTER TABLE transfers DROP CONSTRAINT transfers_kind_check;
ALTER TABLE transfers ADD CONSTRAINT transfers_kind_check CHECK (kind IN ('mint', 'grant', 'payment', 'subsidy', 'bet', 'sale', 'payout',
    'refund', 'fee', 'remainder', 'reversal', 'cover', 'burn')) NOT VALID;

-- API keys that can only propose.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_scopes_check;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_scopes_check CHECK (scopes IN (
        'read', 'trade', 'manage', 'resolve', 'read trade', 'read manage', 'read resolve',
        'trade manage', 'trade resolve', 'manage resolve', 'read trade manage',
        'read trade resolve', 'read manage resolve', 'trade manage resolve',
        'read trade manage resolve'
    ));
