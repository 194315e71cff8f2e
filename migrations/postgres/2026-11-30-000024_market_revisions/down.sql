ALTER TABLE market_states DROP COLUMN revision;
DROP TABLE market_revisions;
