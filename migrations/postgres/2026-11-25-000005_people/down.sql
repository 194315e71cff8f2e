DROP TABLE api_keys;
DROP INDEX sessions_by_user;
CREATE INDEX sessions_by_user ON sessions (user_id);
DROP INDEX users_present;
DROP INDEX users_by_role;
ALTER TABLE users DROP COLUMN erased_at_us;
ALTER TABLE users DROP COLUMN version;
