//! Names that were replaced by standard terms, and may not come back.

use super::sources::{Source, read_sources, source};

/// Names that no item of a crate may have. The glossary in `ARCHITECTURE.md` has the terms to use.
const REPLACED: &str = "
    Answer Answering Appointment Certainty Complaint Desk Direction Exchange Fate FaultCode Faults
    Floor Heard Housekeeper IntoInput Known Letter Listing Loan Meaning News Office Patience Place
    Pulse Reach Rescue Scene Shape Shelf Staff Standing Stretch TakenUp Tally Telling Ticks Told
    Walk Wanted
    adopt appoint_user broken bury_job glance hold_subject keep_house keep_jobs keep_secret_once
    measures outside patience put_off_job readable rehearse stretch tally tell tell_webhook
    unhurried";

const KEYWORDS: &[&str] = &["const", "enum", "fn", "mod", "static", "struct", "trait", "type"];

/// Items of a source that have a replaced name.
fn name_violations(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    for (index, line) in source.text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        let words: Vec<_> = code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for pair in words.windows(2) {
            let [keyword, name] = pair else { continue };
            if KEYWORDS.contains(keyword) && REPLACED.split_whitespace().any(|old| old == *name) {
                violations.push(format!("{}:{}: {name} was replaced", source.path, index + 1));
            }
        }
    }
    violations
}

#[test]
fn item_with_replaced_name_is_rejected() {
    let violations = |text| name_violations(&source(text));
    assert_eq!(violations("/// A struct Letter.\nstruct OutgoingEmail;\nfn told() {}\n").len(), 0);
    assert_eq!(violations("\npub(crate) enum Fate {"), ["a.rs:2: Fate was replaced"]);
    assert_eq!(violations("mod keep_house;"), ["a.rs:1: keep_house was replaced"]);
    assert_eq!(violations("    pub async fn glance(&self) {"), ["a.rs:1: glance was replaced"]);
}

#[test]
fn crates_have_no_replaced_names() {
    let sources = read_sources("crates").unwrap();
    let violations: Vec<_> = sources.iter().flat_map(name_violations).collect();
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}
