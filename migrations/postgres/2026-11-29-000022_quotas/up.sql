-- One closing job per market, and a cheap count of each creator's open markets.

-- Each change of an end date used to add another closing job. Now each open market has one, found by its name. A worker
-- that runs one of the old jobs finds that it is gone, after it has closed the market.
DELETE FROM jobs WHERE kind = 'close_market';
INSERT INTO jobs (id, kind, lane, about_id, state, due_at_us, leases, failures, once, created_at_us)
SELECT gen_random_uuid(), 'close_market', 'main', markets.id, 'waiting', markets.ends_at_us, 0, 0,
    'close_market:' || markets.id, markets.created_at_us
FROM markets JOIN market_states ON market_states.market_id = markets.id
WHERE market_states.phase = 'open';

-- Copied from the market, so that the index has only open markets. A program of the version before leaves it empty, and
-- such a market does not count.
ALTER TABLE market_states ADD COLUMN creator_id UUID;
UPDATE market_states SET creator_id = markets.creator_id
FROM markets WHERE markets.id = market_states.market_id AND market_states.phase = 'open';
CREATE INDEX market_states_open_by_creator ON market_states (creator_id) WHERE phase = 'open';
