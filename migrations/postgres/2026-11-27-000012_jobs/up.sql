-- Jobs: what is done in the background, written with the change that wants it.

CREATE TABLE jobs (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Those of one lane never wait for those of another.
    lane TEXT NOT NULL CHECK (lane IN ('main', 'webhooks')),
    -- What it is about, and who is concerned.
    about_id UUID,
    concerned_id UUID,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'dead')),
    -- When a worker may take it up: at its time while it waits, at the end of the lease while it runs.
    due_at_us BIGINT CHECK ((due_at_us IS NOT NULL) = (state IN ('waiting', 'running'))),
    -- The last lease is the one that counts.
    leases BIGINT NOT NULL CHECK (leases >= 0),
    failures BIGINT NOT NULL CHECK (failures >= 0),
    error TEXT,
    -- A name that only one job has.
    once TEXT UNIQUE,
    created_at_us BIGINT NOT NULL,
    finished_at_us BIGINT CHECK ((finished_at_us IS NOT NULL) = (state IN ('done', 'dead')))
);

CREATE INDEX jobs_due ON jobs (lane, due_at_us, id) WHERE due_at_us IS NOT NULL;
CREATE INDEX jobs_by_end ON jobs (state, finished_at_us) WHERE finished_at_us IS NOT NULL;
CREATE INDEX jobs_by_state ON jobs (state, id);
CREATE INDEX jobs_by_kind ON jobs (kind, id);

-- Open markets of before are closed at their end dates too.
INSERT INTO jobs (id, kind, lane, about_id, state, due_at_us, leases, failures, created_at_us)
SELECT gen_random_uuid(), 'close_market', 'main', markets.id, 'waiting', markets.ends_at_us, 0, 0,
    markets.created_at_us
FROM markets JOIN market_states ON market_states.market_id = markets.id
WHERE market_states.phase = 'open';
