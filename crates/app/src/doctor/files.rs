//! Permissions of Foretell's files: only their owner may read them.

use std::fs::{Metadata, metadata, read_dir};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use foretell_persistence::DatabaseUrl;

use super::finding::{Finding, State};
use crate::config::{Settings, Transport};

/// Permissions of the group and of others.
const OTHERS: u32 = 0o077;
/// Maximum number of paths in the finding; the repair command covers all.
const NAMED: usize = 3;

/// Paths that one command repairs.
struct Group {
    /// Folder that belongs to Foretell with everything in it; without one, each path is repaired by
    /// name.
    tree: Option<PathBuf>,
    /// Paths that others may access.
    exposed: Vec<PathBuf>,
}

impl Group {
    fn of_paths(paths: Vec<PathBuf>) -> Self {
        Self { tree: None, exposed: paths.into_iter().filter(|path| is_exposed(path)).collect() }
    }

    fn of_tree(folder: &Path) -> Self {
        let mut paths = vec![folder.to_owned()];
        paths.extend(entries(folder));
        Self { tree: Some(folder.to_owned()), ..Self::of_paths(paths) }
    }

    /// Returns the command that removes the permissions of others, if any have some.
    fn repair(&self) -> Option<String> {
        let words = || self.exposed.iter().map(|path| quoted(path)).collect::<Vec<_>>().join(" ");
        (!self.exposed.is_empty()).then(|| match &self.tree {
            Some(folder) => format!("chmod -R go= {}", quoted(folder)),
            None => format!("chmod go= {}", words()),
        })
    }
}

/// Checks the data folder, the `SQLite` file with its logs and copies, backups and stored emails.
pub(super) fn files(settings: &Settings) -> Finding {
    let data = settings.backups.parent().unwrap_or(Path::new("."));
    let mut paths = vec![data.to_owned()];
    if let DatabaseUrl::Sqlite(file) = &settings.database.url {
        paths.extend(database_files(file));
    }
    let mut groups = vec![Group::of_paths(paths), Group::of_tree(&settings.backups)];
    if let Transport::Outbox { folder, .. } = &settings.mail.transport {
        groups.push(Group::of_tree(folder));
    }
    finding(&groups)
}

fn finding(groups: &[Group]) -> Finding {
    let exposed: Vec<_> = groups.iter().flat_map(|group| &group.exposed).collect();
    if exposed.is_empty() {
        return Finding::ok("files", "only their owner can read them");
    }
    let named: Vec<_> = exposed.iter().take(NAMED).map(|path| quoted(path)).collect();
    let more = exposed.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let what = format!("other users of this machine may access {}{more}", named.join(", "));
    let why =
        "they hold email addresses, private posts, hashes of passwords and secrets of webhooks";
    let repairs: Vec<_> = groups.iter().filter_map(Group::repair).collect();
    Finding::of(State::Warning, "files", what, why, repairs.join(" && "))
}

/// Returns the database, its log files, and the files that a restore kept.
fn database_files(file: &Path) -> Vec<PathBuf> {
    let folder =
        file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(name) = file.file_name() else { return Vec::new() };
    let is_ours = |entry: &PathBuf| {
        let found = entry.file_name().map(std::ffi::OsStr::as_encoded_bytes);
        found.is_some_and(|found| found.starts_with(name.as_encoded_bytes()))
    };
    entries(folder).into_iter().filter(is_ours).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect()
}

/// Returns `true` if others have any permission. A path that does not exist or cannot be inspected
/// is ignored.
fn is_exposed(path: &Path) -> bool {
    metadata(path).as_ref().map(Metadata::mode).is_ok_and(|mode| mode & OTHERS != 0)
}

/// Returns a path quoted for a shell.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
