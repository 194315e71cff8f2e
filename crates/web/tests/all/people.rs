//! People: what is told to those who guess.

mod guessing;
