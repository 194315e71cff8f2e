//! Reference page of the settings: descriptions from the comments of the default file, allowed
//! values from the code that reads them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt::Write as _;

use super::setting::{Allowed, Setting};
use super::{ConfigError, DEFAULT_TOML, OWN_NAMES, Settings};

const HEAD: &str = "\
# Configuration

Every setting, what it is unless it is set, and what it may be. This page is printed by `foretell
config reference`.

What comes later wins: the defaults below, those of the environment (`FORETELL_ENV` is `development`
unless it says `production`), the file given by `--config` or `FORETELL_CONFIG`, variables of the
environment. Whatever a variable can hold can also be in a file: a variable whose name ends in
`_FILE` names it, such as `DATABASE_URL_FILE=/run/secrets/database`.

`foretell config check` says what is wrong, all at once; `foretell config dump` prints each setting
with its value and where that is from, and no secret.
";

/// Returns the page, in Markdown.
///
/// # Errors
/// Errors of the built-in files, which have none.
pub(crate) fn reference() -> Result<String, ConfigError> {
    let load = |name: &str| {
        let environment = (OsString::from("FORETELL_ENV"), OsString::from(name));
        Settings::load_with_origins([environment], None).map(|(_, settings)| settings)
    };
    let production: BTreeMap<_, _> =
        load("production")?.into_iter().map(|setting| (setting.key, setting.value)).collect();
    let descriptions = descriptions(DEFAULT_TOML);
    let mut page = HEAD.to_owned();
    let mut section = "";
    let settings = load("development")?;
    for setting in &settings {
        let of = setting.key.split_once('.').map_or("", |(section, _)| section);
        if of != section {
            section = of;
            let _ = write!(page, "\n## {section}\n");
        }
        let described = descriptions.get(&setting.key).map_or("", String::as_str);
        let in_production = production.get(&setting.key).filter(|value| **value != setting.value);
        let _ = write!(page, "\n### `{}`\n\n{described}\n\n", setting.key);
        page.push_str(&facts(setting, in_production));
    }
    Ok(page)
}

/// Returns the allowed values, the default, and the variable.
fn facts(setting: &Setting, in_production: Option<&String>) -> String {
    let own = OWN_NAMES.iter().find(|(key, _)| *key == setting.key);
    let own = own.map_or_else(String::new, |(_, name)| format!(" or `{name}`"));
    let production =
        in_production.map_or_else(String::new, |value| format!(", in production `{value}`"));
    let kind = match &setting.allowed {
        Allowed::Text if setting.value == "\"\"" => "a text, which may be empty".to_owned(),
        allowed => allowed.to_string(),
    };
    format!("- {kind}; `{}`{production}\n- `{}`{own}\n", setting.value, setting.variable())
}

/// Returns the comment above each key of a file; consecutive keys share theirs.
fn descriptions(toml: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let (mut section, mut comment, mut is_fresh) = ("", String::new(), true);
    for line in toml.lines() {
        if let Some(text) = line.strip_prefix("# ") {
            if is_fresh {
                comment.clear();
            } else {
                comment.push('\n');
            }
            is_fresh = false;
            comment.push_str(text);
        } else if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            section = name;
            is_fresh = true;
        } else if let Some((key, _)) = line.split_once(" = ") {
            found.insert(format!("{section}.{key}"), comment.clone());
            is_fresh = true;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checked_in_page_is_current() {
        let kept = include_str!("../../../../docs/configuration.md");
        assert!(
            kept == reference().unwrap(),
            "run: foretell config reference > docs/configuration.md"
        );
    }

    #[test]
    fn every_setting_is_described_with_its_bounds() {
        let descriptions = descriptions(DEFAULT_TOML);
        for setting in Settings::load_with_origins([], None).unwrap().1 {
            let description = descriptions.get(&setting.key).map_or("", String::as_str);
            assert!(
                !description.is_empty(),
                "{} has no comment in config/default.toml",
                setting.key
            );
            if let Allowed::Number(range) = &setting.allowed {
                let bound = range.end().to_string();
                assert!(
                    description.contains(&bound),
                    "the comment on {} lacks its bound {bound}",
                    setting.key
                );
            }
        }
    }

    #[test]
    fn consecutive_keys_share_comment() {
        let found = descriptions("[a]\n# First,\n# and more.\nb = 1\nc = 2\n\n# Second.\nd = 3\n");
        let check = |key: &str, expected: &str| assert_eq!(found[key], expected, "{key}");
        check("a.b", "First,\nand more.");
        check("a.c", "First,\nand more.");
        check("a.d", "Second.");
    }
}
