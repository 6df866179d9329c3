// SPDX-License-Identifier: MIT OR Apache-2.0
//! Everything that can be done with a file, for fuzzing and for tests on damaged files.

use vmcore::{PhysAddr, Vmcore, true_length};

/// Reads all that the file says and a bounded number of its pages, and ignores the results:
/// what counts is that each call returns.
pub(crate) fn exercise(file: &[u8]) {
    let _ = true_length(&file);
    let vmcore = match Vmcore::open(&file) {
        Ok(vmcore) => vmcore,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let _ = format!("{vmcore:?} {:?} {:?}", vmcore.cpus(), vmcore.load_segments());
    let _ = (vmcore.memory_bytes(), vmcore.dumped_bytes(), vmcore.phys_base());
    let info = vmcore.vmcoreinfo();
    let _ = (info.kaslr_offset(), info.build_id(), info.crash_time(), info.page_size());
    for problem in vmcore.problems() {
        let _ = problem.to_string();
    }
    let mut bytes = [0; 6000];
    let segments = vmcore.load_segments().iter().take(16).map(|segment| segment.phys.0);
    let last = vmcore.info().max_pfn.0.saturating_mul(vmcore.info().page_size.into());
    let ends = [last.saturating_sub(4096), u64::MAX - 4096];
    for address in (0..64).map(|pfn| pfn * 4096 + 100).chain(segments).chain(ends) {
        if let Err(absent) = vmcore.read_physical(PhysAddr(address), &mut bytes) {
            let _ = absent.to_string();
        }
    }
}
