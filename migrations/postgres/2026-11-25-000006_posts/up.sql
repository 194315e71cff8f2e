-- Posts with their tags, and comments on posts and markets.

CREATE TABLE posts (
    id UUID PRIMARY KEY,
    author_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    content TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
    -- Counts its changes.
    version BIGINT NOT NULL CHECK (version > 0),
    created_at_us BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL
);

CREATE INDEX posts_by_status ON posts (status, id);
CREATE INDEX posts_by_author ON posts (author_id, status, id);

CREATE TABLE post_tags (
    post_id UUID NOT NULL REFERENCES posts (id) ON DELETE CASCADE,
    -- In the order of its bytes, whatever the language of the server.
    tag TEXT COLLATE "C" NOT NULL,
    -- That of the post: with it, one index lists the published posts of a tag and counts them.
    status TEXT NOT NULL CHECK (status IN ('draft', 'published')),
    PRIMARY KEY (post_id, tag)
);

-- Tags are counted from this index when they are read. A count kept beside each tag would be one row that all
-- authors of a popular tag wait for, and that every publication locks.
CREATE INDEX post_tags_by_tag ON post_tags (status, tag, post_id);

CREATE TABLE comments (
    id UUID PRIMARY KEY,
    post_id UUID REFERENCES posts (id) ON DELETE CASCADE,
    market_id UUID REFERENCES markets (id) ON DELETE CASCADE,
    author_id UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    content TEXT NOT NULL,
    created_at_us BIGINT NOT NULL,
    updated_at_us BIGINT NOT NULL,
    CONSTRAINT comments_subject CHECK ((post_id IS NULL) <> (market_id IS NULL))
);

CREATE INDEX comments_by_post ON comments (post_id, id);
CREATE INDEX comments_by_market ON comments (market_id, id);
CREATE INDEX comments_by_author ON comments (author_id);
