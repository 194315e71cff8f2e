-- The email addresses that get no sign-up grant any more. A row outlives its user, so it names neither
-- the user nor the address.

CREATE TABLE signup_grants (
    -- HMAC-SHA-256 of the address in its normal form.
    email_hash BLOB NOT NULL PRIMARY KEY CHECK (length(email_hash) = 32),
    -- When the grant was paid, or when a user with the address was erased.
    recorded_at_us INTEGER NOT NULL CHECK (recorded_at_us BETWEEN -62135596800000000 AND 253402300799999999)
) STRICT, WITHOUT ROWID;
