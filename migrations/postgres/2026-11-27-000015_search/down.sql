DROP INDEX IF EXISTS posts_by_parts;
DROP INDEX IF EXISTS markets_by_parts;
DROP INDEX posts_by_words;
DROP INDEX markets_by_words;
ALTER TABLE posts DROP COLUMN search_vector;
ALTER TABLE markets DROP COLUMN search_vector;
