// SPDX-License-Identifier: MIT OR Apache-2.0
//! A Debian kernel in packages as CentOS names and lays them out: `kernel` with `.ko.xz` modules
//! and without `modules.dep`, `kernel-devel` below `/usr/src/kernels`, `kernel-debuginfo` with
//! `vmlinux` below `/usr/lib/debug`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use guest::GuestFiles;

use super::package::{Payload, Spec};

/// The packages' release; the kernel's own name stays what it is compiled with.
pub const RELEASE: &str = "6.1.0-56.1.el7";
/// Modules that the harness needs; packing all would take minutes and prove nothing more.
const MODULES: [&str; 4] = ["drivers/virtio", "drivers/block", "drivers/char", "drivers/firmware"];

/// Builds the three packages into `target`.
///
/// # Errors
/// A file cannot be read, `rpmbuild` fails.
pub fn kernel(files: &GuestFiles, target: &Path) -> Result<Vec<PathBuf>> {
    let (version, release) = RELEASE.split_once('-').context("no release")?;
    let spec = |name, payload| Spec { name, version, release, requires: &[], payload };
    Ok(vec![
        spec("kernel", Payload::Xz).build(target, &|root| image(files, root))?,
        spec("kernel-devel", Payload::Gzip).build(target, &|root| devel(files, root))?,
        spec("kernel-debuginfo", Payload::Gzip).build(target, &|root| debug(files, root))?,
    ])
}

fn image(files: &GuestFiles, root: &Path) -> Result<()> {
    let release = &files.release;
    let boot = root.join("boot");
    fs::create_dir_all(&boot)?;
    fs::copy(&files.vmlinuz, boot.join(format!("vmlinuz-{release}")))?;
    fs::write(boot.join(format!("config-{release}")), "CONFIG_MODULES=y\n")?;
    let modules = root.join("lib/modules").join(release);
    fs::create_dir_all(&modules)?;
    fs::copy(files.modules_dir.join("modules.builtin"), modules.join("modules.builtin"))?;
    for folder in MODULES {
        let target = modules.join("kernel").join(folder);
        fs::create_dir_all(&target)?;
        let from = files.modules_dir.join("kernel").join(folder);
        duct::cmd!("cp", "-r", from.join("."), &target).run()?;
    }
    // In places that another system has.
    std::os::unix::fs::symlink("/usr/src/kernels/x", modules.join("build"))?;
    duct::cmd!("find", &modules, "-name", "*.ko", "-exec", "xz", "-0", "{}", "+").run()?;
    Ok(())
}

/// Debian's headers are three packages that link to each other; CentOS's one folder has all.
fn devel(files: &GuestFiles, root: &Path) -> Result<()> {
    let kernels = root.join("usr/src/kernels");
    let target = kernels.join(&files.release);
    fs::create_dir_all(&target)?;
    duct::cmd!("cp", "-rL", files.build_dir.join("."), &target).run()?;
    let above = files.build_dir.parent().context("no folder above")?;
    for entry in fs::read_dir(above)?.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with("-common") {
            let target = kernels.join(&name);
            duct::cmd!("cp", "-rL", entry.path(), &target).run()?;
            let others = "cd \"$0\"/arch && ls | grep -v -x -e x86 -e um | xargs rm -rf";
            duct::cmd!("sh", "-c", others, &target).run()?;
        }
    }
    duct::cmd!("chmod", "-R", "u+w", &kernels).run()?;
    Ok(())
}

fn debug(files: &GuestFiles, root: &Path) -> Result<()> {
    let folder = root.join("usr/lib/debug/lib/modules").join(&files.release);
    fs::create_dir_all(&folder)?;
    // The holes of the cache's copy stay holes.
    duct::cmd!("cp", "--sparse=always", &files.vmlinux, folder.join("vmlinux")).run()?;
    Ok(())
}
