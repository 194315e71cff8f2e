-- The networks that users have signed in from: guesses from elsewhere do not lock them out there.

CREATE TABLE known_networks (
    user_id BLOB NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- An IPv4 address, or the first address of an IPv6 network of 64 bits.
    network TEXT NOT NULL CHECK (length(network) BETWEEN 2 AND 45),
    -- Right to a day.
    last_used_at_us INTEGER NOT NULL CHECK (last_used_at_us BETWEEN -62135596800000000 AND 253402300799999999),
    PRIMARY KEY (user_id, network)
) STRICT, WITHOUT ROWID;

CREATE INDEX known_networks_by_use ON known_networks (last_used_at_us);
