// SPDX-License-Identifier: MIT OR Apache-2.0
//! Which of the host's sites has a suite.
//!
//! apt names the files that an update would ask for (`apt-get update --print-uris`); from these
//! the sites can be read without parsing any of apt's configuration formats, on a machine whose
//! lists were never fetched as well.

use std::path::{Path, PathBuf};

use super::super::apt_source::Suite;

/// More combinations of sites than this are not tried.
const MAX_TRIES: usize = 6;

/// A suite that the host is configured with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// What stands before `/dists/`.
    pub uri: String,
    /// What stands between `/dists/` and the file.
    pub suite: String,
}

/// Reads the output of `apt-get update --print-uris`.
pub fn parse_uris(text: &str) -> Vec<Site> {
    let mut sites: Vec<Site> = Vec::new();
    for line in text.lines() {
        let uri = line.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
        let suite = uri.and_then(|uri| {
            let folder = uri.strip_suffix("/InRelease")?;
            let (site, suite) = folder.rsplit_once("/dists/")?;
            Some(Site { uri: site.to_owned(), suite: suite.to_owned() })
        });
        if let Some(site) = suite.filter(|site| !sites.contains(site)) {
            sites.push(site);
        }
    }
    sites
}

/// The file with the keys of a distribution's archive, under one of the endings in use.
pub fn keyring(name: &str) -> Option<PathBuf> {
    let file = |suffix: &str| Path::new("/usr/share/keyrings").join(format!("{name}.{suffix}"));
    ["pgp", "gpg"].iter().map(|suffix| file(suffix)).find(|path| path.is_file())
}

/// Texts of a `sources.list` to try, the likeliest first.
pub(super) fn source_lists(
    sites: &[Site],
    source: &Suite,
    architecture: &str,
    keyring: impl Fn(&str) -> Option<PathBuf>,
) -> Vec<String> {
    let key = keyring(&source.keyring)
        .map(|path| format!(" signed-by={}", path.display()))
        .unwrap_or_default();
    let line = |uri: &str, suite: &str| {
        let component = &source.component;
        format!("deb [arch={architecture}{key}] {uri} {suite} {component}\n")
    };
    let mains: Vec<String> =
        sites_for(sites, &source.suite, false).iter().map(|uri| line(uri, &source.suite)).collect();
    let Some(security) = &source.security else { return mains };
    let configured = sites.iter().any(|site| site.suite == *security);
    let mut lists = Vec::new();
    for (main, uri) in mains.iter().zip(sites_for(sites, &source.suite, false)) {
        let mut candidates: Vec<String> = Vec::new();
        if configured || sites.iter().any(is_security) {
            let known = sites_for(sites, security, true);
            candidates.extend(known.into_iter().map(str::to_owned));
        } else {
            // Mirrors keep the security archive beside the main one.
            candidates.push(format!("{}-security", uri.trim_end_matches('/')));
        }
        lists.extend(candidates.iter().map(|other| format!("{main}{}", line(other, security))));
    }
    lists.truncate(MAX_TRIES);
    if !configured {
        // Better the suite's own kernel than none.
        lists.extend(mains.into_iter().take(1));
    }
    lists
}

fn is_security(site: &Site) -> bool {
    site.suite.ends_with("-security") || site.suite.ends_with("/updates")
}

/// Sites that may have `suite`: those that are configured for it; else those for other suites of
/// the same purpose, of a distribution's archive before anybody's.
fn sites_for<'s>(sites: &'s [Site], suite: &str, security: bool) -> Vec<&'s str> {
    // A distribution's archive also has a suite of updates; a vendor's site has not.
    let is_archive = |site: &Site| {
        sites
            .iter()
            .any(|other| other.uri == site.uri && other.suite == format!("{}-updates", site.suite))
    };
    let rank = |site: &Site| match () {
        () if site.suite == suite => 0,
        () if security == is_security(site) && (security || is_archive(site)) => 1,
        () if security == is_security(site) => 2,
        () => 3,
    };
    let mut ranked: Vec<(u8, &str)> = sites.iter().map(|site| (rank(site), &*site.uri)).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let configured = ranked.first().is_some_and(|(rank, _)| *rank == 0);
    let mut uris = Vec::new();
    for (rank, uri) in ranked {
        if !uris.contains(&uri) && (rank == 0 || !configured) {
            uris.push(uri);
        }
    }
    uris
}

#[cfg(test)]
mod tests {
    use super::*;

    const URIS: &str = "\
'http://vendor.example/tools/dists/any/InRelease' vendor.example_tools_dists_any_InRelease 0 \n\
'http://a.example/debian/dists/bookworm/InRelease' a.example_debian_dists_bookworm_InRelease 0 \n\
'http://a.example/debian/dists/bookworm-updates/InRelease' a.example_x 0 \n\
'http://s.example/dists/dists/bookworm-security/InRelease' s.example_x 0 \n\
'http://a.example/debian/dists/bookworm/main/binary-amd64/Packages.xz' a.example_x 0 \n\
N: a notice\n";

    fn source(suite: &str, security: Option<&str>) -> Suite {
        Suite {
            suite: suite.into(),
            security: security.map(str::to_owned),
            component: "main".into(),
            keyring: "keys".into(),
        }
    }

    fn lists(suite: &str, security: Option<&str>) -> Vec<String> {
        let keyring = |name: &str| Some(PathBuf::from(format!("/k/{name}.gpg")));
        source_lists(&parse_uris(URIS), &source(suite, security), "amd64", keyring)
    }

    #[test]
    fn sites_are_read_from_uris_alone() {
        let sites = parse_uris(URIS);
        assert_eq!(sites.len(), 4);
        assert_eq!(sites[3].uri, "http://s.example/dists");
        assert_eq!(sites[3].suite, "bookworm-security");
    }

    #[test]
    fn a_configured_suite_is_taken_from_its_own_sites_only() {
        let expected = "\
            deb [arch=amd64 signed-by=/k/keys.gpg] http://a.example/debian bookworm main\n\
            deb [arch=amd64 signed-by=/k/keys.gpg] http://s.example/dists bookworm-security main\n";
        assert_eq!(lists("bookworm", Some("bookworm-security")), [expected]);
    }

    #[test]
    fn another_suite_is_looked_for_at_the_archive_before_a_vendors_site() {
        let lists = lists("trixie", Some("trixie-security"));
        assert!(lists[0].contains("http://a.example/debian trixie main"), "{lists:?}");
        assert!(lists[0].contains("http://s.example/dists trixie-security main"), "{lists:?}");
        assert!(lists.len() <= MAX_TRIES + 1);
        assert_eq!(lists.last().unwrap().lines().count(), 1, "{lists:?}");
    }

    #[test]
    fn a_host_without_a_security_site_tries_the_mirrors_own_and_then_does_without() {
        let site = Site { uri: "http://a.example/debian".into(), suite: "bookworm".into() };
        let source = source("bookworm", Some("bookworm-security"));
        let lists = source_lists(&[site], &source, "amd64", |_| None);
        assert_eq!(
            lists,
            [
                "deb [arch=amd64] http://a.example/debian bookworm main\n\
                 deb [arch=amd64] http://a.example/debian-security bookworm-security main\n",
                "deb [arch=amd64] http://a.example/debian bookworm main\n",
            ]
        );
    }

    #[test]
    fn a_suite_without_a_security_suite_has_one_line() {
        let lists = lists("sid", None);
        assert_eq!(lists[0].lines().count(), 1);
        assert!(lists[0].contains("http://a.example/debian sid main"));
    }

    #[test]
    fn a_host_without_sources_has_nothing_to_try() {
        assert!(source_lists(&[], &source("sid", None), "amd64", |_| None).is_empty());
    }
}
