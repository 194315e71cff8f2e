//! Tests of the error messages for mistakes in the settings.

use super::*;

#[test]
fn unknown_variable_is_reported_with_suggestion() {
    let check = |name: &str, expected: &str| {
        check_variable(
            name,
            "x",
            &format!("{expected} is not a setting; did you mean FORETELL__SERVER__BIND?"),
        );
    };
    check("FORETELL__SERVER__BNID", "server.bnid (in FORETELL__SERVER__BNID)");
    check("FORETELL__BIND", "bind (in FORETELL__BIND)");
    check("FORETELL__SERVER__bind", "SERVER.bind (in FORETELL__SERVER__bind)");
    check("FORETELL__SERVER__BIND__", "server.bind. (in FORETELL__SERVER__BIND__)");
    check_variable(
        "FORETELL__WEATHER__FORECAST",
        "x",
        "weather.forecast (in FORETELL__WEATHER__FORECAST) is not a setting",
    );
}

#[test]
fn unknown_key_is_reported_with_suggestion() {
    let check = |text: &str, expected: &str| {
        let message = message(load_with(&[], Some(text)));
        assert_eq!(message, format!("the configuration is not valid:\n- {expected}"), "{text}");
    };
    check(
        "[sever]\nbind = 1",
        "sever.bind (in own.toml) is not a setting; did you mean server.bind?",
    );
    check("bind = 1", "bind (in own.toml) is not a setting; did you mean server.bind?");
    check(
        "currency = 1",
        "currency (in own.toml) is not a setting; did you mean currency.code or currency.decimals?",
    );
    check("[currency.code]\nname = 1", "currency.code.name (in own.toml) is not a setting");
}

#[test]
fn bad_values_are_reported_with_allowed_values() {
    let check = |key: &str, value: &str, reason: &str| {
        let name = written_in("FORETELL__", key);
        check_variable(&name, value, &format!("{key} (in {name}) is {value:?}: {reason}"));
    };
    let address = "must be an IP address and a port, such as \"127.0.0.1:8080\"";
    check("server.bind", "localhost:8080", address);
    check("server.bind", "127.0.0.1", address);
    check("server.workers", "many", "must be a whole number from 0 to 1024");
    check("server.workers", "-1", "must be a whole number from 0 to 1024");
    check("server.workers", "1025", "must be a whole number from 0 to 1024");
    check("server.workers", "99999999999999999999", "must be a whole number from 0 to 1024");
    check("server.workers", "", "must be a whole number from 0 to 1024");
    check("server.keep_alive_s", "0", "must be a whole number from 1 to 3600");
    check("server.shutdown_timeout_s", "1.5", "must be a whole number from 0 to 3600");
    check("server.request_body_timeout_s", "0", "must be a whole number from 1 to 3600");
    check("server.answer_timeout_ms", "99", "must be a whole number from 100 to 600000");
    check("server.max_body_bytes", "1023", "must be a whole number from 1024 to 67108864");
    check("data.dir", "", "must be the path of a folder");
    check("database.read_connections", "1001", "must be a whole number from 0 to 1000");
    check("database.write_connections", "1001", "must be a whole number from 0 to 1000");
    check("database.wait_ms", "0", "must be a whole number from 1 to 60000");
    check("currency.code", "play", "a currency code has 3 to 8 capital letters");
    check("currency.decimals", "9", "must be a whole number from 0 to 8");
    check("accounts.signup_grant", "1e3", "an amount is a decimal number such as \"12.50\"");
    check("accounts.signup_grant", "1.001", "an amount has at most 2 digits after the point");
    check("accounts.registration", "public", "must be open, invite, domains or closed");
    check("accounts.registration", "domains", "needs accounts.allowed_domains");
    check(
        "accounts.allowed_domains",
        "example.org, @example.com",
        "must be domains of email addresses, such as example.org",
    );
    check("markets.fee_bps", "1001", "must be a whole number from 0 to 1000");
    check("auth.session_days", "0", "must be a whole number from 1 to 365");
    check("auth.secure_cookies", "on", "must be true or false");
    check("auth.hashing_threads", "257", "must be a whole number from 0 to 256");
    check("auth.login_attempts_per_account", "0", "must be a whole number from 1 to 1000000");
    check("auth.login_attempts_per_address", "0", "must be a whole number from 1 to 1000000");
    check("auth.login_window_s", "86401", "must be a whole number from 1 to 86400");
    check("server.allowed_origins", "*", &foretell_web::OriginError.to_string());
    check(
        "server.trusted_proxies",
        "10.0.0.0/33",
        "must be an IP address or a network, such as \"10.0.0.0/8\"",
    );
    let prefix = "must be 1 to 40 letters, digits and \"-\"";
    check("redis.prefix", "", prefix);
    check("redis.prefix", "a:b", prefix);
    check("redis.prefix", &"x".repeat(41), prefix);
    check("cache.entries", "0", "must be a whole number from 1 to 1000000");
    check("cache.entry_idle_s", "0", "must be a whole number from 1 to 86400");
    check("cache.shared_s", "0", "must be a whole number from 1 to 86400");
    check("cache.trust_ms", "60001", "must be a whole number from 0 to 60000");
    check("limits.read", "1000001", "must be a whole number from 0 to 1000000");
    check("quotas.drafts", "0", "must be a whole number from 1 to 1000000");
    check("quotas.sessions", "1001", "must be a whole number from 1 to 1000");
    check("quotas.min_subsidy", "0.001", "an amount has at most 2 digits after the point");
    check("limits.write", "-1", "must be a whole number from 0 to 1000000");
    check("limits.login", "many", "must be a whole number from 0 to 1000000");
    check("limits.window_s", "0", "must be a whole number from 1 to 86400");
    check("writer.lanes", "65", "must be a whole number from 0 to 64");
    check("writer.batch_size", "0", "must be a whole number from 1 to 4096");
    check("writer.queue", "0", "must be a whole number from 1 to 1000000");
    check("writer.max_wait_ms", "60001", "must be a whole number from 1 to 60000");
    check("idempotency.keep_days", "366", "must be a whole number from 1 to 365");
    check("log.format", "xml", "must be \"pretty\" or \"json\"");
    let levels = "`ifno` is no log level (off, error, warn, info, debug, trace)";
    check("log.filter", "ifno", &format!("{levels}; a target needs one: `ifno=debug`"));
    let long = "x".repeat(41);
    check("markets.extra_categories", &long, "must have 1 to 40 characters");
}

#[test]
fn values_of_wrong_type_are_rejected() {
    let check = |text: &str, expected: &str| {
        let message = message(load_with(&[], Some(text)));
        assert_eq!(message, format!("the configuration is not valid:\n- {expected}"), "{text}");
    };
    check("data.dir = 5", "data.dir (in own.toml) is 5: must be a text in quotes");
    check(
        "accounts.signup_grant = 5",
        "accounts.signup_grant (in own.toml) is 5: must be a text in quotes",
    );
    check(
        "writer.lanes = 1.5",
        "writer.lanes (in own.toml) is 1.5: must be a whole number from 0 to 64",
    );
    check(
        "writer.lanes = true",
        "writer.lanes (in own.toml) is true: must be a whole number from 0 to 64",
    );
    check(
        "auth.secure_cookies = 1",
        "auth.secure_cookies (in own.toml) is 1: must be true or false",
    );
    check(
        "markets.extra_categories = [\"a\", 1]",
        "markets.extra_categories (in own.toml) is [\"a\", 1]: must be a text in quotes",
    );
    check(
        "markets.extra_categories = 1",
        "markets.extra_categories (in own.toml) is 1: must be a list of texts",
    );
}

#[test]
fn categories_are_limited_in_number() {
    let list =
        |length: usize| (0..length).map(|index| format!("c{index}")).collect::<Vec<_>>().join(",");
    let name = "FORETELL__MARKETS__EXTRA_CATEGORIES";
    let settings = load(&[(name, &list(100))]).unwrap();
    assert_eq!(settings.markets.extra_categories.len(), 100);
    let message = message(load(&[(name, &list(101))]));
    assert!(message.ends_with("...: must have at most 100 entries"), "{message}");
}

#[test]
fn all_problems_are_reported_together() {
    let variables = [("FORETELL__SERVER__WORKERS", "many"), ("FORETELL__SERVER__BNID", "x")];
    let file = "[log]\nformat = \"xml\"\n[currency]\ncode = \"play\"\ndecimals = 9\n";
    let expected = "the configuration is not valid:
- server.bnid (in FORETELL__SERVER__BNID) is not a setting; did you mean FORETELL__SERVER__BIND?
- server.workers (in FORETELL__SERVER__WORKERS) is \"many\": must be a whole number from 0 to 1024
- currency.decimals (in own.toml) is 9: must be a whole number from 0 to 8
- currency.code (in own.toml) is \"play\": a currency code has 3 to 8 capital letters
- log.format (in own.toml) is \"xml\": must be \"pretty\" or \"json\"";
    assert_eq!(message(load_with(&variables, Some(file))), expected);
}

#[test]
fn missing_file_is_reported_with_cause() {
    let error = Settings::load(Vec::new(), Some(Path::new("/nowhere/own.toml"))).unwrap_err();
    assert_eq!(error.to_string(), "the file /nowhere/own.toml of the configuration cannot be read");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn malformed_file_is_reported_without_its_text() {
    let text = "[database]\nurl = \"postgres://u:hunter2@h/db\" oops\n";
    let message = message(load_with(&[], Some(text)));
    assert!(message.starts_with("own.toml is not valid TOML: "), "{message}");
    assert!(message.contains("line 2, column 35"), "{message}");
    assert!(!message.contains("hunter2") && !message.contains('\n'), "{message}");
}

#[test]
fn password_is_never_shown() {
    let settings = load(&[("DATABASE_URL", "postgres://ada:hunter2@db.example/foretell")]).unwrap();
    let debug = format!("{settings:?} {settings:#?}");
    assert!(debug.contains("db.example") && !debug.contains("hunter2"), "{debug}");

    let settings = load(&[("REDIS_URL", "redis://:hunter2@h/")]).unwrap();
    let debug = format!("{settings:?} {settings:#?}");
    assert!(debug.contains("RedisSettings") && !debug.contains("hunter2"), "{debug}");
    let error = load(&[("REDIS_URL", "rdis://:hunter2@h/")]).unwrap_err();
    let shown = format!("{error} {error:?} {error:#?}");
    assert!(shown.contains("redis.url") && !shown.contains("hunter2"), "{shown}");

    for file in [
        "database.url = \"mysql://ada:hunter2@h/db\"",
        "database.ulr = \"postgres://ada:hunter2@h/db\"",
        "database.url = [\"postgres://ada:hunter2@h/db\"]",
        "database = \"postgres://ada:hunter2@h/db\"",
    ] {
        let error = load_with(&[], Some(file)).unwrap_err();
        let shown = format!("{error} {error:?} {error:#?}");
        assert!(shown.contains("database") && !shown.contains("hunter2"), "{shown}");
    }
}
