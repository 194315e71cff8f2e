//! All black-box tests in one binary.

#[cfg(test)]
mod audit;
#[cfg(test)]
mod background;
mod backup;
#[cfg(test)]
mod client;
#[cfg(test)]
mod concurrency;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod doctor;
mod equivalence;
#[cfg(test)]
mod events;
#[cfg(test)]
mod export;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod hostile_text;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod integrity;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod life;
#[cfg(test)]
mod moments;
#[cfg(test)]
mod operations;
mod packaging;
mod people;
#[cfg(test)]
mod process;
#[cfg(test)]
mod quotas;
#[cfg(test)]
mod readme;
#[cfg(test)]
mod redis;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod registration;
#[cfg(test)]
mod search;
mod secrets;
#[cfg(test)]
mod slow_clients;
#[cfg(test)]
mod statements;
#[cfg(test)]
mod telemetry;
#[cfg(test)]
mod unreadable;
mod upgrades;
