-- Posts with their tags, and comments on posts and markets.

-- With row ids, since the rows are long: in the tree of a primary key they would leave room for few on a page.
CREATE TABLE posts (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    author_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
    -- Counts its changes.
    version INTEGER NOT NULL CHECK (version > 0),
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL
) STRICT;

CREATE INDEX posts_by_status ON posts (status, id);
CREATE INDEX posts_by_author ON posts (author_id, status, id);

CREATE TABLE post_tags (
    post_id BLOB NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    -- That of the post: with it, one index lists the published posts of a tag and counts them.
    status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
    PRIMARY KEY (post_id, tag)
) STRICT, WITHOUT ROWID;

-- Tags are counted from this index when they are read. A count kept beside each tag would be one row that all
-- authors of a popular tag wait for, and that every publication locks.
CREATE INDEX post_tags_by_tag ON post_tags (status, tag, post_id);

CREATE TABLE comments (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    post_id BLOB REFERENCES posts (id) ON DELETE CASCADE,
    market_id BLOB REFERENCES markets (id) ON DELETE CASCADE,
    author_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL,
    CONSTRAINT comments_subject CHECK ((post_id IS NULL) <> (market_id IS NULL))
) STRICT;

CREATE INDEX comments_by_post ON comments (post_id, id);
CREATE INDEX comments_by_market ON comments (market_id, id);
CREATE INDEX comments_by_author ON comments (author_id);
