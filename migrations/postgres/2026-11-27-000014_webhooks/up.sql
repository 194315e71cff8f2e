-- Webhooks: which services are told what happens in markets, and how far they have been told.

CREATE TABLE webhooks (
    id UUID PRIMARY KEY,
    url TEXT NOT NULL,
    -- What it is told, each once, in this order.
    events TEXT NOT NULL CHECK (events IN ('market.trade', 'market.status', 'market.trade market.status')),
    status TEXT NOT NULL CHECK (status IN ('enabled', 'disabled')),
    -- What messages are signed with: a signature cannot be made from a hash.
    secret BYTEA NOT NULL CHECK (length(secret) = 32),
    -- The secret before that, as long as it signs too.
    replaced_secret BYTEA CHECK (length(replaced_secret) = 32),
    replaced_until_us BIGINT CHECK ((replaced_until_us IS NULL) = (replaced_secret IS NULL)),
    created_at_us BIGINT NOT NULL,
    -- Since when no message has arrived, and why the last one did not.
    failing_since_us BIGINT,
    failure TEXT CHECK ((failure IS NULL) = (failing_since_us IS NULL))
);

-- From where on a webhook is still to be told of a market; there is no row where it knows everything.
CREATE TABLE webhook_places (
    webhook_id UUID NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    market_id UUID NOT NULL,
    -- The number of the last bet or sale that it knows, 0 for none.
    sequence BIGINT NOT NULL CHECK (sequence >= 0),
    -- The last status that it knows; NULL before the market has opened.
    phase TEXT CHECK (phase IN ('open', 'closed', 'resolved', 'cancelled')),
    PRIMARY KEY (webhook_id, market_id)
);
