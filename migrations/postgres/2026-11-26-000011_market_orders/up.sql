-- The next to close of one category or one creator, as the markets of all have an index of their end dates. They are
-- written when a market opens or gets another end date, never by a bet.

CREATE INDEX markets_by_category_and_end ON markets (category, ends_at_us, id DESC);
CREATE INDEX markets_by_creator_and_end ON markets (creator_id, ends_at_us, id DESC);
