// SPDX-License-Identifier: MIT OR Apache-2.0
//! The report beside what `crash`, drgn and `addr2line` say of the same dump with the same debug
//! information.

use anyhow::Result;
use harness::case::{Outcome, Tier};
use harness::run::select::Selected;
use libtest_mimic::Arguments;
use tests::compare::{self, Count};
use tests::deviations::Evidence;
use tests::trial::{say, trial};
use tests::{live, project, snapshot};

/// A comparison; how many values agree.
type Test = fn(&Selected) -> Result<usize>;

const PEERS: [(&str, Test); 3] =
    [("drgn", beside_drgn), ("crash", beside_crash), ("addr2line", beside_addr2line)];

const COMMANDS: (&str, Test) = ("commands", beside_commands);

const MEMORY: (&str, Test) = ("crash-memory", beside_crash_memory);

fn main() -> std::process::ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    let flagship = project::default().expect("the default case").name();
    for selected in project::chosen().expect("the manifests are right") {
        let expected = selected.case.manifest.expectation(&selected.guest.name);
        if expected.outcome == Outcome::None {
            continue;
        }
        // Each compares the stack of every task: by request, they take minutes.
        let wanted = std::env::var_os("REPRO_TESTS").is_some();
        if wanted && selected.case.manifest.tier == Tier::Core {
            let selected = selected.clone();
            let name = format!("differential::{}::stacks", selected.name());
            trials.push(trial(name.clone(), move || stacks_beside_drgn(&name, &selected)));
        }
        if !snapshot::is_reviewed(&selected) {
            continue;
        }
        // Memory is much the same whatever crashed: one dump is enough.
        let memory = (selected.name() == flagship).then_some(MEMORY);
        for (peer, test) in PEERS.into_iter().chain(memory).chain([COMMANDS]) {
            let selected = selected.clone();
            let name = format!("differential::{}::{peer}", selected.name());
            trials.push(trial(name.clone(), move || {
                let compared = test(&selected)?;
                say(&format!("{name}: {compared} values agree"));
                Ok(())
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The stack of every task, in the dumps of all situations of the core on all their guests.
fn stacks_beside_drgn(name: &str, selected: &Selected) -> Result<()> {
    let live = live::run(selected)?;
    let (report, log) = (live.report()?, live.dmesg()?);
    let evidence = Evidence { case: &selected.case.name, report, log: &log };
    let compared = compare::stacks::all(&live.dump, evidence)?;
    let (tasks, addresses) = (compared.tasks, compared.addresses.total());
    let (places, known) = (compared.places.total(), compared.deviations.len());
    say(&format!(
        "{name}: {tasks} tasks, {addresses} return addresses and {places} values of their \
         functions and lines agree, {known} known deviations"
    ));
    for deviation in compared.deviations {
        say(&format!("{name}: {} is wrong: {}", deviation.wrong, deviation.why));
    }
    Ok(())
}

fn beside_drgn(selected: &Selected) -> Result<usize> {
    let live = live::run(selected)?;
    let mut compared = Count::default();
    compare::drgn::all(&live.dump, live.report()?, &mut compared)?;
    Ok(compared.total())
}

fn beside_crash(selected: &Selected) -> Result<usize> {
    let live = live::run(selected)?;
    let mut compared = Count::default();
    compare::crash::all(&live.dump, live.report()?, &live.dmesg()?, &mut compared)?;
    Ok(compared.total())
}

fn beside_commands(selected: &Selected) -> Result<usize> {
    let live = live::run(selected)?;
    let mut compared = Count::default();
    let files = live.dump.module_files(live.report()?);
    let slide = live.report()?.kernel.kaslr_offset.as_deref().and_then(compare::number);
    compare::commands::all(&live.dump, &files, slide.unwrap_or(0), &mut compared)?;
    Ok(compared.total())
}

fn beside_addr2line(selected: &Selected) -> Result<usize> {
    let live = live::run(selected)?;
    let mut compared = Count::default();
    compare::addr2line::all(&live.dump, live.report()?, &mut compared)?;
    Ok(compared.total())
}

fn beside_crash_memory(selected: &Selected) -> Result<usize> {
    let live = live::run(selected)?;
    let mut compared = Count::default();
    compare::memory::all(&live.dump, live.report()?, &mut compared)?;
    Ok(compared.total())
}
