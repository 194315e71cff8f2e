//! Tests of Redis servers that respond and still cannot be used.

use std::time::Duration;

use foretell_cache::{RedisCause, RedisProblem};

use crate::redis::{OwnRedis, settings};

/// Probes a Redis with these arguments, by a URL with these credentials and this database.
async fn cause(arguments: &[&str], credentials: &str, database: &str) -> Option<RedisCause> {
    let redis = OwnRedis::start_with(arguments);
    let url = redis.url().replace("redis://", &format!("redis://{credentials}")) + database;
    match settings(&url, "probed").probe().await {
        Ok(()) => None,
        Err(RedisProblem::Rejected(cause)) => Some(cause),
        Err(RedisProblem::Away(what)) => panic!("{arguments:?} {credentials:?}: {what}"),
    }
}

#[tokio::test]
async fn probe_reports_cause() {
    let password: &[&str] = &["--requirepass", "secret"];
    let user: &[&str] =
        &["--user", "ada", "on", ">secret", "~probed:*", "&probed:*", "+@all", "-@dangerous"];
    let elsewhere: &[&str] = &["--user", "ada", "on", ">secret", "~other:*", "&probed:*", "+@all"];
    let no_channel: &[&str] =
        &["--user", "ada", "on", ">secret", "~probed:*", "resetchannels", "+@all"];
    let no_script: &[&str] = &["--user", "ada", "on", ">secret", "~probed:*", "&probed:*", "+ping"];
    let folder = tempfile::tempdir().unwrap();
    let cluster: &[&str] = &["--cluster-enabled", "yes", "--dir", folder.path().to_str().unwrap()];
    for (arguments, credentials, database, expected) in [
        (&[] as &[&str], "", "", None),
        (password, ":secret@", "", None),
        (user, "ada:secret@", "", None),
        (password, "", "", Some(RedisCause::NoPassword)),
        (password, "", "3", Some(RedisCause::NoPassword)),
        (password, ":wrong@", "", Some(RedisCause::WrongPassword)),
        (user, "ada:wrong@", "", Some(RedisCause::WrongPassword)),
        (elsewhere, "ada:secret@", "", Some(RedisCause::NotPermitted)),
        (no_channel, "ada:secret@", "", Some(RedisCause::NotPermitted)),
        (no_script, "ada:secret@", "", Some(RedisCause::NotPermitted)),
        (cluster, "", "", Some(RedisCause::Cluster)),
        (&["--replicaof", "127.0.0.1 1"], "", "", Some(RedisCause::ReadOnly)),
        (&["--maxmemory", "1"], "", "", Some(RedisCause::Full)),
    ] {
        assert_eq!(
            cause(arguments, credentials, database).await,
            expected,
            "{arguments:?} {credentials}"
        );
    }
}

#[tokio::test]
async fn stopped_redis_is_reported_as_away() {
    let mut redis = OwnRedis::start();
    let url = redis.url();
    redis.kill();
    let begun = std::time::Instant::now();
    assert!(matches!(settings(&url, "probed").probe().await, Err(RedisProblem::Away(_))));
    assert!(begun.elapsed() < Duration::from_secs(30));
}
