// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reads all pages of a dump and says how fast: `cargo run -p vmcore --example pages -- VMCORE`.
#![expect(clippy::print_stdout, reason = "an example prints its findings")]

use std::time::Instant;

use vmcore::{PhysAddr, Vmcore};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args_os().nth(1).ok_or("usage: pages VMCORE")?;
    let file = std::fs::read(path)?;
    let before = Instant::now();
    let vmcore = Vmcore::open(&file)?;
    println!("opened in {:?}: {:?}", before.elapsed(), vmcore.info());
    for problem in vmcore.problems() {
        println!("problem: {problem}");
    }
    let page_size = vmcore.info().page_size;
    let mut page = vec![0; usize::try_from(page_size)?];
    let (mut read, mut absent) = (0_u32, 0_u32);
    let before = Instant::now();
    for pfn in 0..vmcore.info().max_pfn.0 {
        match vmcore.read_physical(PhysAddr(pfn * u64::from(page_size)), &mut page) {
            Ok(()) => read += 1,
            Err(_) => absent += 1,
        }
    }
    let took = before.elapsed();
    let rate = f64::from(read) / took.as_secs_f64();
    println!("{read} pages read and {absent} absent in {took:?}: {rate:.0} pages/s");
    Ok(())
}
