//! Packages of the workspace and their dependencies, from Cargo.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

/// Metadata of Cargo: the manifest of each member, and the resolved dependencies of every package.
pub(super) struct Graph {
    pub(super) members: BTreeMap<String, Vec<Dependency>>,
    names: BTreeMap<String, String>,
    arrows: BTreeMap<String, Vec<String>>,
}

pub(super) struct Dependency {
    pub(super) name: String,
    pub(super) is_dev: bool,
    pub(super) is_optional: bool,
}

impl Graph {
    /// Reads the real workspace, for this machine's platform only: packages of other platforms may
    /// be absent.
    pub(super) fn of_workspace() -> Result<Self> {
        let version = cargo(&["-vV"])?;
        let host = version
            .lines()
            .find_map(|line| line.strip_prefix("host: "))
            .context("cargo -vV names no host")?;
        let options = ["metadata", "--format-version=1", "--locked", "--offline", "--all-features"];
        let metadata = cargo(&[&options[..], &["--filter-platform", host]].concat())?;
        Self::parse(&serde_json::from_str(&metadata)?)
    }

    /// Parses the output of `cargo metadata`.
    pub(super) fn parse(metadata: &Value) -> Result<Self> {
        let names = list(metadata, "packages")?
            .iter()
            .map(|package| Ok((text(package, "id")?, text(package, "name")?)))
            .collect::<Result<BTreeMap<_, _>>>()?;
        let ids: BTreeSet<_> =
            list(metadata, "workspace_members")?.iter().filter_map(Value::as_str).collect();
        let members = list(metadata, "packages")?
            .iter()
            .filter(|package| package["id"].as_str().is_some_and(|id| ids.contains(id)))
            .map(|package| Ok((text(package, "name")?, dependencies(package)?)))
            .collect::<Result<_>>()?;
        let arrows = list(&metadata["resolve"], "nodes")?
            .iter()
            .map(|node| Ok((text(node, "id")?, built_with(node)?)))
            .collect::<Result<_>>()?;
        Ok(Self { members, names, arrows })
    }

    /// Returns the names of all direct and indirect dependencies of a member's own code.
    pub(super) fn reached_from(&self, member: &str) -> BTreeSet<&str> {
        let mut waiting: Vec<&str> = self
            .names
            .iter()
            .filter(|(_, name)| *name == member)
            .map(|(id, _)| id.as_str())
            .collect();
        let mut seen = BTreeSet::new();
        while let Some(id) = waiting.pop() {
            if seen.insert(id) {
                waiting.extend(self.arrows.get(id).into_iter().flatten().map(String::as_str));
            }
        }
        seen.into_iter().filter_map(|id| self.names.get(id)).map(String::as_str).collect()
    }
}

/// Returns the dependencies in a manifest. Build dependencies count as normal ones.
fn dependencies(package: &Value) -> Result<Vec<Dependency>> {
    list(package, "dependencies")?
        .iter()
        .map(|dependency| {
            Ok(Dependency {
                name: text(dependency, "name")?,
                is_dev: dependency["kind"] == "dev",
                is_optional: dependency["optional"] == true,
            })
        })
        .collect()
}

/// Returns the ids of the packages that a node needs for more than its tests.
fn built_with(node: &Value) -> Result<Vec<String>> {
    let is_built_with = |dependency: &&Value| {
        dependency["dep_kinds"]
            .as_array()
            .is_none_or(|kinds| kinds.iter().any(|kind| kind["kind"] != "dev"))
    };
    list(node, "deps")?
        .iter()
        .filter(is_built_with)
        .map(|dependency| text(dependency, "pkg"))
        .collect()
}

fn list<'a>(value: &'a Value, key: &str) -> Result<&'a Vec<Value>> {
    value[key].as_array().with_context(|| format!("cargo metadata has no list {key}"))
}

fn text(value: &Value, key: &str) -> Result<String> {
    Ok(value[key].as_str().with_context(|| format!("cargo metadata has no text {key}"))?.to_owned())
}

/// The output of a command of Cargo.
pub(super) fn cargo(arguments: &[&str]) -> Result<String> {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let output = Command::new(program).args(arguments).current_dir(super::root()).output()?;
    ensure!(
        output.status.success(),
        "cargo {arguments:?} failed: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(String::from_utf8(output.stdout)?)
}
