// SPDX-License-Identifier: MIT OR Apache-2.0
//! The examples of pipelines and of their container: what no server is needed to see. Their scripts
//! are run by the tests of a repository of somebody's own.

use tests::pipeline::example;
use tidy::{none, tree};

/// Included into another pipeline, a global word would be for all of its jobs, and a name of a job
/// for one of the same name.
#[test]
fn the_pipeline_for_gitlab_is_two_jobs_and_nothing_else() {
    let document = example("gitlab.yml").unwrap();
    let names: Vec<_> =
        document.as_mapping().unwrap().keys().filter_map(|it| it.as_str()).collect();
    assert_eq!(names, ["repro", "repro-report"]);
    for name in names {
        let job = &document[name];
        assert!(job["image"].is_string(), "{name} has no image of its own");
        let stage = job["stage"].as_str().unwrap();
        assert!(["test", ".post"].contains(&stage), "{name}: `{stage}` is no stage that is there");
    }
}

/// A key that is new in each run would save the packages each time.
#[test]
fn the_cache_of_the_pipeline_for_github_is_found_again() {
    let document = example("github.yml").unwrap();
    let steps = document["jobs"]["part"]["steps"].as_sequence().unwrap();
    let key = steps.iter().find_map(|step| step["with"]["key"].as_str()).unwrap();
    assert!(key.contains("hashFiles('repro.toml', 'guests/**')"), "{key}");
    let new = ["run_id", "run_number", "run_attempt", "sha", "ref"];
    assert!(!new.iter().any(|word| key.contains(&format!("github.{word}"))), "{key}");
}

/// A container with a device that is not there does not start.
#[test]
fn the_pipeline_for_github_needs_no_kvm() {
    let document = example("github.yml").unwrap();
    for (name, job) in document["jobs"].as_mapping().unwrap() {
        let options = job["container"]["options"].as_str().unwrap_or_default();
        assert!(!options.contains("--device"), "{name:?}: {options}");
    }
}

/// The paths of the project that the file of the container names, and the program it takes.
#[test]
fn the_container_is_made_of_what_is_there() {
    let file = tree::read("ci/examples/Containerfile");
    let words: Vec<_> = file.split_whitespace().collect();
    let build = words.windows(2).find(|pair| pair[0] == "-f").unwrap()[1];
    let sources = words.iter().filter_map(|word| word.strip_prefix("/src/"));
    let manifests = sources.map(|folder| format!("{folder}/Cargo.toml"));
    let named: Vec<_> = manifests.chain([build.to_owned()]).collect();
    let gone = named.iter().filter(|path| !tree::exists(path));
    none("no such files", &gone.cloned().collect::<Vec<_>>());
    assert!(named.len() > 1, "the sources are not found in it: {named:?}");

    let root = words.iter().position(|word| *word == "--root").unwrap();
    let program = format!("{}/bin/repro", words[root + 1]);
    assert!(file.contains(&format!("COPY --from=build {program} ")), "{program}");
    let manifest: toml::Table = tree::read(&named[0]).parse().unwrap();
    let programs = manifest["bin"].as_array().unwrap();
    assert!(programs.iter().any(|it| it["name"].as_str() == Some("repro")), "{programs:?}");
}

/// What is copied into the container is the sources.
#[test]
fn the_container_gets_neither_builds_nor_history() {
    let text = tree::read(".dockerignore");
    let left_out: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
    for wanted in [".git", "target*"] {
        assert!(left_out.contains(&wanted), "{wanted} is not in .dockerignore");
    }
    let lost = tree::files().into_iter().filter(|path| {
        let first = path.split('/').next().unwrap_or_default();
        left_out.contains(&first)
    });
    none("sources that the container does not get", &lost.collect::<Vec<_>>());
}
