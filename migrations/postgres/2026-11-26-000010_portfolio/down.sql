DROP INDEX positions_by_account;
DROP INDEX bets_by_user;
