-- Search: the indexes are written by the program instead of triggers, with the same stems as on Postgres, and without
-- copies of the texts. They hold the first characters of long texts only. A background task fills them.

DROP TRIGGER IF EXISTS posts_changed;
DROP TRIGGER IF EXISTS posts_deleted;
DROP TRIGGER IF EXISTS posts_inserted;
DROP TABLE IF EXISTS post_parts;
DROP TABLE IF EXISTS post_words;
DROP TABLE IF EXISTS post_texts;
DROP TRIGGER IF EXISTS markets_changed;
DROP TRIGGER IF EXISTS markets_deleted;
DROP TRIGGER IF EXISTS markets_inserted;
DROP TABLE IF EXISTS market_parts;
DROP TABLE IF EXISTS market_words;
DROP TABLE IF EXISTS market_texts;

-- Of which language and version the index is; one row.
CREATE TABLE search_index (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    language TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;

CREATE TABLE market_texts (
    row INTEGER PRIMARY KEY,
    market_id BLOB NOT NULL UNIQUE REFERENCES markets (id) ON DELETE CASCADE,
    substrings TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE market_words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE market_trigrams USING fts5 (
    substrings, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
CREATE TABLE post_texts (
    row INTEGER PRIMARY KEY,
    post_id BLOB NOT NULL UNIQUE REFERENCES posts (id) ON DELETE CASCADE,
    substrings TEXT NOT NULL
) STRICT;
CREATE VIRTUAL TABLE post_words USING fts5 (
    title, body, content = '', contentless_delete = 1, tokenize = 'ascii'
);
CREATE VIRTUAL TABLE post_trigrams USING fts5 (
    substrings, content = '', contentless_delete = 1, detail = none, tokenize = 'trigram case_sensitive 1'
);
