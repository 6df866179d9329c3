// SPDX-License-Identifier: MIT OR Apache-2.0
//! Whether VMCOREINFO agrees with itself about the KASLR offset.

use vmcore::VmcoreInfo;

use super::space::KERNEL_MAP;

/// Where `_stext` is linked with `CONFIG_PHYSICAL_START` as it is everywhere (16 MiB).
const TEXT: u64 = KERNEL_MAP + (16 << 20);

/// The KASLR offset that VMCOREINFO says, unless its own `_stext` contradicts it; then a `vmlinux` has to decide.
pub(super) fn usual_offset(info: &VmcoreInfo) -> Option<u64> {
    let said = info.kaslr_offset()?;
    let agrees = info.symbol("_stext").is_none_or(|text| text == TEXT.wrapping_add(said));
    agrees.then_some(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_that_the_text_contradicts_is_none() {
        let info = |text: &str| VmcoreInfo::parse(text.as_bytes());
        let agreed = info("KERNELOFFSET=1d400000\nSYMBOL(_stext)=ffffffff9e400000\n");
        assert_eq!(usual_offset(&agreed), Some(0x1d40_0000));
        let other = info("KERNELOFFSET=1d600000\nSYMBOL(_stext)=ffffffff9e400000\n");
        assert_eq!(usual_offset(&other), None);
        assert_eq!(usual_offset(&info("KERNELOFFSET=0\n")), Some(0));
    }
}
