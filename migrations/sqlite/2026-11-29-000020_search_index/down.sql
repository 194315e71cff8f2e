DROP TABLE post_trigrams;
DROP TABLE post_words;
DROP TABLE post_texts;
DROP TABLE market_trigrams;
DROP TABLE market_words;
DROP TABLE market_texts;
DROP TABLE search_index;

-- What is searched of each market. The tables of words and of parts have no text of their own.
CREATE TABLE market_texts (
    row INTEGER PRIMARY KEY,
    market_id BLOB NOT NULL UNIQUE CHECK (length(market_id) = 16),
    name TEXT NOT NULL,
    description TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE market_words USING fts5 (
    name, description, content = 'market_texts', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 0'
);
CREATE VIRTUAL TABLE market_parts USING fts5 (
    name, description, content = 'market_texts', content_rowid = 'row', tokenize = 'trigram', detail = 'full'
);

CREATE TRIGGER market_texts_inserted AFTER INSERT ON market_texts BEGIN
    INSERT INTO market_words (rowid, name, description) VALUES (new.row, new.name, new.description);
    INSERT INTO market_parts (rowid, name, description) VALUES (new.row, new.name, new.description);
END;
CREATE TRIGGER market_texts_deleted AFTER DELETE ON market_texts BEGIN
    INSERT INTO market_words (market_words, rowid, name, description)
    VALUES ('delete', old.row, old.name, old.description);
    INSERT INTO market_parts (market_parts, rowid, name, description)
    VALUES ('delete', old.row, old.name, old.description);
END;

CREATE TRIGGER markets_inserted AFTER INSERT ON markets BEGIN
    INSERT INTO market_texts (market_id, name, description) VALUES (new.id, new.name, new.description);
END;
CREATE TRIGGER markets_deleted AFTER DELETE ON markets BEGIN
    DELETE FROM market_texts WHERE market_id = old.id;
END;
CREATE TRIGGER markets_changed AFTER UPDATE OF name, description ON markets
WHEN old.name <> new.name OR old.description <> new.description BEGIN
    DELETE FROM market_texts WHERE market_id = old.id;
    INSERT INTO market_texts (market_id, name, description) VALUES (new.id, new.name, new.description);
END;

INSERT INTO market_texts (market_id, name, description) SELECT id, name, description FROM markets;

-- What is searched of each post. The tables of words and of parts have no text of their own.
CREATE TABLE post_texts (
    row INTEGER PRIMARY KEY,
    post_id BLOB NOT NULL UNIQUE CHECK (length(post_id) = 16),
    title TEXT NOT NULL,
    content TEXT NOT NULL
) STRICT;

CREATE VIRTUAL TABLE post_words USING fts5 (
    title, content, content = 'post_texts', content_rowid = 'row', tokenize = 'unicode61 remove_diacritics 0'
);
CREATE VIRTUAL TABLE post_parts USING fts5 (
    title, content, content = 'post_texts', content_rowid = 'row', tokenize = 'trigram', detail = 'full'
);

CREATE TRIGGER post_texts_inserted AFTER INSERT ON post_texts BEGIN
    INSERT INTO post_words (rowid, title, content) VALUES (new.row, new.title, new.content);
    INSERT INTO post_parts (rowid, title, content) VALUES (new.row, new.title, new.content);
END;
CREATE TRIGGER post_texts_deleted AFTER DELETE ON post_texts BEGIN
    INSERT INTO post_words (post_words, rowid, title, content)
    VALUES ('delete', old.row, old.title, old.content);
    INSERT INTO post_parts (post_parts, rowid, title, content)
    VALUES ('delete', old.row, old.title, old.content);
END;

CREATE TRIGGER posts_inserted AFTER INSERT ON posts BEGIN
    INSERT INTO post_texts (post_id, title, content) VALUES (new.id, new.title, new.content);
END;
CREATE TRIGGER posts_deleted AFTER DELETE ON posts BEGIN
    DELETE FROM post_texts WHERE post_id = old.id;
END;
CREATE TRIGGER posts_changed AFTER UPDATE OF title, content ON posts
WHEN old.title <> new.title OR old.content <> new.content BEGIN
    DELETE FROM post_texts WHERE post_id = old.id;
    INSERT INTO post_texts (post_id, title, content) VALUES (new.id, new.title, new.content);
END;

INSERT INTO post_texts (post_id, title, content) SELECT id, title, content FROM posts;
