// SPDX-License-Identifier: MIT OR Apache-2.0
//! The line that a reviewer is pointed to: the one at fault if it is in a file of the case, else the
//! one in the manifest where the expectations begin.

use std::fs;
use std::path::{Path, PathBuf};

use crate::case::Case;
use crate::run::outcome::{Excerpt, Place};

/// The first line of the expectations.
const EXPECT: &str = "[expect]";

/// The place in a case; `project` is the project's root. Pipelines name files from the root of the
/// repository, which the project may be a part of.
#[must_use]
pub fn of(case: &Case, excerpt: Option<&Excerpt>, project: &Path) -> Place {
    let at_fault =
        excerpt.and_then(|it| Some((case.sources.get(Path::new(&it.file))?.clone(), it.line)));
    let (path, line) = at_fault.unwrap_or_else(|| expectations(case));
    let root = repository(&fs::canonicalize(project).unwrap_or_else(|_| project.to_owned()));
    let path = fs::canonicalize(&path).unwrap_or(path);
    let file = path.strip_prefix(root).unwrap_or(&path).display().to_string();
    Place { file, line }
}

fn expectations(case: &Case) -> (PathBuf, u32) {
    let manifest = case.folder.join("case.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_default();
    let before = text.lines().position(|line| line.trim() == EXPECT).unwrap_or(0);
    (manifest, u32::try_from(before).unwrap_or(0).saturating_add(1))
}

/// The root of the repository that a folder is in; the folder itself if it is in none.
fn repository(folder: &Path) -> PathBuf {
    let mut above = folder.ancestors();
    above.find(|folder| folder.join(".git").exists()).unwrap_or(folder).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository whose project is a folder in it, with a case that is built from a driver outside
    /// of its own folder.
    fn repository_with_case() -> (tempfile::TempDir, PathBuf, Case) {
        let repository = tempfile::tempdir().unwrap();
        let project = repository.path().join("tools/crashes");
        for (name, text) in [
            (".git/HEAD", "ref: refs/heads/main"),
            ("driver/Makefile", "obj-m := m.o"),
            ("driver/m.c", "int a;"),
            ("tools/crashes/cases/c/trigger.sh", "true"),
            (
                "tools/crashes/cases/c/case.toml",
                "summary = \"s\"\n[[module]]\nname = \"m\"\nsource = \"../../../../driver\"\n\
                 [trigger]\nrun = \"trigger.sh\"\n[expect]\noutcome = \"panic\"\n",
            ),
        ] {
            let path = repository.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let case = Case::load(&project.join("cases/c")).unwrap();
        (repository, project, case)
    }

    fn excerpt(file: &str) -> Excerpt {
        Excerpt { file: file.into(), first: 1, line: 7, text: Vec::new() }
    }

    #[test]
    fn a_source_outside_of_the_case_is_named_from_the_repositorys_root() {
        let (repository, project, case) = repository_with_case();
        let place = of(&case, Some(&excerpt("driver/m.c")), &project);
        assert_eq!((place.file.as_str(), place.line), ("driver/m.c", 7));
        assert!(repository.path().join(place.file).is_file());
    }

    #[test]
    fn what_is_no_source_of_the_case_leads_to_its_expectations() {
        let (repository, project, case) = repository_with_case();
        for none in [None, Some(excerpt("include/linux/list.h"))] {
            let place = of(&case, none.as_ref(), &project);
            assert_eq!(place.file, "tools/crashes/cases/c/case.toml");
            let text = fs::read_to_string(repository.path().join(&place.file)).unwrap();
            let line = usize::try_from(place.line).unwrap();
            assert_eq!(text.lines().nth(line - 1), Some("[expect]"));
        }
    }
}
