-- What a client chose to name its payment, bet or sale. It belongs to the paying or trading account, so that others may
-- choose the same. Rows of before have it as their id, if the client chose one.

ALTER TABLE transfers ADD COLUMN client_id UUID;
ALTER TABLE bets ADD COLUMN client_id UUID;

CREATE UNIQUE INDEX transfers_by_client_id ON transfers (debit_account_id, client_id)
WHERE client_id IS NOT NULL;
CREATE UNIQUE INDEX bets_by_client_id ON bets (account_id, client_id)
WHERE client_id IS NOT NULL;
