//! Programs from other languages that tests are done with: run to their end, and installed beside the built tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the command prints; fails with all that it said unless it succeeds.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{printed}\n{errors}");
    printed
}

/// The folder of the programs of the Python packages that `requirements` names with their versions. They are
/// installed below `folder` once and kept until the requirements change.
pub fn python_programs(folder: &Path, requirements: &Path) -> PathBuf {
    let programs = folder.join("bin");
    let installed = folder.join("installed.txt");
    let wanted = fs::read(requirements).unwrap();
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
        run(Command::new(programs.join("pip"))
            .args(["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement"])
            .arg(requirements));
        fs::write(&installed, &wanted).unwrap();
    }
    programs
}
