DROP INDEX bets_by_client_id;
DROP INDEX transfers_by_client_id;
ALTER TABLE bets DROP COLUMN client_id;
ALTER TABLE transfers DROP COLUMN client_id;
