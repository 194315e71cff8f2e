//! Programs in other languages that tests use, installed beside the built tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a command and returns its output; fails with all its output unless it succeeds.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}\n{printed}\n{errors}");
    printed
}

/// Returns the folder of the programs in the Python packages that `requirements` lists with their
/// versions. They are installed below `folder` once and kept until the requirements change.
pub fn python_programs(folder: &Path, requirements: &Path) -> PathBuf {
    let programs = folder.join("bin");
    let installed = folder.join("installed.txt");
    let wanted = fs::read(requirements).unwrap();
    if fs::read(&installed).ok().as_ref() != Some(&wanted) {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
        run(Command::new(programs.join("pip"))
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--requirement",
            ])
            .arg(requirements));
        fs::write(&installed, &wanted).unwrap();
    }
    programs
}
