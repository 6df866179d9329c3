// SPDX-License-Identifier: MIT OR Apache-2.0
//! Per-CPU data, memory, uptime, names, and who crashed.

use crate::world::{Kind, World, padded, say, with_kernel};

const MASK: u64 = 0xffff_ffff_8140_0000;
const OFFSETS: u64 = 0xffff_ffff_8140_1000;
const AREA: u64 = 0xffff_ffff_8150_0000;
const TASKS: u64 = 0xffff_ffff_8160_0000;

/// CPUs 0, 1 and 9 possible, 0 and 9 online, `n` having its per-CPU data at `AREA` + n * 4 KiB.
pub(crate) fn cpus(world: &mut World) {
    world.structure("cpumask", 1024, &[]);
    world.put(MASK, &[0b11, 0b10]);
    world.put(MASK + 2048, &[0b01, 0b10]);
    world.put(MASK + 4092, &[0; 4]);
    world.symbol("__cpu_possible_mask", MASK);
    world.symbol("__cpu_online_mask", MASK + 2048);
    world.symbol("__per_cpu_offset", OFFSETS);
    for cpu in 0..10 {
        world.put_u64(OFFSETS + cpu * 8, AREA + cpu * 4096);
    }
}

/// `task_struct` with what is read of every task.
pub(crate) fn task_struct(world: &mut World) {
    world.structure(
        "task_struct",
        256,
        &[
            ("__state", 0, Kind::Number(4)),
            ("exit_state", 4, Kind::Number(4)),
            ("stack", 8, Kind::Number(8)),
            ("mm", 16, Kind::Number(8)),
            ("real_parent", 24, Kind::Number(8)),
            ("flags", 32, Kind::Number(4)),
            ("pid", 36, Kind::Number(4)),
            ("tgid", 40, Kind::Number(4)),
            ("cpu", 44, Kind::Number(4)),
            ("comm", 48, Kind::Text(16)),
        ],
    );
}

pub(crate) fn task(world: &mut World, address: u64, pid: u32, comm: &str) {
    world.put(address, &[0; 256]);
    world.put_u32(address + 36, pid);
    world.put_u32(address + 40, pid);
    world.put(address + 48, &padded(comm, 16));
}

#[test]
fn masks_and_offsets() {
    let mut world = World::new();
    cpus(&mut world);
    world.symbol("numbers", 0x40);
    world.put_u64(AREA + 9 * 4096 + 0x40, 99);
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.possible_cpus(), Ok(vec![0, 1, 9]));
        assert_eq!(kernel.online_cpus(), Ok(vec![0, 9]));
        assert_eq!(kernel.percpu_u64("numbers", 9), Ok(99));
        assert_eq!(kernel.percpu_offset(10).unwrap_err().to_string(), "no per-CPU data for CPU 10");
    });
}

/// CPU 1 was there and taken offline.
#[test]
fn cpus_that_were_there_and_not_up_are_offline() {
    let mut world = World::new();
    cpus(&mut world);
    world.symbol("__cpu_present_mask", MASK + 1024);
    world.put(MASK + 1024, &[0b11, 0b10]);
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.up_cpus(), Ok(vec![0, 9]));
        assert_eq!(kernel.offline_cpus(), Ok(vec![1]));
    });
}

/// `current_task` is a variable of its own, or (6.2 to 6.14) a member of `pcpu_hot`.
#[test]
fn the_current_task_in_both_places() {
    for hot in [false, true] {
        let mut world = World::new();
        cpus(&mut world);
        task_struct(&mut world);
        task(&mut world, TASKS, 42, "answer");
        if hot {
            world.structure("pcpu_hot", 64, &[("current_task", 8, Kind::Number(8))]);
            world.symbol("pcpu_hot", 0x80);
            world.put_u64(AREA + 4096 + 0x88, TASKS);
        } else {
            world.symbol("current_task", 0x80);
            world.put_u64(AREA + 4096 + 0x80, TASKS);
        }
        with_kernel(&world, |kernel| {
            let task = kernel.current_task(1).unwrap();
            assert_eq!((task.pid, task.comm.as_str(), task.cpu), (42, "answer", Some(1)));
        });
    }
}

/// The log, in the records of 3.5 to 5.9.
pub(crate) fn log(world: &mut World, text: &[&str]) {
    const LOG: u64 = 0xffff_ffff_8170_0000;
    for (name, offset) in
        [("log_buf", 0), ("log_buf_len", 8), ("log_first_idx", 12), ("log_next_idx", 16)]
    {
        say(world, &format!("SYMBOL({name})={:x}", LOG + offset));
    }
    for line in
        ["SIZE(log)=16", "OFFSET(log.ts_nsec)=0", "OFFSET(log.len)=8", "OFFSET(log.text_len)=10"]
    {
        say(world, line);
    }
    say(world, "OFFSET(log.dict_len)=12");
    world.put_u64(LOG, LOG + 32);
    world.put_u32(LOG + 8, 4096);
    let mut at = 0_u32;
    for text in text {
        let length = u16::try_from(text.len()).expect("short");
        let record = LOG + 32 + u64::from(at);
        let whole = (length + 16).next_multiple_of(4);
        world.put_u64(record, 0);
        world.put(record + 8, &whole.to_le_bytes());
        world.put(record + 10, &length.to_le_bytes());
        world.put(record + 12, &[0, 0, 0, 2]);
        world.put(record + 16, text.as_bytes());
        at += u32::from(whole);
    }
    world.put_u32(LOG + 12, 0);
    world.put_u32(LOG + 16, at);
}

/// A kernel of which the dump has its log and nothing else.
pub(crate) fn with_log_alone(text: &[&str]) -> World {
    let mut world = World::new();
    log(&mut world, text);
    world
}

/// An oops on CPU 1 by pid 42.
pub(crate) fn crashed(noted: u32, pid: u32) -> World {
    let oops = ["BUG: something", "Oops: 0002 [#1] SMP", "CPU: 1 PID: 42 Comm: sh Tainted: G"];
    crashed_with(noted, pid, &oops)
}

/// A crash that the kernel noted of a CPU, while `pid` ran on CPU 1, with such a log.
pub(crate) fn crashed_with(noted: u32, pid: u32, text: &[&str]) -> World {
    let mut world = World::new();
    cpus(&mut world);
    task_struct(&mut world);
    for (cpu, pid) in [(0, 7), (1, pid)] {
        task(&mut world, TASKS + cpu * 256, pid, "sh");
        world.put_u64(AREA + cpu * 4096 + 0x80, TASKS + cpu * 256);
    }
    world.symbol("current_task", 0x80);
    world.symbol("crashing_cpu", 0xffff_ffff_8140_2000);
    world.put_u32(0xffff_ffff_8140_2000, noted);
    log(&mut world, text);
    world
}

#[test]
fn who_crashed_when_all_agree() {
    with_kernel(&crashed(1, 42), |kernel| {
        let crash = kernel.crash();
        assert_eq!((crash.cpu, crash.doubts.as_slice()), (Some(1), [].as_slice()));
        assert_eq!(crash.task.as_ref().map(|task| task.pid), Some(42));
    });
}

#[test]
fn who_crashed_when_the_kernel_noted_nothing() {
    with_kernel(&crashed(u32::MAX, 42), |kernel| {
        assert_eq!((kernel.crash().cpu, kernel.crash().doubts.len()), (Some(1), 0));
    });
}

#[test]
fn disagreement_is_told() {
    with_kernel(&crashed(0, 42), |kernel| {
        let crash = kernel.crash();
        assert_eq!(crash.cpu, Some(0));
        assert_eq!(
            crash.doubts,
            [
                "the kernel noted CPU 0 as the one that crashed, its log says CPU 1",
                "the log says pid 42 (sh), the CPU's current task is pid 7 (sh)",
            ]
        );
    });
    with_kernel(&crashed(1, 43), |kernel| {
        let said = ["the log says pid 42 (sh), the CPU's current task is pid 43 (sh)"];
        assert_eq!(kernel.crash().doubts, said);
    });
}

#[test]
fn without_a_vmlinux_the_log_says_who_crashed() {
    let dump = crashed(1, 42).dump();
    let bytes = dump.as_slice();
    let core = vmcore::Vmcore::open(&bytes).unwrap();
    let kernel = kernel::Kernel::open(&core, None).unwrap();
    let crash = kernel.crash();
    assert_eq!(crash.cpu, Some(1));
    assert_eq!(crash.oops.as_ref().and_then(|oops| oops.pid), Some(42));
    assert_eq!(crash.task, None);
}

/// `panic()` takes the CPUs that it stops off the online ones (`stop_this_cpu()`); they stay active.
#[test]
fn a_cpu_that_panic_stopped_was_up() {
    let mut world = World::new();
    cpus(&mut world);
    with_kernel(&world, |kernel| assert_eq!(kernel.up_cpus(), Ok(vec![0, 9])));
    world.put(MASK + 0x8000, &[0b11, 0b10]);
    world.put(MASK + 0x8000 + 1020, &[0; 4]);
    world.symbol("__cpu_active_mask", MASK + 0x8000);
    with_kernel(&world, |kernel| assert_eq!(kernel.up_cpus(), Ok(vec![0, 1, 9])));
}

/// Nobody is noted as who crashed, and the log has no panic: an oops that the kernel survived is none.
#[test]
fn a_kernel_that_did_not_crash_runs() {
    let oops = ["BUG: something", "Oops: 0002 [#1] SMP", "CPU: 1 PID: 42 Comm: sh Tainted: G"];
    let panic = ["Kernel panic - not syncing: start: no slots"];
    for (noted, text, runs) in [
        (u32::MAX, oops.as_slice(), true),
        (u32::MAX, panic.as_slice(), false),
        (1, oops.as_slice(), false),
    ] {
        with_kernel(&crashed_with(noted, 42, text), |kernel| {
            assert_eq!(kernel.is_running(), runs, "{noted} {text:?}");
        });
    }
    // Where the variable is not known, nothing is claimed.
    let mut world = World::new();
    cpus(&mut world);
    with_kernel(&world, |kernel| assert!(!kernel.is_running()));
}

/// CONFIG_HZ=250: a tick of 4 000 000 ns, shifted by 8 as `JIFFIES_SHIFT` says.
#[test]
fn uptime_from_ticks() {
    const SOURCE: u64 = 0xffff_ffff_8140_3000;
    let mut world = World::new();
    let members = [("mult", 0, Kind::Number(4)), ("shift", 4, Kind::Number(4))];
    world.structure("clocksource", 64, &members);
    world.symbol("clocksource_jiffies", SOURCE);
    world.put_u32(SOURCE, 4_000_000 << 8);
    world.put_u32(SOURCE + 4, 8);
    world.symbol("jiffies_64", SOURCE + 64);
    // The counter starts at (unsigned int)(-300 * 250) and has wrapped 32 bits meanwhile.
    let start = 0x1_0000_0000_u64 - 300 * 250;
    world.put_u64(SOURCE + 64, start + 5227 * 250 + 249);
    with_kernel(&world, |kernel| {
        assert_eq!(kernel.ticks_per_second(), Ok(250));
        assert_eq!(kernel.uptime_seconds(), Ok(5227));
    });
}

#[test]
fn memory_of_two_nodes() {
    const NODES: u64 = 0xffff_ffff_8140_4000;
    let mut world = World::new();
    world.structure("pglist_data", 64, &[("node_present_pages", 16, Kind::Number(8))]);
    say(&mut world, &format!("SYMBOL(node_data)={NODES:x}\nLENGTH(node_data)=4"));
    world.put(NODES, &[0; 32]);
    for (slot, pages) in [(0, 1000), (2, 24)] {
        let node = NODES + 0x100 + slot * 64;
        world.put_u64(NODES + slot * 8, node);
        world.put_u64(node + 16, pages);
    }
    with_kernel(&world, |kernel| assert_eq!(kernel.memory_bytes(), Ok(1024 * 4096)));
}

/// 3.10's VMCOREINFO does not say where in `init_uts_ns` the names are.
#[test]
fn names_of_the_kernel_with_and_without_their_offset() {
    const NAMESPACE: u64 = 0xffff_ffff_8140_5000;
    for offset in [None, Some(4)] {
        let mut world = World::new();
        say(&mut world, &format!("SYMBOL(init_uts_ns)={NAMESPACE:x}"));
        if let Some(offset) = offset {
            say(&mut world, &format!("OFFSET(uts_namespace.name)={offset}"));
        }
        world.put_u32(NAMESPACE, 3);
        for (slot, name) in
            (0..).zip(["Linux", "localhost", "3.10.0", "#1 SMP", "x86_64", "(none)"])
        {
            world.put(NAMESPACE + 4 + slot * 65, &padded(name, 65));
        }
        world.symbol("tainted_mask", NAMESPACE + 1024);
        world.put_u64(NAMESPACE + 1024, 0x3080);
        with_kernel(&world, |kernel| {
            let uts = kernel.uts().unwrap();
            assert_eq!((uts.nodename.as_str(), uts.release.as_str()), ("localhost", "3.10.0"));
            assert_eq!((uts.version.as_str(), uts.machine.as_str()), ("#1 SMP", "x86_64"));
            assert_eq!(kernel.taint_letters().as_deref(), Ok("DOE"));
        });
    }
}
