-- The meanings of texts as directions, by which they are found without a word in common.

CREATE TABLE text_vectors (
    -- That of the market or post.
    id UUID PRIMARY KEY,
    market_id UUID REFERENCES markets (id) ON DELETE CASCADE,
    post_id UUID REFERENCES posts (id) ON DELETE CASCADE,
    -- What made the direction: those of different models cannot be compared.
    model TEXT NOT NULL,
    -- That of the market or post when it was made.
    version BIGINT NOT NULL,
    -- One signed byte a number; empty if the text is not to be found.
    direction BYTEA NOT NULL,
    written_at_us BIGINT NOT NULL,
    CONSTRAINT text_vectors_text CHECK ((market_id IS NULL) <> (post_id IS NULL) AND id = coalesce(market_id, post_id))
);

-- Nodes read what was written since they last looked.
CREATE INDEX text_vectors_by_time ON text_vectors (model, written_at_us, id);
CREATE INDEX text_vectors_by_market ON text_vectors (market_id);
CREATE INDEX text_vectors_by_post ON text_vectors (post_id);
