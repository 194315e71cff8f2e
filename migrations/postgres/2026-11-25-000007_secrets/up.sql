-- What the nodes that share this database sign with, such as the cursors of lists.

CREATE TABLE secrets (
    name TEXT PRIMARY KEY,
    value BYTEA NOT NULL CHECK (length(value) = 32)
);
