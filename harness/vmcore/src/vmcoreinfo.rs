// SPDX-License-Identifier: MIT OR Apache-2.0
//! VMCOREINFO: what the kernel wrote down about itself for readers of its dump.
//!
//! Lines `KEY=VALUE`, written by the kernel's `kernel/crash_core.c` (`kernel/kexec.c` before
//! 4.13, `kernel/vmcore_info.c` from 6.9) and its architecture parts. Addresses are hexadecimal
//! without `0x`, `NUMBER()` is decimal and signed, or hexadecimal with `0x` since 6.9.

use std::collections::BTreeMap;

/// Most bytes of text that are read. A kernel has a page for it (`VMCOREINFO_BYTES`); a file may
/// name any stretch of itself.
const MOST_TEXT: usize = 1 << 20;

/// The keys and values of VMCOREINFO. Every getter gives `None` for a key that is absent or
/// does not parse.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VmcoreInfo {
    values: BTreeMap<String, String>,
}

impl VmcoreInfo {
    /// Reads the text of the note, up to 1 MiB of it. Lines that are no `KEY=VALUE` are skipped, the first of two
    /// lines with the same key counts, bytes that are not UTF-8 are replaced.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let text = text.get(..MOST_TEXT).unwrap_or(text);
        let end = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let text = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
        let mut values = BTreeMap::new();
        for (key, value) in text.lines().filter_map(|line| line.split_once('=')) {
            values.entry(key.to_owned()).or_insert_with(|| value.to_owned());
        }
        Self { values }
    }

    /// What the kernel would have written if it lay elsewhere: with this `phys_base` and KASLR offset, and
    /// with the addresses of its symbols `shift` bytes further up (wrapping, to go down).
    #[must_use]
    pub fn moved(&self, phys_base: i64, kaslr_offset: Option<u64>, shift: u64) -> Self {
        let mut values = self.values.clone();
        for (_, value) in values.iter_mut().filter(|(key, _)| key.starts_with("SYMBOL(")) {
            if let Some(address) = hexadecimal(value) {
                *value = format!("{:x}", address.wrapping_add(shift));
            }
        }
        values.insert("NUMBER(phys_base)".to_owned(), phys_base.to_string());
        if let Some(offset) = kaslr_offset {
            values.insert("KERNELOFFSET".to_owned(), format!("{offset:x}"));
        }
        Self { values }
    }

    /// Whether there is anything in it: a dump may have no VMCOREINFO.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All keys and values, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of a whole key, such as `OSRELEASE` or `SYMBOL(_stext)`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Run-time virtual address of a kernel symbol: `SYMBOL(name)`.
    #[must_use]
    pub fn symbol(&self, name: &str) -> Option<u64> {
        hexadecimal(self.get(&format!("SYMBOL({name})"))?)
    }

    /// Size of a type in bytes: `SIZE(name)`.
    #[must_use]
    pub fn size(&self, name: &str) -> Option<u64> {
        self.get(&format!("SIZE({name})"))?.parse().ok()
    }

    /// Offset of a member in bytes: `OFFSET(type.member)`.
    #[must_use]
    pub fn offset(&self, member: &str) -> Option<u64> {
        self.get(&format!("OFFSET({member})"))?.parse().ok()
    }

    /// Number of elements of an array: `LENGTH(name)`.
    #[must_use]
    pub fn length(&self, name: &str) -> Option<u64> {
        self.get(&format!("LENGTH({name})"))?.parse().ok()
    }

    /// Any number: `NUMBER(name)`. A hexadecimal one is given with the bits it has, so that an
    /// address comes out negative and `cast_unsigned` brings it back.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        let text = self.get(&format!("NUMBER({name})"))?;
        match text.strip_prefix("0x") {
            Some(digits) => hexadecimal(digits).map(u64::cast_signed),
            None => text.parse().ok(),
        }
    }

    /// Release of the kernel, as `uname -r` prints it.
    #[must_use]
    pub fn os_release(&self) -> Option<&str> {
        self.get("OSRELEASE")
    }

    /// Bytes in a page.
    #[must_use]
    pub fn page_size(&self) -> Option<u64> {
        self.get("PAGESIZE")?.parse().ok()
    }

    /// What KASLR added to the addresses of the kernel's text: `KERNELOFFSET`.
    #[must_use]
    pub fn kaslr_offset(&self) -> Option<u64> {
        hexadecimal(self.get("KERNELOFFSET")?)
    }

    /// What to add to `address - 0xffffffff80000000` of the kernel image to get its physical
    /// address. May be negative.
    #[must_use]
    pub fn phys_base(&self) -> Option<i64> {
        self.number("phys_base")
    }

    /// When the kernel crashed, in seconds since 1970 (UTC).
    #[must_use]
    pub fn crash_time(&self) -> Option<i64> {
        self.get("CRASHTIME")?.parse().ok()
    }

    /// Build id of the kernel (5.9 and later). Some stable kernels write a wrong one.
    #[must_use]
    pub fn build_id(&self) -> Option<Vec<u8>> {
        let text = self.get("BUILD-ID")?.as_bytes();
        let pairs = text.chunks_exact(2);
        if text.is_empty() || !pairs.remainder().is_empty() {
            return None;
        }
        pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
    }
}

/// A number in hexadecimal digits and nothing else: the library's parser takes a sign too.
fn hexadecimal(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_hexdigit()).then(|| u64::from_str_radix(text, 16).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines of a CentOS 7 kernel with KASLR, and of a 6.1 one.
    const EL7: &[u8] = b"OSRELEASE=3.10.0-1160.el7.x86_64\nPAGESIZE=4096\n\
        SYMBOL(_stext)=ffffffff9e400000\nLENGTH(mem_section)=4096\nSIZE(log)=16\n\
        OFFSET(log.text_len)=10\nNUMBER(PAGE_BUDDY_MAPCOUNT_VALUE)=-128\n\
        NUMBER(phys_base)=79691776\nKERNELOFFSET=1d400000\nCRASHTIME=1795338709\n";
    const V6: &[u8] = b"OSRELEASE=6.9.0\nBUILD-ID=3b43fad5034874490492495d552c0af6a5fab235\n\
        NUMBER(phys_base)=-438304768\nNUMBER(VMALLOC_START)=0xffffb69b80000000\n";

    #[test]
    fn getters_read_the_kernels_number_forms() {
        let info = VmcoreInfo::parse(EL7);
        assert_eq!(info.os_release(), Some("3.10.0-1160.el7.x86_64"));
        assert_eq!(info.page_size(), Some(4096));
        assert_eq!(info.symbol("_stext"), Some(0xffff_ffff_9e40_0000));
        assert_eq!(info.length("mem_section"), Some(4096));
        assert_eq!(info.size("log"), Some(16));
        assert_eq!(info.offset("log.text_len"), Some(10));
        assert_eq!(info.number("PAGE_BUDDY_MAPCOUNT_VALUE"), Some(-128));
        assert_eq!(info.phys_base(), Some(79_691_776));
        assert_eq!(info.kaslr_offset(), Some(0x1d40_0000));
        assert_eq!(info.crash_time(), Some(1_795_338_709));
        assert_eq!(info.build_id(), None);
        let info = VmcoreInfo::parse(V6);
        assert_eq!(info.phys_base(), Some(-438_304_768));
        let start = info.number("VMALLOC_START").map(i64::cast_unsigned);
        assert_eq!(start, Some(0xffff_b69b_8000_0000));
        let id = info.build_id().unwrap();
        assert_eq!((id.len(), id[..3].to_vec()), (20, vec![0x3b, 0x43, 0xfa]));
        assert_eq!(info.kaslr_offset(), None);
    }

    #[test]
    fn text_without_end_is_read_up_to_a_limit() {
        let lines = (0..1_000_000).map(|number| format!("K{number}=1\n"));
        let text = format!("OSRELEASE=6.9.0\n{}", lines.collect::<String>());
        assert!(text.len() > 8 << 20);
        let info = VmcoreInfo::parse(text.as_bytes());
        assert_eq!((info.os_release(), info.get("K999999")), (Some("6.9.0"), None));
        assert!(info.iter().count() < 200_000);
    }

    #[test]
    fn a_kernel_elsewhere_has_all_its_addresses_moved_and_nothing_else() {
        let moved = VmcoreInfo::parse(EL7).moved(-4096, Some(0x20_0000), 0x1000);
        assert_eq!(moved.symbol("_stext"), Some(0xffff_ffff_9e40_1000));
        assert_eq!((moved.phys_base(), moved.kaslr_offset()), (Some(-4096), Some(0x20_0000)));
        assert_eq!((moved.size("log"), moved.length("mem_section")), (Some(16), Some(4096)));
        let down = VmcoreInfo::parse(EL7).moved(0, None, 0x1000_u64.wrapping_neg());
        assert_eq!(down.symbol("_stext"), Some(0xffff_ffff_9e3f_f000));
        assert_eq!(down.kaslr_offset(), Some(0x1d40_0000));
    }

    #[test]
    fn nonsense_is_no_value() {
        let info = VmcoreInfo::parse(
            b"KERNELOFFSET=+10\nSYMBOL(a)=0x10\nSYMBOL(b)=fffffffffffffffff\nSYMBOL(c)=\n\
              NUMBER(d)=0x\nNUMBER(e)=9223372036854775808\nBUILD-ID=3b4\nPAGESIZE=-1\nno line\n",
        );
        assert_eq!(info.kaslr_offset(), None);
        for name in ["a", "b", "c"] {
            assert_eq!(info.symbol(name), None, "{name}");
        }
        assert_eq!((info.number("d"), info.number("e")), (None, None));
        assert_eq!((info.build_id(), info.page_size()), (None, None));
        let text = VmcoreInfo::parse(b"BUILD-ID=\xc3\xa9\xc3\xa9\nA=1\nA=2\nB=x=y\n\0C=after\n");
        assert_eq!((text.build_id(), text.get("A")), (None, Some("1")));
        assert_eq!((text.get("B"), text.get("C")), (Some("x=y"), None));
        assert!(VmcoreInfo::parse(b"\0\0\0").is_empty());
    }
}
