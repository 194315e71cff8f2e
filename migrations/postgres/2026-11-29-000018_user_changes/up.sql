-- When a user last changed. Empty for users whom a version before this one adds: they are as they registered.
ALTER TABLE users ADD COLUMN updated_at_us BIGINT;
UPDATE users SET updated_at_us = created_at_us;
