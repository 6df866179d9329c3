// SPDX-License-Identifier: MIT OR Apache-2.0
//! The pipelines of ci/examples: the lines of their scripts are run as their servers would, each job
//! on a checkout of its own; the last one has what the others left.

use std::fs;
use std::path::Path;
use std::process::Command;

use guest::Store;
use tests::pipeline::{Job, example};

use crate::repository::{Printed, Repository, is_written};

const PARTS: [&str; 2] = ["1", "2"];

/// A server that runs pipelines. In its texts, `@PART@` is the number of a part of the matrix, and
/// `@FOLDER@` the folder of a job's checkout.
struct Server {
    part: Job,
    report: Job,
    /// Expressions of the file, which the server replaces.
    expressions: &'static [(&'static str, &'static str)],
    /// Variables of each job.
    variables: &'static [(&'static str, &'static str)],
    /// Where the last job finds what a part left, in its checkout.
    left: &'static str,
}

fn gitlab() -> Server {
    Server {
        part: Job::of_gitlab("repro").unwrap(),
        report: Job::of_gitlab("repro-report").unwrap(),
        expressions: &[],
        variables: &[
            ("GITLAB_CI", "true"),
            ("CI_NODE_INDEX", "@PART@"),
            ("CI_NODE_TOTAL", "2"),
            ("CI_PROJECT_DIR", "@FOLDER@"),
        ],
        left: "",
    }
}

fn github() -> Server {
    Server {
        part: Job::of_github("part").unwrap(),
        report: Job::of_github("report").unwrap(),
        expressions: &[("${{ matrix.part }}", "@PART@"), ("${{ github.workspace }}", "@FOLDER@")],
        variables: &[("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", "@FOLDER@/summary.md")],
        left: "parts/part-@PART@",
    }
}

/// What came of a pipeline.
struct Ended {
    parts: [Option<i32>; 2],
    report: Printed,
    /// The checkout of the last job.
    place: Repository,
}

impl Server {
    fn filled(&self, text: &str, part: &str, own: &Repository) -> String {
        let replace = |text: String, (name, value): &(&str, &str)| text.replace(name, value);
        let text = self.expressions.iter().fold(text.to_owned(), replace);
        assert!(!text.contains("${{"), "an expression that this server does not know: {text}");
        text.replace("@PART@", part).replace("@FOLDER@", own.path("").to_str().unwrap())
    }

    fn run(&self, job: &Job, part: &str, own: &Repository) -> Printed {
        let script: Vec<_> = job.script.iter().map(|line| self.filled(line, part, own)).collect();
        assert!(!script.is_empty(), "a job without a script");
        let mut shell = own.shell(&script.join("\n"));
        for (name, value) in self.variables {
            shell.env(name, self.filled(value, part, own));
        }
        // The cache is that of all tests, so that nothing is downloaded.
        for (name, value) in job.variables.iter().filter(|(name, _)| name != "REPRO_CACHE") {
            shell.env(name, self.filled(value, part, own));
        }
        Printed::of(shell.output().unwrap())
    }

    fn pipeline(&self, team: &Repository) -> Ended {
        let place = checkout(team);
        let parts = PARTS.map(|part| {
            let own = checkout(team);
            let printed = self.run(&self.part, part, &own);
            keep(&self.part, &own, &place.path(&self.left.replace("@PART@", part)));
            printed.code
        });
        let report = self.run(&self.report, "", &place);
        for pattern in &self.report.kept {
            assert!(!expand(pattern, &place.path("")).is_empty(), "{pattern}: {report:?}");
        }
        Ended { parts, report, place }
    }
}

/// What git brings to a job.
fn checkout(team: &Repository) -> Repository {
    let own = Repository::empty();
    copy(&["repro.toml", ".gitignore", "cases"], &team.path(""), &own.path(""));
    own
}

/// Takes what a job keeps to another folder.
fn keep(job: &Job, own: &Repository, to: &Path) {
    let from = own.path("");
    let found: Vec<_> = job.kept.iter().flat_map(|pattern| expand(pattern, &from)).collect();
    copy(&found, &from, to);
    for path in job.left_out.iter().flat_map(|pattern| expand(pattern, to)) {
        fs::remove_file(to.join(path)).unwrap();
    }
}

/// Copies what is below one folder to the same places below another.
fn copy(paths: &[impl AsRef<str>], from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let mut command = Command::new("cp");
    command.args(["--recursive", "--parents", "--target-directory"]).arg(to);
    command.args(paths.iter().map(AsRef::as_ref)).current_dir(from);
    assert!(command.status().unwrap().success());
}

/// The paths below a folder that a pattern is for.
fn expand(pattern: &str, folder: &Path) -> Vec<String> {
    let script = format!("printf '%s\\n' {pattern}");
    let options = ["-O", "globstar", "-O", "nullglob", "-c"];
    let mut bash = Command::new("bash");
    let output = bash.args(options).arg(script).current_dir(folder).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// A report that nobody reviewed fails the pipeline, and people get it; once they have accepted it,
/// the pipeline passes.
#[track_caller]
fn guards(server: &Server) -> [Ended; 2] {
    let team = Repository::empty();
    team.repro("new-case first").ends(0);
    let new = server.pipeline(&team);
    assert_eq!(new.parts, [Some(100), Some(0)], "the second part has nothing to do");
    assert_eq!(new.report.code, Some(100), "{:?}", new.report);

    let left = new.place.path(&server.left.replace("@PART@", "1"));
    let waiting = expand("**/*.snap.new", &left);
    assert_eq!(waiting.len(), 2, "for people and in words: {waiting:?}");
    copy(&waiting, &left, &team.path(""));
    team.repro("review --accept").ends(0).says(&["accepted first@"]);
    let reviewed = server.pipeline(&team);
    assert_eq!(reviewed.parts, [Some(0), Some(0)]);
    assert_eq!(reviewed.report.code, Some(0), "{:?}", reviewed.report);
    for ended in [&new, &reviewed] {
        let vmcores = expand("**/vmcore", &ended.place.path(""));
        assert_eq!(vmcores, [""; 0], "too large to be kept");
        let junit = ended.place.read("report/junit.xml");
        assert_eq!(junit.matches("<testcase").count(), 1, "{junit}");
    }
    [new, reviewed]
}

#[test]
fn the_pipeline_for_gitlab_guards() {
    let ended = guards(&gitlab());
    let document = example("gitlab.yml").unwrap();
    let reports = document["repro-report"]["artifacts"]["reports"].as_mapping().unwrap();
    assert_eq!(reports.len(), 2, "{reports:?}");
    for report in reports.values().map(|path| path.as_str().unwrap()) {
        assert!(ended.iter().all(|ended| is_written(&ended.place.path(report))), "{report}");
    }
}

#[test]
fn the_pipeline_for_github_guards() {
    let [new, reviewed] = guards(&github());
    assert!(new.report.stderr.contains("::error"), "{}", new.report.stderr);
    assert!(!reviewed.report.stderr.contains("::error"), "{}", reviewed.report.stderr);
    assert!(new.place.read("summary.md").contains("first"));
}

#[test]
fn what_pipelines_cache_is_packages() {
    let is_package = |name: &str| name.len() == 64 && name.bytes().all(|c| c.is_ascii_hexdigit());
    Repository::empty().repro("guest fetch debian-12").ends(0);
    let cache = Store::default_root().unwrap();
    let here = fs::read_dir(&cache).unwrap().flatten().map(|entry| entry.file_name());
    let mut packages: Vec<String> = here.filter_map(|name| name.into_string().ok()).collect();
    packages.retain(|name| is_package(name));
    assert!(packages.len() > 5, "{packages:?}");
    for job in [gitlab().part, github().part] {
        let (_, place) = job.variables.iter().find(|(name, _)| name == "REPRO_CACHE").unwrap();
        let place = format!("{}/", &place[place.find(".cache").unwrap()..]);
        let inside = job.cached.iter().map(|pattern| pattern.strip_prefix(&place).unwrap());
        let found: Vec<_> = inside.flat_map(|pattern| expand(pattern, &cache)).collect();
        let lists = found.iter().filter(|path| path.starts_with("apt/")).count();
        assert!(lists > 0, "without its lists apt downloads them: {found:?}");
        let more = found.iter().filter(|path| !path.starts_with("apt/") && *path != "rpm");
        let other: Vec<_> = more.filter(|path| !is_package(path)).collect();
        assert!(other.is_empty(), "no packages: {other:?}");
        assert!(packages.iter().all(|package| found.contains(package)), "{found:?}");
    }
}
