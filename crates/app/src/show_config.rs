//! `foretell config`: checks and prints the settings.

use std::path::Path;
use std::process::ExitCode;

use crate::cli::{ConfigCommand, say};
use crate::config::{self, Settings};

pub(crate) fn run(command: &ConfigCommand, config_path: Option<&Path>) -> anyhow::Result<ExitCode> {
    match command {
        ConfigCommand::Check => {
            Settings::load(std::env::vars_os(), config_path)?;
            say("the configuration is valid");
        }
        ConfigCommand::Dump => dump(config_path)?,
        ConfigCommand::Reference => say(config::reference()?.trim_end()),
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints a TOML file of all settings, each with the origin of its value.
fn dump(config_path: Option<&Path>) -> anyhow::Result<()> {
    let (_, settings) = Settings::load_with_origins(std::env::vars_os(), config_path)?;
    let mut section = "";
    for setting in &settings {
        let (of, key) = setting.key.split_once('.').unwrap_or(("", &setting.key));
        if of != section {
            say(format_args!("{}[{of}]", if section.is_empty() { "" } else { "\n" }));
            section = of;
        }
        say(format_args!("{key} = {} # {}", setting.value, setting.origin));
    }
    Ok(())
}
