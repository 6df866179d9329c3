// SPDX-License-Identifier: MIT OR Apache-2.0
//! What kinds of files there are: each with its name and the way out.

use std::fmt;

/// A file that is no vmcore of a form read here.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Foreign {
    /// There is nothing in it.
    Empty,
    /// Its first page is zeros.
    Zeros,
    /// A text, also of HTML.
    Text,
    /// The forerunner of kdump's compressed form.
    Diskdump,
    /// A dump by the firmware of Fujitsu's servers.
    Sadump(Sadump),
    /// A dump of the Linux kernel crash dump project, or of a standalone dump tool of s390.
    Lkcd,
    /// QEMU's stream of a machine's state: a migration to a file.
    QemuState,
    /// A machine saved by libvirt with QEMU's stream in it.
    LibvirtSave,
    /// A suspended machine or snapshot of VMware.
    VmwareState,
    /// A saved machine of VirtualBox.
    VirtualBoxState,
    /// A domain's core written by Xen.
    XenCore,
    /// A domain saved by Xen.
    XenSave,
    /// Memory written by the module LiME, or by AVML without compression.
    Lime,
    /// Memory written by AVML with compression.
    Avml,
    /// A crashed kernel of Windows.
    WindowsKernel,
    /// A crashed process of Windows.
    WindowsMinidump,
    /// A hibernated Linux in its swap space.
    Hibernation,
    /// Swap space of Linux.
    Swap,
    /// The disk of a machine.
    Disk(Disk),
    /// A kernel with its symbols.
    Kernel,
    /// A module of a kernel.
    Module,
    /// A kernel as a boot loader takes it.
    BootImage,
    /// A program or a library.
    Program,
    /// What a compiler makes of one source.
    Object,
    /// The memory of a process that crashed.
    Process {
        /// What ran (`pr_fname`), if the file tells.
        name: Option<String>,
    },
    /// A copy of the running kernel's `/proc/kcore`.
    Kcore,
    /// A compressed file.
    Packed(Packed),
    /// A file with files in it.
    Archive(Archive),
}

/// How the firmware laid the dump out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sadump {
    /// On one partition.
    Single,
    /// On several disks, of which this is one.
    DiskSet,
    /// Copied from there to other media.
    MediaBackup,
}

/// In which form a disk is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Disk {
    /// QEMU's qcow and qcow2.
    Qcow,
    /// QEMU's QED.
    Qed,
    /// VMware's.
    Vmdk,
    /// VirtualBox's.
    Vdi,
    /// Hyper-V's.
    Vhdx,
    /// Hyper-V's older one.
    Vhd,
    /// Parallels'.
    Parallels,
    /// Byte for byte: a table of partitions, or a file system.
    Raw,
}

/// What compressed a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Packed {
    /// gzip.
    Gzip,
    /// xz.
    Xz,
    /// zstd.
    Zstd,
    /// bzip2.
    Bzip2,
    /// lz4.
    Lz4,
    /// lzop.
    Lzop,
    /// compress.
    Compress,
}

/// What put files into a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Archive {
    /// tar.
    Tar,
    /// cpio, as of an initramfs.
    Cpio,
    /// zip.
    Zip,
    /// 7-Zip.
    SevenZip,
    /// RAR.
    Rar,
    /// A package of RPM.
    Rpm,
    /// A package of dpkg.
    Deb,
    /// ar.
    Ar,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "an empty file",
            Self::Zeros => "a file that begins with zeros",
            Self::Text => "a text",
            Self::Diskdump => "a dump in the old format diskdump",
            Self::Sadump(Sadump::Single) => "a dump by sadump on a single partition",
            Self::Sadump(Sadump::DiskSet) => "a dump by sadump on a set of disks",
            Self::Sadump(Sadump::MediaBackup) => "a dump by sadump copied to other media",
            Self::Lkcd => "a dump in the format of LKCD",
            Self::QemuState => "a migration stream of QEMU",
            Self::LibvirtSave => "a machine saved by libvirt",
            Self::VmwareState => "a suspended machine or snapshot of VMware",
            Self::VirtualBoxState => "a saved machine of VirtualBox",
            Self::XenCore => "a core of a Xen domain",
            Self::XenSave => "a saved Xen domain",
            Self::Lime => "memory in the format of LiME",
            Self::Avml => "memory in the compressed format of AVML",
            Self::WindowsKernel => "a dump of a Windows kernel",
            Self::WindowsMinidump => "a Windows minidump",
            Self::Hibernation => "a hibernated Linux",
            Self::Swap => "swap space",
            Self::Disk(disk) => disk.name(),
            Self::Kernel => "a kernel's file (vmlinux)",
            Self::Module => "a kernel module",
            Self::BootImage => "a kernel to boot (vmlinuz)",
            Self::Program => "a program or library",
            Self::Object => "a compiler's object file",
            Self::Process { name: Some(name) } => {
                // The name is the file's own.
                return write!(f, "the core of a process ({})", name.escape_debug());
            }
            Self::Process { name: None } => "the core of a process",
            Self::Kcore => "a copy of a running kernel's /proc/kcore",
            Self::Packed(packed) => packed.name(),
            Self::Archive(archive) => archive.name(),
        })
    }
}

impl Disk {
    fn name(self) -> &'static str {
        match self {
            Self::Qcow => "a disk of a machine (qcow2)",
            Self::Qed => "a disk of a machine (QED)",
            Self::Vmdk => "a disk of a machine (VMDK)",
            Self::Vdi => "a disk of a machine (VDI)",
            Self::Vhdx => "a disk of a machine (VHDX)",
            Self::Vhd => "a disk of a machine (VHD)",
            Self::Parallels => "a disk of a machine (Parallels)",
            Self::Raw => "a disk or a partition of one",
        }
    }
}

impl Packed {
    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "a file compressed by gzip",
            Self::Xz => "a file compressed by xz",
            Self::Zstd => "a file compressed by zstd",
            Self::Bzip2 => "a file compressed by bzip2",
            Self::Lz4 => "a file compressed by lz4",
            Self::Lzop => "a file compressed by lzop",
            Self::Compress => "a file compressed by compress",
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Gzip => "unpack it first: gzip -dc FILE >vmcore",
            Self::Xz => "unpack it first: xz -dc FILE >vmcore",
            Self::Zstd => "unpack it first: zstd -dc FILE >vmcore",
            Self::Bzip2 => "unpack it first: bzip2 -dc FILE >vmcore",
            Self::Lz4 => "unpack it first: lz4 -dc FILE >vmcore",
            Self::Lzop => "unpack it first: lzop -dc FILE >vmcore",
            Self::Compress => "unpack it first: uncompress -c FILE >vmcore",
        }
    }
}

impl Archive {
    fn name(self) -> &'static str {
        match self {
            Self::Tar => "an archive of tar",
            Self::Cpio => "an archive of cpio",
            Self::Zip => "an archive of zip",
            Self::SevenZip => "an archive of 7-Zip",
            Self::Rar => "an archive of RAR",
            Self::Rpm => "a package (RPM)",
            Self::Deb => "a package (deb)",
            Self::Ar => "an archive of ar",
        }
    }

    fn way_out(self) -> &'static str {
        match self {
            Self::Tar => "unpack it and give the vmcore in it: tar -xf FILE",
            Self::Cpio => "unpack it and give the vmcore in it: cpio -id <FILE",
            Self::Zip => "unpack it and give the vmcore in it: unzip FILE",
            Self::SevenZip => "unpack it and give the vmcore in it: 7z x FILE",
            Self::Rar => "unpack it and give the vmcore in it: unrar x FILE",
            Self::Rpm => {
                "no dump is in a package; its vmlinux is for --vmlinux: rpm2cpio FILE | cpio -id"
            }
            Self::Deb => {
                "no dump is in a package; its vmlinux is for --vmlinux: dpkg-deb -x FILE FOLDER"
            }
            Self::Ar => "no dump is in an archive of a compiler; give the file that kdump wrote",
        }
    }
}

impl Foreign {
    /// What a person can do: a command, or what to ask for. `FILE` stands for the file.
    #[must_use]
    pub fn way_out(&self) -> &'static str {
        match self {
            Self::Empty => {
                "the dump was never written: the console or vmcore-dmesg.txt beside it may tell why"
            }
            Self::Zeros => {
                "the dump was not written there, or it is raw RAM, which docs/raw-ram.md describes"
            }
            Self::Text => {
                "give the file that kdump wrote; of a kernel's log the analysis takes the text, too"
            }
            Self::Diskdump => "let crash(8) open it, or take a dump by kdump",
            Self::Sadump(Sadump::Single | Sadump::MediaBackup) => {
                "convert it: makedumpfile -l -d 31 -x VMLINUX FILE vmcore"
            }
            Self::Sadump(Sadump::DiskSet) => {
                "convert all disks together: makedumpfile -l -d 31 -x VMLINUX --diskset=FILE \
                 --diskset=FILE2 vmcore"
            }
            Self::Lkcd => "nothing converts it: take a dump by kdump",
            // libvirt's `virsh dump` writes this stream, and `virsh save` a header before it
            // (`doCoreDump()` and `qemuSaveImageCreate()`).
            Self::QemuState => {
                "start QEMU as the machine was started, with -S -incoming 'exec:cat FILE', and \
                 type in its monitor: dump-guest-memory -z vmcore; it is what virsh dump writes \
                 without --memory-only"
            }
            Self::LibvirtSave => {
                "virsh restore --paused FILE, then: virsh dump --memory-only DOMAIN vmcore"
            }
            Self::VmwareState => {
                "VMware's vmss2core makes a core of it (vmss2core -N6 FILE); a .vmem beside it is \
                 raw RAM, which docs/raw-ram.md describes"
            }
            Self::VirtualBoxState => {
                "resume the machine, then: VBoxManage debugvm NAME dumpvmcore --filename=vmcore"
            }
            Self::XenCore | Self::XenSave => {
                "let crash(8) open it if it can, or take a dump by kdump inside of the domain"
            }
            Self::Lime | Self::Avml => {
                "make raw RAM of it by AVML's avml-convert --format raw FILE guest.ram, and \
                 describe that as one range from address 0 on (docs/raw-ram.md)"
            }
            Self::WindowsKernel | Self::WindowsMinidump => {
                "it is of Windows, not of Linux: open it with WinDbg"
            }
            Self::Hibernation | Self::Swap => {
                "no crash is in it: ask for the vmcore that kdump wrote, mostly in /var/crash"
            }
            Self::Disk(_) => {
                "take the vmcore out of it: virt-copy-out -a FILE /var/crash . (or mount it)"
            }
            Self::Kernel => "it is for --vmlinux: give it there, and the dump in this place",
            Self::Module => {
                "its folder is for --module-dir: give it there, and the dump in this place"
            }
            Self::BootImage => "give the vmcore in this place, and the vmlinux to --vmlinux",
            Self::Program | Self::Object => {
                "give the vmcore that kdump wrote, mostly in /var/crash"
            }
            Self::Process { .. } => {
                "no kernel is in it: gdb PROGRAM FILE, or coredumpctl gdb, opens it"
            }
            Self::Kcore => {
                "the kernel ran on: take a dump of a crash, or of a virtual machine by virsh dump \
                 --memory-only"
            }
            Self::Packed(packed) => packed.way_out(),
            Self::Archive(archive) => archive.way_out(),
        }
    }
}
