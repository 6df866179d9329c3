// SPDX-License-Identifier: MIT OR Apache-2.0
//! `vm`: what a task's process has mapped.

use serde::Serialize;

use super::ps_views::Head;
use super::show::{DECIMAL, HEXADECIMAL, Shown, style};
use super::{Arguments, Command, CommandError, Flag, Reply, Rule, Session, Text, Words, structure};
use kernel::Kernel;
use kernel::mm::PAGE;
use kernel::mm::vma::Vma;
use kernel::tasks::Task;
use vmcore::PhysAddr;

/// The command.
pub(super) const COMMAND: Command = Command {
    name: "vm",
    summary: "what a task's process has mapped",
    usage: "[-p | -m | -v] [-x | -d] [PID|TASK|COMMAND]...",
    options: &[
        Flag::switch("p", "every page of each mapping, and where it lies"),
        Flag::switch("m", "the mm_struct"),
        Flag::switch("v", "the vm_area_struct of each mapping"),
        HEXADECIMAL,
        DECIMAL,
    ],
    rules: &[
        Rule::OneOf(&["p", "m", "v"]),
        Rule::OneOf(&["x", "d"]),
        Rule::Needs(&["x", "d"], &["m", "v"]),
    ],
    words: Words::Mixed,
    run,
};

const NO_MEMORY: &str = "(a kernel thread has no memory of its own)\n";
/// Pages that are shown at most: 16 GiB.
const MAX_PAGES: u64 = 4 << 20;

#[derive(Debug, Serialize)]
struct Spaces {
    tasks: Vec<Space>,
}

#[derive(Debug, Serialize)]
struct Space {
    pid: i32,
    task: String,
    cpu: Option<u32>,
    command: String,
    /// Address of the `mm_struct`; none of a kernel thread.
    mm: Option<String>,
    pgd: Option<String>,
    rss_kib: Option<u64>,
    total_kib: Option<u64>,
    mappings: Vec<Row>,
    /// What could not be read.
    damage: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Row {
    vma: String,
    start: String,
    end: String,
    flags: String,
    rights: String,
    file: Option<String>,
    /// Only asked for with `-p`.
    pages: Vec<Page>,
}

#[derive(Debug, Serialize)]
struct Page {
    #[serde(rename = "virtual")]
    address: String,
    /// None if it is not in memory.
    physical: Option<String>,
    /// Whether its contents are in the dump.
    in_dump: bool,
}

fn run(session: &mut Session<'_, '_>, arguments: &Arguments) -> Result<Reply, CommandError> {
    let tasks = session.meant(&arguments.words)?;
    if arguments.has("m") || arguments.has("v") {
        return structures(session, arguments, &tasks);
    }
    let kernel = session.kernel();
    let mut left = if arguments.has("p") { MAX_PAGES } else { 0 };
    let tasks = tasks.iter().map(|task| space(kernel, task, &mut left)).collect();
    Ok(Reply::new(Spaces { tasks }))
}

/// The structures behind a task's memory.
#[derive(Debug, Serialize)]
struct Structures {
    tasks: Vec<Structure>,
}

#[derive(Debug, Serialize)]
struct Structure {
    #[serde(flatten)]
    head: Head,
    /// Empty of a kernel thread.
    structures: Vec<Shown>,
}

fn structures(
    session: &Session<'_, '_>,
    arguments: &Arguments,
    tasks: &[Task],
) -> Result<Reply, CommandError> {
    let style = style(arguments);
    let read = |task: &Task| -> Result<Structure, CommandError> {
        let places = match (task.mm, arguments.has("v")) {
            (0, _) => Vec::new(),
            (mm, false) => vec![("mm_struct", mm)],
            (mm, true) => {
                let listing = session.kernel().vmas(mm)?;
                listing.items.iter().map(|vma| ("vm_area_struct", vma.address)).collect()
            }
        };
        let shown = places.into_iter().map(|(tag, at)| structure::whole(session, tag, at, style));
        Ok(Structure { head: Head::new(task), structures: shown.collect::<Result<_, _>>()? })
    };
    let tasks = tasks.iter().map(read).collect::<Result<_, _>>()?;
    Ok(Reply::new(Structures { tasks }))
}

impl Text for Structures {
    fn text(&self) -> String {
        let one = |task: &Structure| match task.structures.as_slice() {
            [] => format!("{}\n{NO_MEMORY}", task.head.text()),
            shown => {
                let shown: String = shown.iter().map(Text::text).collect();
                format!("{}\n{shown}", task.head.text())
            }
        };
        self.tasks.iter().map(one).collect::<Vec<_>>().join("\n")
    }
}

fn space(kernel: &Kernel<'_>, task: &Task, left: &mut u64) -> Space {
    let mut found = Space {
        pid: task.pid,
        task: format!("{:x}", task.address),
        cpu: task.cpu,
        command: task.comm.clone(),
        mm: None,
        pgd: None,
        rss_kib: None,
        total_kib: None,
        mappings: Vec::new(),
        damage: Vec::new(),
    };
    if task.mm == 0 {
        return found;
    }
    let mm = kernel.object("mm_struct", task.mm);
    let kib = |pages: u64| pages.saturating_mul(PAGE / 1024);
    found.mm = Some(format!("{:x}", task.mm));
    found.pgd = mm.number("pgd").ok().map(|pgd| format!("{pgd:x}"));
    found.total_kib = mm.number("total_vm").ok().map(kib);
    found.rss_kib = Some(kib(kernel.resident_pages(task.mm)));
    let root = kernel.user_tables(task);
    found.damage.extend(root.as_ref().err().map(ToString::to_string));
    match kernel.vmas(task.mm) {
        Ok(listing) => {
            found.damage.extend(listing.damage.iter().map(ToString::to_string));
            let row = |vma: &Vma| row(kernel, vma, root.clone().ok(), left);
            found.mappings = listing.items.iter().map(row).collect();
        }
        Err(why) => found.damage.push(why.to_string()),
    }
    found
}

fn row(kernel: &Kernel<'_>, vma: &Vma, root: Option<PhysAddr>, left: &mut u64) -> Row {
    let path = (vma.file != 0)
        .then(|| kernel.file_path(vma.file).unwrap_or_else(|why| format!("({why})")));
    let mut pages = Vec::new();
    let mut at = vma.start;
    while let Some(root) = root.filter(|_| *left > 0 && at < vma.end) {
        let physical = kernel.space().mapping_at(root, at).ok().map(|found| found.physical);
        let mut byte = [0];
        pages.push(Page {
            address: format!("{at:x}"),
            physical: physical.map(|physical| format!("{:x}", physical.0)),
            in_dump: physical
                .is_some_and(|place| kernel.vmcore().read_physical(place, &mut byte).is_ok()),
        });
        *left -= 1;
        at = at.saturating_add(PAGE);
    }
    Row {
        vma: format!("{:x}", vma.address),
        start: format!("{:x}", vma.start),
        end: format!("{:x}", vma.end),
        flags: format!("{:x}", vma.flags),
        rights: vma.rights(),
        file: path,
        pages,
    }
}

impl Text for Spaces {
    fn text(&self) -> String {
        let mut out = String::new();
        for (index, space) in self.tasks.iter().enumerate() {
            let gap = if index == 0 { "" } else { "\n" };
            let cpu = space.cpu.map_or_else(|| "?".to_owned(), |cpu| cpu.to_string());
            out.push_str(&format!(
                "{gap}PID: {:<8} TASK: {}  CPU: {cpu}    COMMAND: \"{}\"\n",
                space.pid, space.task, space.command
            ));
            out.push_str(&space.text());
        }
        out
    }
}

impl Space {
    fn text(&self) -> String {
        let Some(mm) = &self.mm else {
            return NO_MEMORY.to_owned();
        };
        let kib =
            |size: Option<u64>| size.map_or_else(|| "?".to_owned(), |size| format!("{size}k"));
        let mut out = format!("{:^16}  {:^16}  {:>8}  TOTAL_VM\n", "MM", "PGD", "RSS");
        let pgd = self.pgd.as_deref().unwrap_or("?");
        let (rss, total) = (kib(self.rss_kib), kib(self.total_kib));
        out.push_str(&format!("{mm:>16}  {pgd:>16}  {rss:>8}  {total}\n"));
        let head = format!("{:^16} {:^12} {:^12} {:>8} FILE\n", "VMA", "START", "END", "FLAGS");
        if self.mappings.iter().all(|row| row.pages.is_empty()) {
            out.push_str(&head);
        }
        for row in &self.mappings {
            if !row.pages.is_empty() {
                out.push_str(&head);
            }
            out.push_str(&row.text());
        }
        out.extend(self.damage.iter().map(|why| format!("({why})\n")));
        out
    }
}

impl Row {
    fn text(&self) -> String {
        let file = self.file.as_deref().unwrap_or("");
        let line = format!(
            "{:>16} {:>12} {:>12} {:>8} {file}",
            self.vma, self.start, self.end, self.flags
        );
        let mut out = format!("{}\n", line.trim_end());
        if !self.pages.is_empty() {
            out.push_str(&format!("{:<16}  PHYSICAL\n", "VIRTUAL"));
        }
        for page in &self.pages {
            let physical = match (&page.physical, page.in_dump) {
                (Some(physical), true) => physical.clone(),
                (Some(physical), false) => format!("{physical}  (not in the dump)"),
                (None, _) => "(not mapped)".to_owned(),
            };
            out.push_str(&format!("{:<16}  {physical}\n", page.address));
        }
        out
    }
}
