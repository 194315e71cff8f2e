-- Markets, what is traded in them, and how they are settled.

-- What a market was opened as: rows never change, so their indexes cost nothing while it is traded.
CREATE TABLE markets (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    creator_id BLOB NOT NULL REFERENCES users (id),
    creator_account_id BLOB NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    ends_at_us INTEGER NOT NULL,
    subsidy_minor INTEGER NOT NULL CHECK (subsidy_minor > 0),
    fee_bps INTEGER NOT NULL CHECK (fee_bps BETWEEN 0 AND 10000),
    created_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX markets_by_end ON markets (ends_at_us, id DESC);
CREATE INDEX markets_by_category ON markets (category, id);
CREATE INDEX markets_by_creator ON markets (creator_id, id);

-- What trading and deciding changes of a market. The lock on this row protects the market's options,
-- positions and settlement too.
CREATE TABLE market_states (
    market_id BLOB NOT NULL PRIMARY KEY REFERENCES markets (id),
    phase TEXT NOT NULL CHECK (phase IN ('open', 'closed', 'resolved', 'cancelled')),
    fees_minor INTEGER NOT NULL CHECK (fees_minor >= 0),
    volume_minor INTEGER NOT NULL CHECK (volume_minor >= 0),
    stakes_minor INTEGER NOT NULL CHECK (stakes_minor >= 0),
    bet_count INTEGER NOT NULL CHECK (bet_count >= 0),
    version INTEGER NOT NULL CHECK (version > 0),
    updated_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX market_states_by_phase ON market_states (phase, market_id);
CREATE INDEX market_states_by_volume ON market_states (volume_minor DESC, market_id DESC);

CREATE TABLE market_options (
    market_id BLOB NOT NULL REFERENCES markets (id),
    -- Its position among the market's options, from 0.
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    id BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    initial_probability REAL NOT NULL CHECK (initial_probability BETWEEN 0 AND 1),
    -- The shares of it in all hands: what the pot owes if it wins, in minor units.
    outstanding_units INTEGER NOT NULL CHECK (outstanding_units >= 0),
    PRIMARY KEY (market_id, option_index)
) STRICT, WITHOUT ROWID;

-- Immutable rows without foreign keys, for the same reason as transfers. The prices are the probabilities of
-- all options in their order, each 8 bytes, an IEEE 754 number in little-endian order.
CREATE TABLE bets (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    market_id BLOB NOT NULL,
    -- Counts the bets and sales of the market from 1 without a gap.
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    market_version INTEGER NOT NULL CHECK (market_version > 0),
    user_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    transfer_id BLOB NOT NULL,
    option_id BLOB NOT NULL,
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    cash_minor INTEGER NOT NULL CHECK (cash_minor > 0),
    fee_minor INTEGER NOT NULL CHECK (fee_minor >= 0),
    shares_units INTEGER NOT NULL CHECK (shares_units >= 0),
    prices_before BLOB NOT NULL,
    prices_after BLOB NOT NULL,
    created_at_us INTEGER NOT NULL
) STRICT;

-- Moments are found through the numbers, as among transfers.
CREATE UNIQUE INDEX bets_by_sequence ON bets (market_id, sequence);

-- What each account holds of each option, and the money that went in and out for it. The key is the only
-- index: one that sorts by shares would be written anew with every bet for a list that is rarely read.
CREATE TABLE positions (
    market_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    shares_units INTEGER NOT NULL CHECK (shares_units >= 0),
    spent_minor INTEGER NOT NULL CHECK (spent_minor >= 0),
    received_minor INTEGER NOT NULL CHECK (received_minor >= 0),
    PRIMARY KEY (market_id, account_id, option_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE settlements (
    market_id BLOB NOT NULL PRIMARY KEY REFERENCES markets (id),
    kind TEXT NOT NULL CHECK (kind IN ('payouts', 'refunds')),
    -- Payouts: one number an option, separated by commas, such as '0,10000'.
    basis_points TEXT,
    -- Refunds: what the pot held and what all stakes came to.
    available_minor INTEGER,
    stakes_minor INTEGER,
    decided_by BLOB NOT NULL,
    decided_at_us INTEGER NOT NULL,
    -- The last account that has been dealt with; accounts are taken in ascending order.
    cursor_account_id BLOB,
    holders_paid INTEGER NOT NULL CHECK (holders_paid >= 0),
    paid_minor INTEGER NOT NULL CHECK (paid_minor >= 0),
    completed_at_us INTEGER,
    CONSTRAINT settlements_terms CHECK ((kind = 'payouts') = (basis_points IS NOT NULL)
        AND (kind = 'refunds') = (available_minor IS NOT NULL)
        AND (kind = 'refunds') = (stakes_minor IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX settlements_unfinished ON settlements (market_id) WHERE completed_at_us IS NULL;

-- Claims: no account is paid twice for one market.
CREATE TABLE payouts (
    market_id BLOB NOT NULL,
    account_id BLOB NOT NULL,
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (market_id, account_id)
) STRICT, WITHOUT ROWID;
