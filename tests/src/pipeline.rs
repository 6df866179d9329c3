// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples of pipelines in `ci/examples`, as the servers read them that they are for.

use std::fs;

use anyhow::{Context as _, Result};
use serde_yaml_ng::Value;

use crate::project;

/// A job: what its shell runs, and which files outlive it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Job {
    /// Lines for the shell, in order.
    pub script: Vec<String>,
    /// Variables that these lines are given.
    pub variables: Vec<(String, String)>,
    /// Patterns of what the next pipeline finds again.
    pub cached: Vec<String>,
    /// Patterns of what later jobs and people get.
    pub kept: Vec<String>,
    /// Patterns of what is left out of that.
    pub left_out: Vec<String>,
}

impl Job {
    /// A job of `gitlab.yml`.
    ///
    /// # Errors
    /// The file is no YAML, or has no such job.
    pub fn of_gitlab(name: &str) -> Result<Self> {
        let job = &example("gitlab.yml")?[name];
        anyhow::ensure!(job.is_mapping(), "no job {name}");
        Ok(Self {
            script: texts(&job["script"]),
            variables: pairs(&job["variables"]),
            cached: texts(&job["cache"]["paths"]),
            kept: texts(&job["artifacts"]["paths"]),
            left_out: texts(&job["artifacts"]["exclude"]),
        })
    }

    /// A job of `github.yml`.
    ///
    /// # Errors
    /// The file is no YAML, or has no such job.
    pub fn of_github(name: &str) -> Result<Self> {
        let document = example("github.yml")?;
        let steps = document["jobs"][name]["steps"].as_sequence();
        let mut job = Self::default();
        for step in steps.with_context(|| format!("no job {name}"))? {
            job.script.extend(step["run"].as_str().map(str::to_owned));
            job.variables.extend(pairs(&step["env"]));
            let action = step["uses"].as_str().unwrap_or_default();
            let paths = step["with"]["path"].as_str().unwrap_or_default().lines();
            if action.starts_with("actions/cache@") {
                job.cached.extend(paths.map(str::to_owned));
            } else if action.starts_with("actions/upload-artifact@") {
                let (out, kept): (Vec<_>, Vec<_>) = paths.partition(|path| path.starts_with('!'));
                job.kept.extend(kept.into_iter().map(str::to_owned));
                job.left_out.extend(out.into_iter().map(|path| path[1..].to_owned()));
            }
        }
        Ok(job)
    }
}

/// A file of `ci/examples`.
///
/// # Errors
/// It is not there, or no YAML.
pub fn example(name: &str) -> Result<Value> {
    let path = project::root().join("ci/examples").join(name);
    let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
    serde_yaml_ng::from_str(&text).with_context(|| format!("{name} is no YAML"))
}

/// The texts of a list.
#[must_use]
pub fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_sequence().into_iter().flatten().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

fn pairs(map: &Value) -> Vec<(String, String)> {
    let pairs = map.as_mapping().into_iter().flatten();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    pairs.filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect()
}
