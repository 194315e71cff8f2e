-- How each market was decided, or is proposed to be.

CREATE TABLE market_resolutions (
    market_id BLOB NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    -- Counts the resolutions of the market from 1.
    number INTEGER NOT NULL CHECK (number > 0),
    -- One number an option, separated by commas, such as '0,10000'; NULL for a cancellation.
    basis_points TEXT,
    evidence_text TEXT,
    evidence_url TEXT,
    proposed_by BLOB NOT NULL REFERENCES users (id),
    proposed_at_us INTEGER NOT NULL,
    -- When an undisputed proposal takes effect; NULL for a decision that took effect at once.
    takes_effect_at_us INTEGER,
    status TEXT NOT NULL CHECK (status IN ('proposed', 'applied', 'rejected', 'withdrawn', 'undone')),
    dispute_count INTEGER NOT NULL CHECK (dispute_count >= 0),
    -- Who confirmed, rejected or withdrew it; NULL while it waits, and if it took effect by time.
    closed_by BLOB REFERENCES users (id),
    closed_at_us INTEGER,
    -- The undoing of its settlement, if that was ordered.
    undone_by BLOB REFERENCES users (id),
    undo_reason TEXT,
    undone_at_us INTEGER,
    -- What the treasury has paid for recipients who no longer had the money.
    undo_covered_minor INTEGER,
    undo_completed_at_us INTEGER,
    PRIMARY KEY (market_id, number),
    CONSTRAINT market_resolutions_undo CHECK ((undone_by IS NULL) = (undo_reason IS NULL)
        AND (undone_by IS NULL) = (undone_at_us IS NULL)
        AND (undone_by IS NULL) = (undo_covered_minor IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX market_resolutions_due ON market_resolutions (takes_effect_at_us, market_id)
    WHERE status = 'proposed';

CREATE TABLE market_disputes (
    market_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    user_id BLOB NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (market_id, number, user_id),
    FOREIGN KEY (market_id, number) REFERENCES market_resolutions (market_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Markets that were decided before.
INSERT INTO market_resolutions (market_id, number, basis_points, proposed_by, proposed_at_us, status,
    dispute_count, closed_by, closed_at_us)
SELECT market_id, 1, basis_points, decided_by, decided_at_us, 'applied', 0, decided_by, decided_at_us
FROM settlements;

-- Progress of the undoing of a settlement; NULL without one. `completed_at_us` then says when
-- payments to holders ended.
ALTER TABLE settlements ADD COLUMN undo_cursor INTEGER;
ALTER TABLE settlements ADD COLUMN undo_covered_minor INTEGER NOT NULL DEFAULT 0;
CREATE INDEX settlements_being_undone ON settlements (market_id) WHERE undo_cursor IS NOT NULL;

-- What accounts owe because the treasury has paid for them: they no longer had the money that an
-- undone settlement had paid them.
CREATE TABLE market_debts (
    -- The transfer by which the treasury has paid.
    transfer_id BLOB NOT NULL PRIMARY KEY,
    account_id BLOB NOT NULL,
    market_id BLOB NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    created_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX market_debts_by_account ON market_debts (account_id, transfer_id);

-- Burns, and API keys that can only propose. The CHECKs alone change, so the tables need not be
-- copied: see section 7 of the documentation of ALTER TABLE.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, '''cover'')', '''cover'', ''burn'')') WHERE type = 'table' AND name = 'transfers';
UPDATE sqlite_schema SET sql = replace(sql,
    '''read trade manage''',
    '''read trade manage'', ''resolve'', ''read resolve'', ''trade resolve'', ''manage resolve'', ''read trade resolve'', ''read manage resolve'', ''trade manage resolve'', ''read trade manage resolve''')
    WHERE type = 'table' AND name = 'api_keys';
PRAGMA writable_schema = RESET;
