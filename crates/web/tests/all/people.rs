//! Tests of users: permissions, profiles, passwords, sessions, API keys and deletion.

mod callers;
mod erasure;
mod guessing;
mod invitations;
mod keys;
mod passwords;
mod profile_versions;
mod profiles;
mod spellings;
mod user_updates;
