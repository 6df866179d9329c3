// SPDX-License-Identifier: MIT OR Apache-2.0
//! The kernel under test: does what the host asks for, until it crashes or is switched off.

use std::time::{Duration, Instant};

use crate::console::say;
use crate::hello::hello;
use crate::kmsg::Log;
use crate::lines::Line;
use crate::port::{Port, tell};
use crate::trigger::Trigger;
use crate::{applets, arm, cpus, modprobe, modules, processes, seed, syscall, sysctl, unpack};
use protocol::{Message, Request, Stage};

/// How long the port may take to appear after its driver is loaded.
const PORT_LIMIT: Duration = Duration::from_secs(10);
/// How long the host may take to listen.
const HOST_LIMIT: Duration = Duration::from_secs(60);
/// How often to look after children, while the trigger runs and while it does not.
const BUSY: Duration = Duration::from_millis(10);
const IDLE: Duration = Duration::from_millis(200);

/// Serves the host.
pub(crate) fn run(troubles: &[String]) {
    let mut port = match Port::open(PORT_LIMIT) {
        Ok(port) => port,
        Err(message) => return say!("{message}"),
    };
    // A guest full of busy programs still answers; what it starts is as others are.
    if let Err(error) = syscall::run_before_others(true) {
        say!("other programs may keep this one waiting: {error}");
    }
    sysctl::speak_up();
    tell(Some(&mut port), &hello(Stage::First), HOST_LIMIT);
    for message in troubles {
        tell(Some(&mut port), &Message::Note { message: message.clone() }, HOST_LIMIT);
    }
    let mut trigger = Trigger::default();
    loop {
        // What it tells last comes before its end.
        while let Some(step) = trigger.told() {
            tell(Some(&mut port), &step, HOST_LIMIT);
            trigger.answer();
        }
        if let Some(exit) = trigger.reap() {
            tell(Some(&mut port), &exit, HOST_LIMIT);
        }
        let limit = if trigger.is_running() { BUSY } else { IDLE };
        let line = match port.next_line(limit, trigger.tells_by()) {
            Ok(Some(line)) => line,
            Ok(None) => continue,
            Err(error) => return say!("the port to the host is broken: {error}"),
        };
        let answer = match read(line) {
            Ok(Request::Poweroff) => {
                let command = "poweroff".to_owned();
                let done = Message::done(command);
                tell(Some(&mut port), &done, HOST_LIMIT);
                return;
            }
            Ok(request) => serve(&request, &mut trigger),
            Err(answer) => answer,
        };
        tell(Some(&mut port), &answer, HOST_LIMIT);
    }
}

fn read(line: Line) -> Result<Request, Message> {
    let failed = |message: &str| Message::Failed { command: "?".into(), message: message.into() };
    match line {
        Line::Text(text) => Request::parse(&text),
        Line::TooLong => Err(failed("not a request: the line is too long")),
        Line::NotText => Err(failed("not a request: the line is not UTF-8")),
    }
}

fn serve(request: &Request, trigger: &mut Trigger) -> Message {
    let start = Instant::now();
    let nothing = |()| None;
    let mut memory = None;
    let result = match request {
        Request::Arm { method, .. } if method == "stub" => arm::stub().map(|of_stub| {
            memory = Some(Box::new(of_stub));
            Some("crash stub".to_owned())
        }),
        Request::Arm { method, command_line } => arm::arm(method, command_line).map(Some),
        Request::Sysctl { name, value } => sysctl::set(name, value).map(nothing),
        Request::Load { path, parameters } => {
            say!("load {path} {parameters}");
            as_others(|| modules::load(path, parameters)).map(nothing)
        }
        Request::Modprobe { name, parameters } => {
            say!("modprobe {name} {parameters}");
            as_others(|| modprobe::load(name, parameters)).map(nothing)
        }
        Request::Unload { name } => {
            say!("unload {name}");
            as_others(|| modules::unload(name)).map(nothing)
        }
        Request::Trigger { argv, environment, tells } => {
            applets::name_all();
            say!("trigger {argv:?}");
            trigger.start(argv, environment, *tells).map(Some)
        }
        Request::Unpack { disk } => unpack::unpack(disk).map(nothing),
        Request::Seed { bytes } => seed::seed(bytes).map(nothing),
        Request::Alive => return Message::Alive,
        Request::Processes { sleepers } => {
            let (processes, more) = processes::look(*sleepers);
            return Message::Processes { processes, more, silent_cpus: cpus::silent() };
        }
        Request::Log => print_log().map(nothing),
        // The caller ends with it.
        Request::Poweroff => Ok(None),
    };
    match result {
        Ok(detail) => Message::Done {
            command: request.name().to_owned(),
            took_ms: millis(start),
            detail,
            memory,
        },
        Err(message) => Message::Failed { command: request.name().to_owned(), message },
    }
}

/// Does something with the priority of an ordinary program: a module's functions run in this one.
fn as_others<T>(work: impl FnOnce() -> T) -> T {
    // Where it was not raised, it cannot be lowered.
    let _ = syscall::run_before_others(false);
    let done = work();
    let _ = syscall::run_before_others(true);
    done
}

fn millis(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn print_log() -> Result<(), String> {
    let mut log = Log::from_start().map_err(|error| format!("cannot open /dev/kmsg: {error}"))?;
    for text in log.texts() {
        say!("log: {text}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_cannot_be_read_is_answered() {
        for line in [Line::TooLong, Line::NotText, Line::Text("?".into())] {
            assert!(matches!(read(line), Err(Message::Failed { .. })));
        }
        assert_eq!(read(Line::Text(r#"{"do":"log"}"#.into())), Ok(Request::Log));
    }

    #[test]
    fn a_refused_request_says_why_under_its_name() {
        let request = Request::Arm { method: "magic".into(), command_line: String::new() };
        let Message::Failed { command, message } = serve(&request, &mut Trigger::default()) else {
            panic!("accepted")
        };
        assert_eq!(command, "arm");
        assert!(message.contains("`magic`"), "{message}");
    }
}
