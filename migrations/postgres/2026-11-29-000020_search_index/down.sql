DROP TABLE post_texts;
DROP TABLE market_texts;
DROP TABLE search_index;

ALTER TABLE markets ADD COLUMN search_vector TSVECTOR NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', translate(name, '-./_@:+', '       ')), 'A')
    || setweight(to_tsvector('simple', translate(description, '-./_@:+', '       ')), 'B')
) STORED;
CREATE INDEX markets_by_words ON markets USING gin (search_vector);

ALTER TABLE posts ADD COLUMN search_vector TSVECTOR NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('simple', translate(title, '-./_@:+', '       ')), 'A')
    || setweight(to_tsvector('simple', translate(content, '-./_@:+', '       ')), 'B')
) STORED;
CREATE INDEX posts_by_words ON posts USING gin (search_vector);

-- Parts of words are found without pg_trgm too, only not as fast: whoever may not create it can have it created later, and
-- these indexes with it.
DO $$
BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX markets_by_parts ON markets USING gin (name gin_trgm_ops, description gin_trgm_ops);
    CREATE INDEX posts_by_parts ON posts USING gin (title gin_trgm_ops, content gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE NOTICE 'pg_trgm cannot be created: parts of words are found by reading all texts';
END
$$;
