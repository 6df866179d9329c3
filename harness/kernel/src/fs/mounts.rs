// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is mounted where (`struct mount` of `fs/mount.h`).

use crate::{Kernel, Listing, Unavailable, VirtualMemory as _, list};

/// Mounts that are listed at most.
const MAX_MOUNTS: usize = 1 << 20;
/// Depth of a tree that is followed.
const MAX_DEPTH: usize = 128;
/// Longest name of a device or type.
const MAX_NAME: usize = 256;

/// Where a file system is mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MountPoint {
    /// Address of its `struct mount`.
    pub address: u64,
    /// Root directory of what is mounted (`struct dentry`).
    pub root: u64,
    /// The `struct mount` that it is mounted in; none at the top.
    pub parent: Option<u64>,
    /// Directory that it is mounted on (`struct dentry`).
    pub at: u64,
}

/// A mounted file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: MountPoint,
    /// Address of its `struct super_block`.
    pub superblock: u64,
    /// Type of the file system.
    pub kind: String,
    /// What was mounted.
    pub device: String,
    /// Path of the place.
    pub path: String,
}

impl Kernel<'_> {
    /// The mount whose `struct vfsmount` is at `mount`.
    pub(super) fn mount_point(&self, mount: u64) -> Result<MountPoint, Unavailable> {
        let offset = self.field("mount", "mnt")?.offset;
        self.mount_by_address(mount.wrapping_sub(offset))
    }

    /// The mount whose `struct mount` is at `address`.
    pub(super) fn mount_by_address(&self, address: u64) -> Result<MountPoint, Unavailable> {
        let mount = self.object("mount", address);
        let parent = mount.number("mnt_parent")?;
        Ok(MountPoint {
            address,
            root: mount.number("mnt.mnt_root")?,
            parent: Some(parent).filter(|parent| *parent != address),
            at: mount.number("mnt_mountpoint")?,
        })
    }

    /// Mounts of the namespace whose `struct mnt_namespace` is at `namespace`, in the kernel's
    /// order.
    ///
    /// They are on a list to 6.7, and in a tree by number since.
    ///
    /// # Errors
    /// If the layout is unknown. Damage further on is in the listing.
    pub fn mounts(&self, namespace: u64) -> Result<Listing<Mount>, Unavailable> {
        let space = self.object("mnt_namespace", namespace);
        let mut found = Listing::default();
        let all = if self.has_field("mnt_namespace", "mounts.rb_node") {
            let link = self.field("mount", "mnt_node")?.offset;
            let root = space.number("mounts.rb_node")?;
            let mut nodes = Vec::new();
            self.in_order(root, MAX_DEPTH, &mut nodes)?;
            nodes.into_iter().map(|at| at.wrapping_sub(link)).collect::<Vec<_>>()
        } else {
            let link = self.field("mount", "mnt_list")?.offset;
            let links =
                list::walk(self, space.address_of("list")?, MAX_MOUNTS, "the list of mounts");
            found.damage.extend(links.damage);
            links.items.into_iter().map(|at| at.wrapping_sub(link)).collect()
        };
        for at in all {
            match self.mount(at) {
                Ok(mount) => found.items.push(mount),
                Err(why) => found.damage.push(why),
            }
        }
        Ok(found)
    }

    /// Nodes of the red-black tree below `node`, by their order.
    fn in_order(&self, node: u64, depth: usize, into: &mut Vec<u64>) -> Result<(), Unavailable> {
        if node == 0 {
            return Ok(());
        }
        if depth == 0 || into.len() >= MAX_MOUNTS {
            return Err(Unavailable::Damaged("the tree of mounts does not end".to_owned()));
        }
        let object = self.object("rb_node", node);
        self.in_order(object.number("rb_left")?, depth - 1, into)?;
        into.push(node);
        self.in_order(object.number("rb_right")?, depth - 1, into)
    }

    fn mount(&self, address: u64) -> Result<Mount, Unavailable> {
        let point = self.mount_by_address(address)?;
        let mount = self.object("mount", address);
        let superblock = mount.number("mnt.mnt_sb")?;
        let name = |at: u64| {
            let what = |source| Unavailable::memory("a name of a mount", source);
            if at == 0 {
                Ok("none".to_owned())
            } else {
                self.read_string(at, MAX_NAME).map_err(what)
            }
        };
        let kind = self.object("super_block", superblock).number("s_type")?;
        let path = self.path(mount.address_of("mnt")?, point.root)?;
        Ok(Mount {
            point,
            superblock,
            kind: name(self.object("file_system_type", kind).number("name")?)?,
            device: name(mount.number("mnt_devname")?)?,
            path,
        })
    }
}
