-- What one trader did and holds over all markets.

-- Each bet writes this index, in a place of its own: a trader's history is worth that.
CREATE INDEX bets_by_user ON bets (user_id, created_at_us, id);

-- Written with a trader's first bet on an option only: what later ones change of a position is not in it.
CREATE INDEX positions_by_account ON positions (account_id, market_id DESC, option_index);
