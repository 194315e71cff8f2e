-- Markets, what is traded in them, and how they are settled.

-- What a market was opened as: rows never change, so their indexes cost nothing while it is traded.
CREATE TABLE markets (
    id UUID PRIMARY KEY,
    creator_id UUID NOT NULL REFERENCES users (id),
    creator_account_id UUID NOT NULL,
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL,
    ends_at_us BIGINT NOT NULL,
    subsidy_minor BIGINT NOT NULL CHECK (subsidy_minor > 0),
    fee_bps INTEGER NOT NULL CHECK (fee_bps BETWEEN 0 AND 10000),
    created_at_us BIGINT NOT NULL
);

CREATE INDEX markets_by_end ON markets (ends_at_us, id DESC);
CREATE INDEX markets_by_category ON markets (category, id);
CREATE INDEX markets_by_creator ON markets (creator_id, id);

-- What trading and deciding changes of a market. The lock on this row protects the market's options,
-- positions and settlement too.
CREATE TABLE market_states (
    market_id UUID PRIMARY KEY REFERENCES markets (id),
    phase TEXT NOT NULL CHECK (phase IN ('open', 'closed', 'resolved', 'cancelled')),
    fees_minor BIGINT NOT NULL CHECK (fees_minor >= 0),
    volume_minor BIGINT NOT NULL CHECK (volume_minor >= 0),
    stakes_minor BIGINT NOT NULL CHECK (stakes_minor >= 0),
    bet_count BIGINT NOT NULL CHECK (bet_count >= 0),
    version BIGINT NOT NULL CHECK (version > 0),
    updated_at_us BIGINT NOT NULL
) WITH (fillfactor = 70);

CREATE INDEX market_states_by_phase ON market_states (phase, market_id);
CREATE INDEX market_states_by_volume ON market_states (volume_minor DESC, market_id DESC);

CREATE TABLE market_options (
    market_id UUID NOT NULL REFERENCES markets (id),
    -- Its position among the market's options, from 0.
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    id UUID NOT NULL UNIQUE,
    name TEXT NOT NULL,
    initial_probability DOUBLE PRECISION NOT NULL CHECK (initial_probability BETWEEN 0 AND 1),
    -- The shares of it in all hands: what the pot owes if it wins, in minor units.
    outstanding_units BIGINT NOT NULL CHECK (outstanding_units >= 0),
    PRIMARY KEY (market_id, option_index)
) WITH (fillfactor = 70);

-- Immutable rows without foreign keys, for the same reason as transfers. The prices are the probabilities of
-- all options in their order, each 8 bytes, an IEEE 754 number in little-endian order.
CREATE TABLE bets (
    id UUID PRIMARY KEY,
    market_id UUID NOT NULL,
    -- Counts the bets and sales of the market from 1 without a gap.
    sequence BIGINT NOT NULL CHECK (sequence > 0),
    market_version BIGINT NOT NULL CHECK (market_version > 0),
    user_id UUID NOT NULL,
    account_id UUID NOT NULL,
    transfer_id UUID NOT NULL,
    option_id UUID NOT NULL,
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    cash_minor BIGINT NOT NULL CHECK (cash_minor > 0),
    fee_minor BIGINT NOT NULL CHECK (fee_minor >= 0),
    shares_units BIGINT NOT NULL CHECK (shares_units >= 0),
    prices_before BYTEA NOT NULL,
    prices_after BYTEA NOT NULL,
    created_at_us BIGINT NOT NULL
);

-- Moments are found through the numbers, as among transfers.
CREATE UNIQUE INDEX bets_by_sequence ON bets (market_id, sequence);

-- What each account holds of each option, and the money that went in and out for it. The key is the only
-- index: one that sorts by shares would be written anew with every bet for a list that is rarely read.
CREATE TABLE positions (
    market_id UUID NOT NULL,
    account_id UUID NOT NULL,
    option_index INTEGER NOT NULL CHECK (option_index BETWEEN 0 AND 9),
    shares_units BIGINT NOT NULL CHECK (shares_units >= 0),
    spent_minor BIGINT NOT NULL CHECK (spent_minor >= 0),
    received_minor BIGINT NOT NULL CHECK (received_minor >= 0),
    PRIMARY KEY (market_id, account_id, option_index)
) WITH (fillfactor = 70);

CREATE TABLE settlements (
    market_id UUID PRIMARY KEY REFERENCES markets (id),
    kind TEXT NOT NULL CHECK (kind IN ('payouts', 'refunds')),
    -- Payouts: one number an option, separated by commas, such as '0,10000'.
    basis_points TEXT,
    -- Refunds: what the pot held and what all stakes came to.
    available_minor BIGINT,
    stakes_minor BIGINT,
    decided_by UUID NOT NULL,
    decided_at_us BIGINT NOT NULL,
    -- The last account that has been dealt with; accounts are taken in ascending order.
    cursor_account_id UUID,
    holders_paid BIGINT NOT NULL CHECK (holders_paid >= 0),
    paid_minor BIGINT NOT NULL CHECK (paid_minor >= 0),
    completed_at_us BIGINT,
    CONSTRAINT settlements_terms CHECK ((kind = 'payouts') = (basis_points IS NOT NULL)
        AND (kind = 'refunds') = (available_minor IS NOT NULL)
        AND (kind = 'refunds') = (stakes_minor IS NOT NULL))
);

CREATE INDEX settlements_unfinished ON settlements (market_id) WHERE completed_at_us IS NULL;

-- Claims: no account is paid twice for one market.
CREATE TABLE payouts (
    market_id UUID NOT NULL,
    account_id UUID NOT NULL,
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    created_at_us BIGINT NOT NULL,
    PRIMARY KEY (market_id, account_id)
);
