// SPDX-License-Identifier: MIT OR Apache-2.0
//! The committed schemas, and a validator that is not ours: Python's `jsonschema`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

use super::setup;
use crate::project;

/// Of `repro analyze --format json`.
pub const REPORT: &str = "report.schema.json";
/// Of `repro run --format json`.
pub const RUNS: &str = "runs.schema.json";

/// Reads a schema from the file that is named first, and a document from stdin.
const VALIDATE: &str = "\
import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
validator = jsonschema.validators.validator_for(schema, default=None)
validator.check_schema(schema)
errors = [f'{error.json_path}: {error.message}' for error in validator(schema).iter_errors(json.load(sys.stdin))]
sys.exit('\\n'.join(errors) or None)
";

/// The path of a committed schema.
#[must_use]
pub fn path(name: &str) -> PathBuf {
    project::root().join("docs").join(name)
}

/// Validates a document.
///
/// # Errors
/// It is not of that form.
pub fn check(schema: &str, document: &str) -> Result<()> {
    let output = duct::cmd!(setup::python()?, "-c", VALIDATE, path(schema))
        .stdin_bytes(document)
        .stderr_capture()
        .unchecked()
        .run()
        .context("start python")?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "not a document of {schema}: {said}");
    Ok(())
}
