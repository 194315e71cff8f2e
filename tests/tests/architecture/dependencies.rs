//! Allowed dependencies between crates, and on libraries.

use anyhow::Result;
use serde_json::{Value, json};

use super::graph::{Dependency, Graph, cargo};

/// Our crates that a crate may depend on, and those that only its tests may.
struct Row {
    member: &'static str,
    normal: &'static [&'static str],
    dev: &'static [&'static str],
}

/// Every member of the workspace, and every allowed dependency. A normal dependency may be a
/// dev-dependency too.
const ARROWS: &[Row] = &[
    Row { member: "domain", normal: &[], dev: &[] },
    Row { member: "ports", normal: &["domain"], dev: &["testkit"] },
    Row { member: "expiring-map", normal: &[], dev: &[] },
    Row {
        member: "application",
        normal: &["domain", "ports", "expiring-map"],
        dev: &["foretell", "testkit"],
    },
    Row { member: "persistence", normal: &["domain", "ports"], dev: &["testkit"] },
    Row { member: "cache", normal: &["domain", "ports", "expiring-map"], dev: &["testkit"] },
    Row {
        member: "jobs",
        normal: &["domain", "ports", "application"],
        dev: &["foretell", "testkit"],
    },
    Row { member: "mail", normal: &["domain", "ports"], dev: &["testkit"] },
    Row { member: "webhooks", normal: &["domain", "ports"], dev: &["testkit"] },
    Row { member: "embedding", normal: &["domain", "ports"], dev: &[] },
    Row { member: "security", normal: &["domain", "ports"], dev: &["testkit"] },
    Row {
        member: "web",
        normal: &["domain", "ports", "application"],
        dev: &["foretell", "testkit"],
    },
    Row { member: "telemetry", normal: &[], dev: &[] },
    Row { member: "testkit", normal: &["domain", "ports"], dev: &[] },
    Row {
        member: "foretell",
        normal: &[
            "domain",
            "ports",
            "application",
            "persistence",
            "cache",
            "security",
            "jobs",
            "mail",
            "webhooks",
            "embedding",
            "web",
            "testkit",
        ],
        dev: &[],
    },
    Row {
        member: "app",
        normal: &[
            "foretell",
            "domain",
            "ports",
            "application",
            "persistence",
            "cache",
            "security",
            "jobs",
            "mail",
            "webhooks",
            "embedding",
            "web",
            "telemetry",
        ],
        dev: &["testkit"],
    },
    Row {
        member: "tests",
        normal: &[
            "domain",
            "ports",
            "application",
            "persistence",
            "security",
            "web",
            "telemetry",
            "testkit",
            "foretell",
            "app",
        ],
        dev: &[],
    },
    Row {
        member: "bench",
        normal: &["domain", "ports", "security", "tests"],
        dev: &["application", "foretell", "testkit"],
    },
];

/// Crates whose allowed libraries are all listed; dev-dependencies are free.
const CLOSED: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "idna",
            "idna_adapter",
            "libm",
            "rust-stemmers",
            "serde",
            "thiserror",
            "unicode-normalization",
            "unicode-properties",
            "unicode-script",
            "unicode-security",
            "url",
            "uuid",
        ],
    ),
    ("ports", &["async-trait", "secrecy", "thiserror"]),
    ("expiring-map", &["lru", "tokio"]),
];

/// Libraries that must be optional, enabled by a feature.
const OPTIONAL: &[(&str, &str)] = &[("domain", "serde"), ("foretell", "foretell-testkit")];

/// Libraries that only these crates may depend on, in any kind of dependency.
const OWNED: &[(&str, &[&str])] = &[
    ("actix-web", &["app", "bench", "foretell", "web"]),
    ("anyhow", &["app", "bench", "tests"]),
    ("deadpool-diesel", &["persistence"]),
    ("deadpool-redis", &["cache"]),
    ("diesel", &["bench", "persistence", "tests"]),
    ("diesel_migrations", &["persistence"]),
    ("libsqlite3-sys", &["persistence", "tests"]),
    ("lru", &["expiring-map"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("pq-sys", &["persistence", "tests"]),
    ("sentry", &["telemetry"]),
    ("tracing-opentelemetry", &["telemetry"]),
    ("ureq", &["app", "telemetry", "webhooks"]),
];

/// Libraries that a crate must not depend on even indirectly.
const UNREACHABLE: &[(&str, &str)] = &[("domain", "tokio"), ("ports", "tokio")];

/// Returns dependencies between members that are not in the table, members without a row and rows
/// without a member.
fn arrow_violations(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for row in ARROWS {
        if !graph.members.contains_key(&package(row.member)) {
            violations.push(format!(
                "the table of arrows has a row for {}, which is no member",
                row.member
            ));
        }
    }
    for (member, dependencies) in &graph.members {
        let Some(row) = ARROWS.iter().find(|row| package(row.member) == *member) else {
            violations.push(format!("{member} has no row in the table of arrows"));
            continue;
        };
        for dependency in
            dependencies.iter().filter(|dependency| graph.members.contains_key(&dependency.name))
        {
            let may =
                |allowed: &[&str]| allowed.iter().any(|name| package(name) == dependency.name);
            if !(may(row.normal) || dependency.is_dev && may(row.dev)) {
                let how = if dependency.is_dev { " even in its tests" } else { "" };
                violations.push(format!("{member} may not depend on {}{how}", dependency.name));
            }
        }
    }
    violations
}

/// Returns libraries of crates that must not depend on them.
fn library_violations(graph: &Graph) -> Vec<String> {
    let mut violations = Vec::new();
    for (member, dependencies) in &graph.members {
        let is = |name: &&str| package(name) == *member;
        let closed = CLOSED.iter().find(|(name, _)| is(name)).map(|(_, libraries)| libraries);
        for Dependency { name, is_dev, is_optional } in dependencies {
            let ours = graph.members.contains_key(name);
            if !ours
                && !is_dev
                && closed.is_some_and(|libraries| !libraries.contains(&name.as_str()))
            {
                violations.push(format!(
                    "{member} may not depend on {name}: its list of libraries is closed"
                ));
            }
            if !is_dev
                && !is_optional
                && OPTIONAL.iter().any(|(owner, library)| is(owner) && library == name)
            {
                violations.push(format!("{member} may depend on {name} only by a feature"));
            }
            if let Some((_, owners)) = OWNED.iter().find(|(library, _)| library == name)
                && !owners.iter().any(is)
            {
                violations.push(format!(
                    "{member} may not depend on {name}: only {} may",
                    owners.join(" and ")
                ));
            }
        }
    }
    violations
}

/// Returns libraries that a crate must not depend on indirectly.
fn reach_violations(graph: &Graph) -> Vec<String> {
    UNREACHABLE
        .iter()
        .filter(|(member, library)| graph.reached_from(&package(member)).contains(library))
        .map(|(member, library)| {
            format!("{} depends on {library}, perhaps through another library", package(member))
        })
        .collect()
}

/// The package of a member: the one that embeds all others has the name of the whole.
fn package(member: &str) -> String {
    if member == "foretell" { member.to_owned() } else { format!("foretell-{member}") }
}

/// Returns a workspace of all members in which `member` depends on `library`, which depends on
/// `tokio`.
fn workspace_with(member: &str, library: &str, kind: Option<&str>) -> Result<Graph> {
    let described = |name: &str| {
        let dependency = json!({"name": library, "kind": kind, "optional": false});
        let dependencies = if name == member { vec![dependency] } else { vec![] };
        json!({"id": name, "name": name, "dependencies": dependencies})
    };
    let mut members: Vec<String> = ARROWS.iter().map(|row| package(row.member)).collect();
    if !members.iter().any(|name| name == member) {
        members.push(member.to_owned());
    }
    let mut packages: Vec<Value> = members.iter().map(|name| described(name)).collect();
    packages.push(json!({"id": "tokio", "name": "tokio", "dependencies": []}));
    if !members.iter().any(|name| name == library) && library != "tokio" {
        packages.push(json!({"id": library, "name": library, "dependencies": []}));
    }
    let to = |id: &str, kind: Option<&str>| json!({"pkg": id, "dep_kinds": [{"kind": kind, "target": null}]});
    Graph::parse(&json!({
        "packages": packages,
        "workspace_members": members,
        "resolve": {"nodes": [
            {"id": member, "deps": [to(library, kind)]},
            {"id": library, "deps": [to("tokio", None)]},
        ]},
    }))
}

/// A member, its dependency, and the kind of the dependency.
type Case<'a> = (&'a str, &'a str, Option<&'a str>);

fn check(rule: fn(&Graph) -> Vec<String>, case: Case<'_>, expected: &[&str]) -> Result<()> {
    let (member, library, kind) = case;
    let violations = rule(&workspace_with(member, library, kind)?);
    assert_eq!(violations, expected, "{case:?}");
    Ok(())
}

#[test]
fn dependency_outside_table_is_violation() -> Result<()> {
    let check = |case, expected| check(arrow_violations, case, expected);
    check(("foretell-ports", "foretell-domain", None), &[])?;
    check(
        ("foretell-domain", "foretell-ports", None),
        &["foretell-domain may not depend on foretell-ports"],
    )?;
    check(
        ("foretell-persistence", "foretell-web", None),
        &["foretell-persistence may not depend on foretell-web"],
    )?;
    check(("foretell-web", "foretell-testkit", Some("dev")), &[])?;
    check(
        ("foretell-web", "foretell-testkit", None),
        &["foretell-web may not depend on foretell-testkit"],
    )?;
    check(
        ("foretell-web", "foretell-testkit", Some("build")),
        &["foretell-web may not depend on foretell-testkit"],
    )?;
    check(
        ("foretell-domain", "foretell-testkit", Some("dev")),
        &["foretell-domain may not depend on foretell-testkit even in its tests"],
    )?;
    Ok(())
}

#[test]
fn member_without_row_is_violation() -> Result<()> {
    check(
        arrow_violations,
        ("foretell-novel", "libm", None),
        &["foretell-novel has no row in the table of arrows"],
    )?;
    Ok(())
}

#[test]
fn row_without_member_is_violation() {
    let mut graph = workspace_with("foretell-domain", "libm", None).unwrap();
    graph.members.remove("foretell-web");
    assert_eq!(
        arrow_violations(&graph),
        ["the table of arrows has a row for web, which is no member"]
    );
}

#[test]
fn library_in_wrong_crate_is_violation() -> Result<()> {
    let check = |case, expected| check(library_violations, case, expected);
    check(("foretell-domain", "libm", None), &[])?;
    check(("foretell-domain", "proptest", Some("dev")), &[])?;
    check(
        ("foretell-domain", "rand", None),
        &["foretell-domain may not depend on rand: its list of libraries is closed"],
    )?;
    check(
        ("foretell-domain", "serde", None),
        &["foretell-domain may depend on serde only by a feature"],
    )?;
    check(("foretell-app", "anyhow", None), &[])?;
    check(
        ("foretell-web", "anyhow", None),
        &["foretell-web may not depend on anyhow: only app and bench and tests may"],
    )?;
    check(
        ("foretell-web", "diesel", Some("dev")),
        &["foretell-web may not depend on diesel: only bench and persistence and tests may"],
    )?;
    Ok(())
}

#[test]
fn indirect_library_is_violation() -> Result<()> {
    let violation = "foretell-ports depends on tokio, perhaps through another library";
    check(reach_violations, ("foretell-ports", "async-trait", None), &[violation])?;
    check(reach_violations, ("foretell-ports", "async-trait", Some("dev")), &[])?;
    check(reach_violations, ("foretell-web", "actix-web", None), &[])?;
    Ok(())
}

/// The features of the workspace's build are not those of the binary's own.
#[test]
fn released_binary_contains_no_testkit() {
    let tree = [
        "tree",
        "--package=foretell-app",
        "--edges=normal",
        "--prefix=none",
        "--locked",
        "--offline",
    ];
    let tree = cargo(&tree).unwrap();
    assert!(tree.lines().any(|line| line.starts_with("foretell v")), "{tree}");
    assert!(!tree.contains("foretell-testkit"), "{tree}");
}

#[test]
fn workspace_has_only_allowed_dependencies() {
    let graph = Graph::of_workspace().unwrap();
    let violations =
        [arrow_violations(&graph), library_violations(&graph), reach_violations(&graph)].concat();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
