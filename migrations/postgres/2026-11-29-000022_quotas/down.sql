DROP INDEX market_states_open_by_creator;
ALTER TABLE market_states DROP COLUMN creator_id;
UPDATE jobs SET once = NULL WHERE kind = 'close_market';
