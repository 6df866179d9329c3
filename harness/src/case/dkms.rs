// SPDX-License-Identifier: MIT OR Apache-2.0
//! `dkms.conf`: what dkms(8) does to build the modules of a folder.
//!
//! The file is a script of bash, and real ones use it as such (conditions by the kernel's
//! configuration, loops over lists of modules), so bash reads it, as dkms does.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::build_error::BuildError;
use process::helper;

/// Name of the file.
pub(crate) const NAME: &str = "dkms.conf";
/// How long bash may take: the file may do anything.
const LIMIT: Duration = Duration::from_secs(20);
/// Most modules and patches of one file.
const MAX_ITEMS: usize = 1000;

/// Reads the file and prints what it sets, each part ended by a zero byte. What is left out has
/// dkms's own defaults.
const SCRIPT: &str = r#"
kernelver=$1 kernel_source_dir=$2 dkms_tree=$3 arch=$4 source_tree=$5
kernelver_array=("$kernelver")
. "$6" >&2 || exit 3
put() { printf '%s\0' "$1"; }
name=${PACKAGE_NAME:-} version=${PACKAGE_VERSION:-}
make=
for i in "${!MAKE[@]}"; do
    match=${MAKE_MATCH[$i]:-}
    if [[ $i = 0 && ! $match ]]; then make=${make:-${MAKE[$i]}}; fi
    if [[ $match && $kernelver =~ $match ]]; then make=${MAKE[$i]}; fi
done
put name; put "$name"; put version; put "$version"; put make; put "$make"
put pre-build; put "${PRE_BUILD:-}"; put exclusive; put "${BUILD_EXCLUSIVE_KERNEL:-}"
for i in "${!PATCH[@]}"; do
    match=${PATCH_MATCH[$i]:-}
    if [[ ! $match || $kernelver =~ $match ]]; then put patch; put "${PATCH[$i]}"; fi
done
[[ ${#BUILT_MODULE_NAME[@]} = 0 ]] && BUILT_MODULE_NAME[0]=$name
for i in "${!BUILT_MODULE_NAME[@]}"; do
    put module; put "${BUILT_MODULE_NAME[$i]}"; put location; put "${BUILT_MODULE_LOCATION[$i]:-}"
done
if [[ ${BUILD_EXCLUSIVE_KERNEL:-} && ! $kernelver =~ ${BUILD_EXCLUSIVE_KERNEL} ]]; then
    put excluded; put "$BUILD_EXCLUSIVE_KERNEL"
fi
"#;

/// The folder of an unpacked package with a `dkms.conf`: they are below `usr/src`.
#[must_use]
pub fn folder_in(tree: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(tree.join("usr/src")).ok()?;
    let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    folders.sort();
    folders.into_iter().find(|folder| folder.join(NAME).is_file())
}

/// What dkms sets before it reads the file.
#[derive(Debug, Clone, Copy)]
pub struct Variables<'a> {
    /// `uname -r` of the kernel.
    pub release: &'a str,
    /// The folder that its modules are built against.
    pub kernel: &'a Path,
    /// The folder above `<name>/<version>/build`.
    pub tree: &'a Path,
}

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DkmsConf {
    /// `PACKAGE_NAME`.
    pub name: String,
    /// `PACKAGE_VERSION`.
    pub version: String,
    /// The command that builds, as dkms would run it; none for dkms's own.
    pub make: Option<String>,
    /// A command that runs before it.
    pub pre_build: Option<String>,
    /// Files of `patches/` that are applied first.
    pub patches: Vec<String>,
    /// The modules that come out.
    pub modules: Vec<DkmsModule>,
}

/// A module that comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DkmsModule {
    /// Name of the file without `.ko`.
    pub name: String,
    /// The folder it is built in, relative to that of the sources.
    pub location: PathBuf,
}

impl DkmsConf {
    /// Reads the `dkms.conf` at `path`.
    ///
    /// # Errors
    /// There is no bash, it does not understand the file, or the file does not say what has to be
    /// known, or that it is not for such a kernel.
    pub fn read(path: &Path, variables: Variables<'_>) -> Result<Self, BuildError> {
        let bad = |why: String| BuildError::Dkms { path: path.to_owned(), why };
        let text = |path: &Path| path.display().to_string();
        let folder = path.parent().unwrap_or(path);
        let sources = folder.parent().unwrap_or(folder);
        let words = [
            "-c".to_owned(),
            SCRIPT.to_owned(),
            NAME.to_owned(),
            variables.release.to_owned(),
            text(variables.kernel),
            text(variables.tree),
            "x86_64".to_owned(),
            text(sources),
            text(path),
        ];
        let bash =
            helper::tied("bash", words).dir(folder).stdin_null().stdout_capture().stderr_capture();
        let start = Instant::now();
        let output = helper::wait(&bash, || start.elapsed() < LIMIT)
            .map_err(|error| bad(format!("bash does not start: {error}")))?
            .ok_or_else(|| bad(format!("it is not read within {} s", LIMIT.as_secs())))?;
        if !output.status.success() {
            return Err(bad(format!("bash says: {}", helper::tail(&output.stderr, 3))));
        }
        let conf = Self::parse(&output.stdout).map_err(bad)?;
        Ok(conf)
    }

    fn parse(output: &[u8]) -> Result<Self, String> {
        let text = String::from_utf8_lossy(output);
        let mut parts = text.split('\0');
        let mut conf = Self::default();
        while let (Some(key), Some(value)) = (parts.next(), parts.next()) {
            let some = || Some(value.to_owned()).filter(|value| !value.trim().is_empty());
            match key {
                "name" => conf.name = part(value)?,
                "version" => conf.version = part(value)?,
                "make" => conf.make = some(),
                "pre-build" => conf.pre_build = some(),
                "patch" => conf.patches.push(part(value)?),
                "module" => {
                    conf.modules.push(DkmsModule { name: part(value)?, location: PathBuf::new() })
                }
                "location" => {
                    if let Some(module) = conf.modules.last_mut() {
                        module.location = inside(value)?;
                    }
                }
                "excluded" => return Err(format!("it is only for kernels like `{value}`")),
                _ => {}
            }
            if conf.modules.len() + conf.patches.len() > MAX_ITEMS {
                return Err(format!("it names more than {MAX_ITEMS} modules and patches"));
            }
        }
        Ok(conf)
    }

    /// The folder that dkms builds in, below its tree.
    #[must_use]
    pub fn build_folder(&self) -> PathBuf {
        Path::new(&self.name).join(&self.version).join("build")
    }

    /// The command that builds, as dkms runs it in its folder.
    #[must_use]
    pub fn command(&self, jobs: usize) -> String {
        let own = "make -C \"$kernel_source_dir\" M=\"$dkms_tree/$module/$module_version/build\"";
        let command = self.make.as_deref().unwrap_or(own).trim_start();
        // dkms adds these to the first make of the command; package's Makefiles count on it.
        match command.strip_prefix("make").filter(|rest| rest.starts_with(char::is_whitespace)) {
            Some(rest) => format!("make -j{jobs} KERNELRELEASE=\"$kernelver\"{rest}"),
            None => command.to_owned(),
        }
    }
}

/// A value that becomes a part of a path.
fn part(value: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+~".contains(c);
    let fits = !value.is_empty() && value.chars().all(plain) && value != "." && value != "..";
    fits.then(|| value.to_owned()).ok_or_else(|| format!("`{value}` is no name"))
}

/// A path that stays in the folder of the sources.
fn inside(value: &str) -> Result<PathBuf, String> {
    let parts = value.split('/').filter(|name| !name.is_empty() && *name != ".");
    parts.map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<DkmsConf, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        std::fs::write(&path, text).unwrap();
        let variables = Variables {
            release: "6.1.0-57-amd64",
            kernel: Path::new("/headers"),
            tree: Path::new("/build/dkms"),
        };
        DkmsConf::read(&path, variables).map_err(|error| error.to_string())
    }

    #[test]
    fn variables_of_dkms_are_known_and_modules_have_places() {
        let conf = read(
            "PACKAGE_NAME=jool PACKAGE_VERSION=4.1.9\n\
             MAKE[0]=\"make -C ${kernel_source_dir} M=${dkms_tree}/${PACKAGE_NAME} modules\"\n\
             BUILT_MODULE_NAME[0]=jool_common BUILT_MODULE_LOCATION[0]=src/mod/common/\n\
             BUILT_MODULE_NAME[1]=jool\nPRE_BUILD='./configure --for $kernelver'\n",
        )
        .unwrap();
        assert_eq!(conf.build_folder(), Path::new("jool/4.1.9/build"));
        assert_eq!(
            conf.command(2),
            "make -j2 KERNELRELEASE=\"$kernelver\" -C /headers M=/build/dkms/jool modules"
        );
        assert_eq!(conf.pre_build.as_deref(), Some("./configure --for $kernelver"));
        let module = |name: &str, location: &str| DkmsModule {
            name: name.into(),
            location: location.into(),
        };
        assert_eq!(conf.modules, [module("jool_common", "src/mod/common"), module("jool", "")]);
    }

    /// As lttng-modules and v4l2loopback have it.
    #[test]
    fn it_is_a_script() {
        let conf = read(
            "PACKAGE_NAME=a PACKAGE_VERSION=$(echo 1.2)\ni=0\n\
             for m in x y; do BUILT_MODULE_NAME[$i]=$m; i=$((i+1)); done\n\
             if [[ $kernelver =~ ^6\\. ]]; then PATCH[0]=six.patch; fi\n\
             PATCH[1]=five.patch; PATCH_MATCH[1]='^5\\.'\necho chatter\n",
        )
        .unwrap();
        assert_eq!(conf.version, "1.2");
        assert_eq!(conf.modules.len(), 2);
        assert_eq!(conf.patches, ["six.patch"]);
    }

    #[test]
    fn what_is_left_out_has_dkms_s_defaults() {
        let conf = read("PACKAGE_NAME=scap\nPACKAGE_VERSION=0.1\n").unwrap();
        assert_eq!(conf.modules[0].name, "scap");
        assert!(conf.command(1).contains("M=\"$dkms_tree/$module/$module_version/build\""));
    }

    #[test]
    fn a_file_that_asks_gets_no_answer() {
        let conf = read("read -r answer\nPACKAGE_NAME=a PACKAGE_VERSION=1${answer}\n").unwrap();
        assert_eq!(conf.version, "1");
    }

    #[test]
    fn a_file_that_is_wrong_or_not_for_this_kernel_says_so() {
        for (text, why) in [
            ("if then\n", "bash says"),
            ("PACKAGE_VERSION=1\n", "is no name"),
            ("PACKAGE_NAME=../x PACKAGE_VERSION=1\n", "`../x` is no name"),
            (
                "PACKAGE_NAME=a PACKAGE_VERSION=1 BUILT_MODULE_NAME[0]=a\nBUILT_MODULE_LOCATION[0]=../..\n",
                "`..` is no name",
            ),
            (
                "PACKAGE_NAME=a PACKAGE_VERSION=1\nBUILD_EXCLUSIVE_KERNEL='^3\\.'\n",
                "only for kernels",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains("dkms.conf") && error.contains(why), "{error}");
        }
    }
}
