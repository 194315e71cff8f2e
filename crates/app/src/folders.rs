//! Folders of the data.

use std::path::Path;

use anyhow::Context as _;

/// Creates a folder, unless it exists. The umask determines its mode.
pub(crate) fn create(folder: Option<&Path>) -> anyhow::Result<()> {
    let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) else {
        return Ok(());
    };
    std::fs::create_dir_all(folder)
        .with_context(|| format!("creating the folder {} failed", folder.display()))
}
