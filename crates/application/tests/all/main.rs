//! Tests of the use cases and of the money writer, with the in-memory store.

#[cfg(test)]
mod authorization;
#[cfg(test)]
mod batches;
#[cfg(test)]
mod content;
#[cfg(test)]
mod event_streams;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod guessing;
#[cfg(test)]
mod idempotency;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod market_cache;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod people;
#[cfg(test)]
mod permissions;
#[cfg(test)]
mod quotas;
#[cfg(test)]
mod rejections;
#[cfg(test)]
mod resolutions;
#[cfg(test)]
mod reversals;
#[cfg(test)]
mod searching;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod settlements;
#[cfg(test)]
mod support;
#[cfg(test)]
mod undone_settlements;
#[cfg(test)]
mod unknown_commits;
#[cfg(test)]
mod webhooks;
