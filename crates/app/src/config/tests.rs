//! Tests of the settings: layers, their precedence, and error messages.

mod mistakes;
mod telemetry;

use foretell_domain::money::Amount;
use foretell_domain::registration::RegistrationPolicy;
use foretell_ports::rate_limit::Budget;
use foretell_telemetry::LogFormat;
use foretell_web::TrustedProxies;

use super::layer::written_in;
use super::reader::SECONDS_PER_DAY;
use super::*;

fn os(variables: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    variables.iter().map(|&(name, value)| (name.into(), value.into())).collect()
}

/// Loads settings with these variables and no file.
fn load(variables: &[(&str, &str)]) -> Result<Settings, ConfigError> {
    load_with(variables, None)
}

fn load_with(variables: &[(&str, &str)], file: Option<&str>) -> Result<Settings, ConfigError> {
    let (_dir, config_path) = own_file(file);
    Settings::load(os(variables), config_path.as_deref())
}

/// Creates a file of the operator with this text, if any, and its folder.
fn own_file(text: Option<&str>) -> (tempfile::TempDir, Option<PathBuf>) {
    let dir = tempfile::tempdir().unwrap();
    let path = text.map(|text| {
        let path = dir.path().join("own.toml");
        std::fs::write(&path, text).unwrap();
        path
    });
    (dir, path)
}

fn check_log(settings: &Settings, format: LogFormat, filter: &str) {
    let log = &settings.telemetry.log;
    assert_eq!((log.format, log.filter.as_str()), (format, filter));
}

/// Returns the lines of the message, with the file's path replaced by `own.toml`.
fn message(outcome: Result<Settings, ConfigError>) -> String {
    let message = outcome.expect_err("it should not load").to_string();
    let words = message.split(' ').map(|word| match word.rsplit_once("/own.toml") {
        Some((_, rest)) if word.starts_with('(') => format!("(own.toml{rest}"),
        Some((_, rest)) => format!("own.toml{rest}"),
        None => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Checks the message for one variable with a bad value, after the first line.
fn check_variable(name: &str, value: &str, expected: &str) {
    let message = message(load(&[(name, value)]));
    assert_eq!(message, format!("the configuration is not valid:\n- {expected}"));
}

#[test]
fn development_defaults_match_documentation() {
    let settings = load(&[]).unwrap();
    assert_eq!(
        settings.server,
        Server {
            bind: "127.0.0.1:8080".parse().unwrap(),
            workers: None,
            keep_alive: Duration::from_secs(75),
            shutdown_timeout: Duration::from_secs(30),
            drain_delay: Duration::ZERO,
            unread_timeout: Duration::from_secs(30),
            request_body_timeout: Duration::from_secs(15),
            answer_timeout: Duration::from_secs(2),
            max_connections: None,
            connections_per_address: None,
            max_body_bytes: 1_048_576,
            allowed_origins: Vec::new(),
            trusted_proxies: TrustedProxies::default(),
        }
    );
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite(PathBuf::from("./data/foretell.db")));
    assert_eq!((settings.database.read_connections, settings.database.write_connections), (4, 1));
    assert_eq!(settings.database.wait, Duration::from_secs(2));
    assert!(settings.redis.is_none());
    assert_eq!(
        settings.cache,
        Cache {
            entries: 500,
            entry_idle: Duration::from_mins(5),
            shared: Duration::from_mins(5),
            trust: Duration::from_secs(1),
        }
    );
    let invalid_tokens = Some(Budget { quota: 60, window: Duration::from_mins(1) });
    assert_eq!(settings.limits, RequestLimits { invalid_tokens, ..RequestLimits::default() });
    let streams = StreamLimits { per_user: Some(20), per_address: Some(100), total: Some(10_000) };
    assert_eq!(settings.streams, streams);
    let min_subsidy = Amount::new(100).ok();
    assert_eq!(settings.quotas, Quotas { min_subsidy, ..Quotas::default() });
    assert_eq!(settings.currency, Currency::new("PLAY", 2).unwrap());
    assert_eq!(settings.accounts.signup_grant, Some(Amount::new(100_000).unwrap()));
    let rules = MarketRules::default();
    assert_eq!(settings.markets, Markets { fee_bps: 0, rules, extra_categories: Vec::new() });
    let session_lifetime = Duration::from_secs(30 * SECONDS_PER_DAY);
    let session_trust = Duration::from_secs(1);
    assert_eq!(
        settings.auth,
        Auth {
            session_lifetime,
            session_trust,
            secure_cookies: false,
            hashing_threads: None,
            login_limits: LoginLimits::default(),
        }
    );
    let max_wait = Duration::from_secs(1);
    assert_eq!(settings.writer, Writer { lanes: None, batch_size: 256, queue: 65_536, max_wait });
    assert_eq!(settings.idempotency.keep, Duration::from_secs(7 * SECONDS_PER_DAY));
    check_log(&settings, LogFormat::Pretty, "info,actix_server=warn,foretell_request=warn");
    assert_eq!(settings.jobs, WorkerSettings::default());
    assert!(matches!(
        &settings.mail.transport,
        Transport::Outbox { folder, .. } if folder.ends_with("data/outbox")
    ));
    let timeout = Duration::from_secs(15);
    assert_eq!(settings.webhooks, SenderSettings { allow_private: false, timeout });
}

#[test]
fn smtp_transport_requires_host() {
    let smtp = ("FORETELL__MAIL__TRANSPORT", "smtp");
    let password = ("FORETELL__MAIL__SMTP_PASSWORD", "open sesame");
    let settings =
        load(&[smtp, password, ("FORETELL__MAIL__SMTP_HOST", "mail.example.org")]).unwrap();
    assert!(
        matches!(&settings.mail.transport, Transport::Smtp(smtp) if smtp.credentials.is_none())
    );
    let expected =
        "mail.smtp_host (in config/default.toml) is \"\": must be the name of the mail server";
    assert_eq!(message(load(&[smtp])), format!("the configuration is not valid:\n- {expected}"));
}

#[test]
fn production_has_secure_cookies_limits_and_json_logs() {
    let settings = load(&[("FORETELL_ENV", "production")]).unwrap();
    let budget = |quota| Some(Budget { quota, window: Duration::from_mins(1) });
    let limits = RequestLimits {
        read: budget(6_000),
        write: budget(1_200),
        log_in: budget(60),
        invalid_tokens: budget(60),
    };
    assert_eq!(settings.limits, limits);
    assert!(settings.auth.secure_cookies);
    assert_eq!(settings.telemetry.log.format, LogFormat::Json);
}

#[test]
fn unknown_environment_is_rejected() {
    for name in ["", "development"] {
        let settings = load(&[("FORETELL_ENV", name)]).unwrap();
        assert!(!settings.auth.secure_cookies, "{name:?}");
    }
    let expected = "FORETELL_ENV is \"prod\"; it must be \"development\" or \"production\"";
    assert_eq!(message(load(&[("FORETELL_ENV", "prod")])), expected);
}

#[test]
fn every_key_of_the_default_file_is_read() {
    let mut reader = Reader::new(Layer::parse("default", DEFAULT_TOML).unwrap(), Vec::new());
    read_settings(&mut reader).unwrap();
    assert_eq!(reader.unread_keys(), Vec::<&str>::new());
}

#[test]
fn key_missing_from_defaults_is_reported() {
    let mut reader = Reader::new(Layer::parse("default", "").unwrap(), Vec::new());
    assert!(reader.flag("auth.secure_cookies").is_none());
    assert_eq!(reader.finish().unwrap_err().len(), 1);
}

#[test]
fn later_layers_take_precedence() {
    let production = ("FORETELL_ENV", "production");
    let file = Some("[auth]\nsecure_cookies = false\n[log]\nfilter = \"warn\"\n");
    let settings = load_with(&[production], file).unwrap();
    assert!(!settings.auth.secure_cookies, "the file goes before production.toml");
    check_log(&settings, LogFormat::Json, "warn");

    let variable = ("FORETELL__LOG__FILTER", "error");
    let settings = load_with(&[production, variable], file).unwrap();
    assert_eq!(settings.telemetry.log.filter, "error", "the variable goes before the file");
}

#[test]
fn database_url_precedes_other_layers() {
    let file = Some("[database]\nurl = \"sqlite:file.db\"\n");
    let check = |variables: &[(&str, &str)], expected: &str| {
        let settings = load_with(variables, file).unwrap();
        assert_eq!(settings.database.url, expected.parse().unwrap(), "{variables:?}");
    };
    let variable = ("FORETELL__DATABASE__URL", "sqlite:variable.db");
    check(&[], "sqlite:file.db");
    check(&[variable], "sqlite:variable.db");
    check(&[variable, ("DATABASE_URL", "postgres://u:pw@h/db")], "postgres://u:pw@h/db");
    check(&[variable, ("DATABASE_URL", "")], "sqlite:variable.db");
}

#[test]
fn redis_url_precedes_other_layers() {
    let check = |variables: &[(&str, &str)], expected: Option<&str>| {
        let settings = load_with(variables, Some("redis.prefix = \"tests\"\n")).unwrap();
        let redis = settings.redis.map(|redis| (redis.url, redis.prefix));
        assert_eq!(
            redis,
            expected.map(|url| (url.to_owned(), "tests".to_owned())),
            "{variables:?}"
        );
    };
    let variable = ("FORETELL__REDIS__URL", "redis://variable/");
    check(&[], None);
    check(&[("REDIS_URL", "redis://:pw@h:6380/1")], Some("redis://:pw@h:6380/1"));
    check(&[variable, ("REDIS_URL", "redis://h/")], Some("redis://h/"));
    check(&[variable, ("REDIS_URL", "")], Some("redis://variable/"));
}

#[test]
fn zero_limit_means_unlimited() {
    let variables = [("FORETELL__LIMITS__READ", "9"), ("FORETELL__LIMITS__WINDOW_S", "3")];
    let limits = load(&variables).unwrap().limits;
    let read = Some(Budget { quota: 9, window: Duration::from_secs(3) });
    let invalid_tokens = Some(Budget { quota: 60, window: Duration::from_secs(3) });
    assert_eq!(limits, RequestLimits { read, invalid_tokens, ..RequestLimits::default() });
}

#[test]
fn default_connections_depend_on_database() {
    let postgres = ("DATABASE_URL", "postgres://h/db");
    let database = load(&[postgres]).unwrap().database;
    assert_eq!((database.read_connections, database.write_connections), (8, 4));
    let read = ("FORETELL__DATABASE__READ_CONNECTIONS", "20");
    let database = load(&[postgres, read]).unwrap().database;
    assert_eq!((database.read_connections, database.write_connections), (20, 4));
}

#[test]
fn sqlite_file_is_in_data_folder() {
    let settings = load(&[("FORETELL__DATA__DIR", "/var/lib/foretell")]).unwrap();
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite("/var/lib/foretell/foretell.db".into()));
}

#[test]
fn command_line_file_precedes_variable() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, lanes: usize| {
        let path = dir.path().join(name);
        std::fs::write(&path, format!("[writer]\nlanes = {lanes}\n")).unwrap();
        path
    };
    let (one, two) = (write("one.toml", 1), write("two.conf", 2));
    let variables = os(&[("FORETELL_CONFIG", one.to_str().unwrap())]);
    let lanes = |path: Option<&Path>| {
        Settings::load(variables.clone(), path).unwrap().writer.lanes.unwrap().get()
    };
    assert_eq!((lanes(None), lanes(Some(&two))), (1, 2));
}

#[test]
fn variables_can_set_every_type_of_value() {
    let settings = load(&[
        ("FORETELL__SERVER__BIND", "[::1]:0"),
        ("FORETELL__SERVER__WORKERS", "3"),
        ("FORETELL__AUTH__SECURE_COOKIES", "true"),
        ("FORETELL__AUTH__HASHING_THREADS", "2"),
        ("FORETELL__MARKETS__EXTRA_CATEGORIES", "weather, science,"),
        ("FORETELL__CURRENCY__DECIMALS", "0"),
        ("FORETELL__ACCOUNTS__SIGNUP_GRANT", "25"),
    ])
    .unwrap();
    assert_eq!(settings.server.bind.to_string(), "[::1]:0");
    assert_eq!(settings.server.workers, NonZeroUsize::new(3));
    assert!(settings.auth.secure_cookies);
    assert_eq!(settings.auth.hashing_threads, NonZeroUsize::new(2));
    assert_eq!(settings.markets.extra_categories, ["weather", "science"]);
    assert_eq!(settings.accounts.signup_grant, Some(Amount::new(25).unwrap()));
}

#[test]
fn registration_modes_are_read() {
    let mode = |name: &str| {
        let domains = ("FORETELL__ACCOUNTS__ALLOWED_DOMAINS", "Bücher.example, example.org");
        let settings = load(&[("FORETELL__ACCOUNTS__REGISTRATION", name), domains]);
        settings.unwrap().accounts.registration
    };
    let domains = ["xn--bcher-kva.example", "example.org"]
        .map(|name| foretell_domain::text::EmailDomain::new(name).unwrap());
    assert_eq!(mode("open"), RegistrationPolicy::Open);
    assert_eq!(mode("invite"), RegistrationPolicy::Invite);
    assert_eq!(mode("domains"), RegistrationPolicy::Domains(domains.to_vec()));
    assert_eq!(mode("closed"), RegistrationPolicy::Closed);
}

#[test]
fn missing_grant_is_zero_or_empty() {
    for text in ["", "0", "0.00"] {
        let settings = load(&[("FORETELL__ACCOUNTS__SIGNUP_GRANT", text)]).unwrap();
        assert_eq!(settings.accounts.signup_grant, None, "{text:?}");
    }
}

#[test]
fn foreign_variables_are_ignored() {
    load(&[
        ("REDIS_URL", "redis://localhost"),
        ("FORETELL_PORT", "tcp://10.0.0.1:80"),
        ("FORETELL_SERVICE_HOST", "10.0.0.1"),
        ("PATH", "/bin"),
    ])
    .unwrap();
}

#[test]
fn invalid_text_in_environment_is_ignored() {
    use std::os::unix::ffi::OsStringExt as _;
    let not_text = || OsString::from_vec(vec![b'x', 0xff]);
    let variables = [(not_text(), "x".into()), ("FORETELL__DATA__DIR".into(), not_text())];
    let settings = Settings::load(variables, None).unwrap();
    assert_eq!(settings.database.url, DatabaseUrl::Sqlite("x\u{fffd}/foretell.db".into()));
}

#[test]
fn value_is_read_from_file_variable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    std::fs::write(&path, "redis://:hush@localhost/\n").unwrap();
    let path = path.to_str().unwrap();
    for name in ["REDIS_URL_FILE", "FORETELL__REDIS__URL_FILE"] {
        let (settings, read) = Settings::load_with_origins(os(&[(name, path)]), None).unwrap();
        assert_eq!(settings.redis.unwrap().url, "redis://:hush@localhost/", "{name}");
        let read = read.into_iter().find(|setting| setting.key == "redis.url").unwrap();
        assert_eq!(
            (read.value.as_str(), read.origin),
            (setting::HIDDEN, format!("{name}, {path}"))
        );
    }
    assert!(
        load(&[("REDIS_URL_FILE", ""), ("FORETELL__REDIS__URL_FILE", "")]).unwrap().redis.is_none()
    );

    let both =
        |plain: &str, file: &str| message(load(&[(plain, "redis://localhost/"), (file, path)]));
    let said = "REDIS_URL and REDIS_URL_FILE are both set; leave one of them out";
    assert_eq!(both("REDIS_URL", "REDIS_URL_FILE"), said);
    let said =
        "FORETELL__REDIS__URL and FORETELL__REDIS__URL_FILE are both set; leave one of them out";
    assert_eq!(both("FORETELL__REDIS__URL", "FORETELL__REDIS__URL_FILE"), said);

    let nowhere = message(load(&[("DATABASE_URL_FILE", "/nowhere/secret")]));
    assert_eq!(nowhere, "the file /nowhere/secret of the configuration cannot be read");
}

#[test]
fn settings_have_origin_of_value() {
    let file = Some("[writer]\nqueue = 17\n");
    let (dir, path) = own_file(file);
    let variables = os(&[("FORETELL__LOG__FILTER", "warn")]);
    let (_, read) = Settings::load_with_origins(variables, path.as_deref()).unwrap();
    drop(dir);
    let check = |key: &str, value: &str, origin: &str| {
        let setting = read.iter().find(|setting| setting.key == key).unwrap();
        assert_eq!(setting.value, value, "{key}");
        assert!(setting.origin.ends_with(origin), "{key} is from {}", setting.origin);
    };
    check("writer.queue", "17", "/own.toml");
    check("log.filter", "\"warn\"", "FORETELL__LOG__FILTER");
    check("auth.secure_cookies", "false", "config/development.toml");
    check("server.bind", "\"127.0.0.1:8080\"", "config/default.toml");
    check("database.url", "\"\"", "config/default.toml");
}
