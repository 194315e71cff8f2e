-- The public history of what each market asks: one row for its opening, each edit and each clarification.

CREATE TABLE market_revisions (
    market_id BLOB NOT NULL REFERENCES markets (id) ON DELETE CASCADE,
    -- Counts the revisions of the market from 1, which is its opening.
    number INTEGER NOT NULL CHECK (number > 0),
    author_id BLOB NOT NULL REFERENCES users (id),
    -- The market as it was right after the change.
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    ends_at_us INTEGER NOT NULL,
    -- What this revision has added; NULL for the opening and for edits.
    clarification TEXT,
    created_at_us INTEGER NOT NULL,
    PRIMARY KEY (market_id, number)
) STRICT, WITHOUT ROWID;

-- What was edited before is not known: history begins with the present texts.
INSERT INTO market_revisions (market_id, number, author_id, name, description, ends_at_us, created_at_us)
SELECT id, 1, creator_id, name, description, ends_at_us, created_at_us FROM markets;

-- The number of the newest revision. A program of the version before leaves it as it is.
ALTER TABLE market_states ADD COLUMN revision INTEGER NOT NULL DEFAULT 1 CHECK (revision > 0);
