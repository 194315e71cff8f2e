//! Rules for source files, and stricter ones for those of the inner crates.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

/// Names of clocks, the environment and threads, which the inner crates must not use.
const OUTER_WORDS: &[&str] =
    &["tokio::spawn", "thread::spawn", "std::env", "env::var", "SystemTime::now", "Instant::now"];

/// Crates in which these names must not appear.
const INNER_CRATES: &[&str] = &["domain", "ports"];

pub(super) struct Source {
    pub(super) path: String,
    pub(super) text: String,
}

/// Returns lines of an inner crate that use these names. Comments may contain them.
fn purity_violations(source: &Source) -> Vec<String> {
    let lines =
        source.text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"));
    lines
        .flat_map(|(index, line)| {
            let words = OUTER_WORDS.iter().filter(move |word| line.contains(**word));
            words
                .map(move |word| format!("{}:{}: {word} in an inner crate", source.path, index + 1))
        })
        .collect()
}

/// Returns a file that does not start with a module doc.
fn doc_violation(source: &Source) -> Option<String> {
    let first = source.text.lines().next().unwrap_or_default();
    let is_doc = first.strip_prefix("//! ").is_some_and(|rest| !rest.trim().is_empty());
    (!is_doc).then(|| {
        format!("{}:1: the file does not begin with a `//!` line that says what it is", source.path)
    })
}

/// Returns functions that write for a caller in a unit of work that does not authorize them.
fn authorization_violations(source: &Source) -> Vec<String> {
    let functions = source.text.split("fn ").skip(1);
    let unauthorized = functions.filter(|function| {
        let (signature, body) = function.split_once('{').unwrap_or((function, ""));
        let writes = ["units.run(", "units.try_run(", "Principal::System"];
        signature.contains("&Caller") && writes.iter().any(|write| body.contains(write))
    });
    unauthorized
        .map(|function| {
            let name = function.split(['(', '<']).next().unwrap_or_default();
            format!(
                "{}: {name} writes for a caller without `run_as` or the money writer",
                source.path
            )
        })
        .collect()
}

/// Returns all Rust files below a folder of the workspace, without hidden folders and Cargo's
/// output.
pub(super) fn read_sources(folder: &str) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    collect(&super::root().join(folder), folder, &mut sources)?;
    ensure!(!sources.is_empty(), "no Rust files under {folder}");
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(sources)
}

fn collect(folder: &Path, shown_as: &str, sources: &mut Vec<Source>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("reading {shown_as}"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{shown_as}/{name}");
        if entry.file_type()?.is_dir() {
            if !name.starts_with('.') && name != "target" {
                collect(&entry.path(), &path, sources)?;
            }
        } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text =
                fs::read_to_string(entry.path()).with_context(|| format!("reading {path}"))?;
            sources.push(Source { path, text });
        }
    }
    Ok(())
}

pub(super) fn source(text: &str) -> Source {
    Source { path: "a.rs".to_owned(), text: text.to_owned() }
}

#[test]
fn clock_or_thread_in_inner_crate_is_violation() {
    let violations = |text| purity_violations(&source(text));
    assert_eq!(violations("//! Knows no std::env.\nfn f(now: Timestamp) {}\n").len(), 0);
    assert_eq!(
        violations("//! A.\nlet t = SystemTime::now();\n"),
        ["a.rs:2: SystemTime::now in an inner crate"]
    );
    assert_eq!(
        violations("    let t = std::time::Instant::now();"),
        ["a.rs:1: Instant::now in an inner crate"]
    );
    assert_eq!(violations("tokio::spawn(async {});"), ["a.rs:1: tokio::spawn in an inner crate"]);
    assert_eq!(
        violations("use std::{env, fs};\n\nenv::var(\"A\");"),
        ["a.rs:3: env::var in an inner crate"]
    );
    assert_eq!(violations("use std::env;"), ["a.rs:1: std::env in an inner crate"]);
}

#[test]
fn unit_without_authorization_is_violation() {
    let violations = |text| authorization_violations(&source(text)).len();
    assert_eq!(
        violations(
            "async fn a(&self, caller: &Caller) -> A { self.run_as(caller, \"a\", work).await }"
        ),
        0
    );
    assert_eq!(
        violations("async fn a(&self) { units.run(\"a\", work) }\nfn b(caller: &Caller) { c() }"),
        0
    );
    assert_eq!(
        violations("fn a(caller: &Caller) {\n self.context.units.run(\"a\", work).await }"),
        1
    );
    assert_eq!(
        violations("fn a(caller: &Caller) {\n self.context.units.try_run(\"a\", work).await }"),
        1
    );
    assert_eq!(violations("fn a(caller: &Caller) { submit(Principal::System, command) }"), 1);
}

#[test]
fn use_cases_authorize_their_callers_in_the_unit() {
    let sources = read_sources("crates/application/src").unwrap();
    // The context itself reads the credential in the unit.
    let use_cases = sources.iter().filter(|source| !source.path.ends_with("src/context.rs"));
    let violations: Vec<_> = use_cases.flat_map(authorization_violations).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn file_without_module_doc_is_violation() {
    let violation = "a.rs:1: the file does not begin with a `//!` line that says what it is";
    assert_eq!(doc_violation(&source("//! What it is.\n\nuse std::fs;\n")), None);
    for text in ["", "use std::fs;\n", "// What it is.\n", "//! \n", "\n//! What it is.\n"] {
        assert_eq!(doc_violation(&source(text)).as_deref(), Some(violation), "{text:?}");
    }
}

#[test]
fn inner_crates_use_no_clock_or_thread() {
    let read = |name| read_sources(&format!("crates/{name}/src")).unwrap();
    let violations: Vec<_> =
        INNER_CRATES.iter().flat_map(read).flat_map(|source| purity_violations(&source)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn files_have_module_docs() {
    let sources =
        ["crates", "tests", "bench"].into_iter().flat_map(|folder| read_sources(folder).unwrap());
    let violations: Vec<_> = sources.filter_map(|source| doc_violation(&source)).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
