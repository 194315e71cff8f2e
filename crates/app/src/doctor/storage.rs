//! Checks of free space and backups of an SQLite database.

use foretell_persistence::DatabaseUrl;

use super::finding::{Finding, State};
use crate::config::Settings;

/// Free space below which there is a warning, and below a tenth of it a failure.
const LITTLE_SPACE: u64 = 1 << 30;
/// Age of the last backup, in seconds, above which there is a warning: a week.
const OLD_BACKUP_S: u64 = 7 * 24 * 3_600;

pub(super) fn disk(settings: &Settings) -> Option<Finding> {
    let DatabaseUrl::Sqlite(file) = &settings.database.url else { return None };
    let folder = file.parent().filter(|folder| folder.exists())?;
    let space = rustix::fs::statvfs(folder).ok()?;
    let free = space.f_bavail.saturating_mul(space.f_frsize);
    let what = format!("{} MiB are free at {}", free >> 20, folder.display());
    let finding = |state| {
        let why = "without space nothing can be stored; reading goes on";
        Finding::of(state, "disk", what.clone(), why, "make room, or move data.dir to another disk")
    };
    Some(match free {
        free if free < LITTLE_SPACE / 10 => finding(State::Failed),
        free if free < LITTLE_SPACE => finding(State::Warning),
        _ => Finding::ok("disk", what),
    })
}

pub(super) fn backups(settings: &Settings) -> Option<Finding> {
    let DatabaseUrl::Sqlite(file) = &settings.database.url else { return None };
    if !file.exists() {
        return None;
    }
    let ages = std::fs::read_dir(&settings.backups).into_iter().flatten().filter_map(|entry| {
        let entry = entry
            .ok()
            .filter(|entry| entry.path().extension().is_some_and(|ending| ending == "db"))?;
        entry.metadata().ok()?.modified().ok()?.elapsed().ok()
    });
    let what = match ages.min() {
        Some(age) if age.as_secs() < OLD_BACKUP_S => {
            return Some(Finding::ok(
                "backup",
                format!("the last one is {} hours old", age.as_secs() / 3_600),
            ));
        }
        Some(age) => format!("the last one is {} days old", age.as_secs() / 86_400),
        None => format!("there is none in {}", settings.backups.display()),
    };
    let why = "what happened since is lost with the disk, unless it is kept elsewhere";
    Some(Finding::of(State::Warning, "backup", what, why, "foretell backup create"))
}
