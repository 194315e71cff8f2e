-- Search: the indexes are tables of their own, written by the program, with the same stems as on SQLite. They hold the
-- first characters of long texts only. A background task fills them.

-- Of which language and version the index is; one row.
CREATE TABLE search_index (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    language TEXT NOT NULL,
    version INTEGER NOT NULL
);

CREATE TABLE market_texts (
    market_id UUID PRIMARY KEY REFERENCES markets (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL,
    substrings TEXT NOT NULL
);
CREATE TABLE post_texts (
    post_id UUID PRIMARY KEY REFERENCES posts (id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL,
    substrings TEXT NOT NULL
);

DROP INDEX IF EXISTS posts_by_parts;
DROP INDEX IF EXISTS markets_by_parts;
DROP INDEX posts_by_words;
DROP INDEX markets_by_words;
ALTER TABLE posts DROP COLUMN search_vector;
ALTER TABLE markets DROP COLUMN search_vector;

CREATE INDEX markets_by_words ON market_texts USING gin (words);
CREATE INDEX posts_by_words ON post_texts USING gin (words);

-- Substrings are found without pg_trgm too, only not as fast.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX markets_by_parts ON market_texts USING gin (substrings gin_trgm_ops);
    CREATE INDEX posts_by_parts ON post_texts USING gin (substrings gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_trgm cannot be created: substrings are found by reading all texts';
END
$$;
