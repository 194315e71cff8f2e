//! People: who may ask for what, their profiles, passwords, sessions and keys, and how they go.

mod appointments;
mod callers;
mod erasure;
mod guessing;
mod keys;
mod passwords;
mod profile_versions;
mod profiles;
mod spellings;
