// SPDX-License-Identifier: MIT OR Apache-2.0
//! A repository with reviewed reports and reports that wait, written as the program writes them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use analyzer::render;
use analyzer::report::{Report, STABLE_FORM};
use serde_json::{Value, json};
use tests::project;

/// A form before that of the program.
pub(crate) const EARLIER: u32 = STABLE_FORM - 1;
pub(crate) const GUEST: &str = "debian-12";

/// A repository of somebody's own.
pub(crate) struct Repository {
    folder: tempfile::TempDir,
    program: PathBuf,
}

/// What a command printed, and what it ended with.
pub(crate) struct Printed {
    pub(crate) code: Option<i32>,
    pub(crate) text: String,
}

impl Repository {
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), program: project::repro().unwrap() }
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.folder.path().join(inside)
    }

    pub(crate) fn write(&self, inside: &str, bytes: impl AsRef<[u8]>) {
        let path = self.path(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    /// A case with a reviewed report, or one that waits (`.new`).
    pub(crate) fn report(&self, case: &str, ending: &str, form: u32, (text, data): (&str, &str)) {
        self.write(&format!("cases/{case}/case.toml"), "summary = \"x\"\n");
        for (name, text) in [("crash.txt.snap", text), ("crash.json.snap", data)] {
            let head = format!("source: case.toml\ndescription: x\ninfo:\n  form: {form}");
            let file = format!("cases/{case}/snapshots/{GUEST}/{name}{ending}");
            self.write(&file, format!("---\n{head}\n---\n{text}\n"));
        }
    }

    /// A report of an earlier form, and one of the program's own.
    pub(crate) fn earlier(&self, case: &str, old: &Value, new: &Value) {
        self.report(case, "", EARLIER, shown(old).borrowed());
        self.report(case, ".new", STABLE_FORM, shown(new).borrowed());
    }

    /// The reviewed text, and whether another one waits.
    pub(crate) fn reviewed(&self, case: &str) -> (String, bool) {
        let path = self.path(&format!("cases/{case}/snapshots/{GUEST}/crash.txt.snap"));
        let waits = path.with_extension("snap.new").exists();
        (fs::read_to_string(path).unwrap(), waits)
    }

    /// `repro` with these words, without a terminal.
    pub(crate) fn repro(&self, words: &str) -> Printed {
        let mut command = Command::new(&self.program);
        command.args(words.split_whitespace()).current_dir(self.folder.path());
        command.arg("--cache-dir").arg(self.path("cache"));
        let names = std::env::vars_os().map(|(name, _)| name);
        for name in names.filter(|name| name.to_string_lossy().starts_with("REPRO_")) {
            command.env_remove(name);
        }
        let output = command.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        Printed { code: output.status.code(), text: String::from_utf8(text).unwrap() }
    }
}

/// Text and data of a report.
pub(crate) struct Shown {
    pub(crate) text: String,
    pub(crate) data: String,
}

impl Shown {
    pub(crate) fn borrowed(&self) -> (&str, &str) {
        (self.text.trim_end(), self.data.trim_end())
    }
}

pub(crate) fn shown(data: &Value) -> Shown {
    let report: Report = serde_json::from_value(data.clone()).unwrap();
    Shown { text: render::text(&report), data: render::json(&report) }
}

/// The stable report of a NULL pointer in a module.
pub(crate) fn report(module: &str, line: u32) -> Value {
    let frame = |index: u32, function: &str, module: Option<&str>| {
        json!({"index": index, "address": null, "function": function, "symbol": function,
            "offset": null, "size": null, "module": module, "file": "x.c", "line": line,
            "inlined": false, "trust": "orc", "arguments": [], "boundary": null})
    };
    json!({
        "schema_version": 1,
        "kernel": {"machine": "x86_64", "taint": "OE"},
        "dump": {"complete": true},
        "panic": {"message": "BUG: kernel NULL pointer dereference, address: 0000000000000000"},
        "task": {"comm": "sh"},
        "verdict": {
            "kind": "null-call", "title": format!("call of NULL ops->run in {module}_set"),
            "summary": format!("`ops->run` is NULL: called at `x.c:{line}` in `{module}_set`"),
            "confidence": "proven",
            "culprit": {"function": format!("{module}_set"), "inlined_into": [],
                "module": module, "file": "x.c", "line": line},
            "expression": "ops->run",
            "evidence": [{"claim": "rax is 0", "confirmed": true}]
        },
        "signature": format!("{module}-{line}"),
        "backtraces": {
            "fault": [frame(0, &format!("{module}_set"), Some(module)), frame(1, "param_set", None)],
            "panic": []
        },
        "modules": [{"name": module, "taint": "OE", "state": "live", "debug_info": true}],
        "findings": []
    })
}

/// The same report as a later form words it.
pub(crate) fn reworded(mut report: Value) -> Value {
    let summary = report["verdict"]["summary"].as_str().unwrap().replace("is NULL:", "was NULL,");
    report["verdict"]["summary"] = json!(summary);
    let more = json!({"claim": "nothing wrote to it since", "confirmed": null});
    report["verdict"]["evidence"].as_array_mut().unwrap().push(more);
    report
}

impl Printed {
    #[track_caller]
    pub(crate) fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{}", self.text);
        self
    }

    #[track_caller]
    pub(crate) fn says(self, words: &[&str]) -> Self {
        for word in words {
            assert!(self.text.contains(word), "`{word}` is not in:\n{}", self.text);
        }
        self
    }

    #[track_caller]
    pub(crate) fn says_not(self, words: &str) -> Self {
        assert!(!self.text.contains(words), "`{words}` is in:\n{}", self.text);
        self
    }
}
