-- The ledger: its currency, the accounts, and every movement of money between two of them.

-- One row: the currency is fixed when the database is created.
CREATE TABLE ledger (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    currency_code TEXT NOT NULL,
    currency_decimals INTEGER NOT NULL CHECK (currency_decimals BETWEEN 0 AND 8),
    created_at_us BIGINT NOT NULL
);

-- Room is left on each page, and no index holds what a transfer changes, so that a new balance is
-- written beside the old one and touches no index.
CREATE TABLE accounts (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('treasury', 'fees', 'user', 'market')),
    owner_id UUID REFERENCES users (id),
    status TEXT NOT NULL CHECK (status IN ('open', 'closed')),
    balance_minor BIGINT NOT NULL,
    -- How many transfers have touched the account.
    version BIGINT NOT NULL CHECK (version >= 0),
    created_at_us BIGINT NOT NULL,
    CONSTRAINT accounts_floor CHECK (balance_minor >= 0 OR kind = 'treasury'),
    CONSTRAINT accounts_owner CHECK ((kind = 'user') = (owner_id IS NOT NULL))
) WITH (fillfactor = 70);

CREATE INDEX accounts_by_owner ON accounts (owner_id, created_at_us, id) WHERE owner_id IS NOT NULL;

-- Immutable rows. No foreign keys: they cost a third of a bulk insert, the writer has locked both accounts
-- anyway, and the audit checks. The versions of an account's sides, debits and credits together, count
-- from 1 without a gap, so they also number the lines of its statement.
CREATE TABLE transfers (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('mint', 'grant', 'payment', 'subsidy', 'bet', 'sale', 'payout',
        'refund', 'fee', 'remainder', 'reversal', 'cover')),
    amount_minor BIGINT NOT NULL CHECK (amount_minor > 0),
    debit_account_id UUID NOT NULL,
    debit_version BIGINT NOT NULL CHECK (debit_version > 0),
    -- What the account held after this transfer; the same of the credit side below.
    debit_balance_minor BIGINT NOT NULL,
    credit_account_id UUID NOT NULL,
    credit_version BIGINT NOT NULL CHECK (credit_version > 0),
    credit_balance_minor BIGINT NOT NULL,
    market_id UUID,
    reversal_of UUID,
    memo TEXT,
    created_at_us BIGINT NOT NULL,
    CONSTRAINT transfers_two_accounts CHECK (debit_account_id <> credit_account_id)
);

-- Moments are found through the versions: indexes of the times would be written with every transfer.
CREATE UNIQUE INDEX transfers_by_debit ON transfers (debit_account_id, debit_version);
CREATE UNIQUE INDEX transfers_by_credit ON transfers (credit_account_id, credit_version);
CREATE UNIQUE INDEX transfers_by_reversal ON transfers (reversal_of) WHERE reversal_of IS NOT NULL;
