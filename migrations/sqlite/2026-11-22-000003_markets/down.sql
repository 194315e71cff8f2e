DROP TABLE payouts;
DROP TABLE settlements;
DROP TABLE positions;
DROP TABLE bets;
DROP TABLE market_options;
DROP TABLE market_states;
DROP TABLE markets;
