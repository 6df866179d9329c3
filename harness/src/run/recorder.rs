// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tells the reporters about one run and keeps how long its phases took.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::events::{Bus, Event, Phase, millis};

/// The events of one run.
#[derive(Debug)]
pub struct Recorder<'a> {
    bus: &'a mut Bus,
    current: Option<(Phase, Duration)>,
    phases: BTreeMap<Phase, u64>,
}

impl<'a> Recorder<'a> {
    /// A recorder that writes to `bus`.
    pub fn new(bus: &'a mut Bus) -> Self {
        Self { bus, current: None, phases: BTreeMap::new() }
    }

    /// Tells the reporters.
    pub fn emit(&mut self, event: Event) {
        self.bus.emit(event);
    }

    /// The bus, to add and remove reporters.
    pub fn bus(&mut self) -> &mut Bus {
        self.bus
    }

    /// Begins a phase; one that was not finished ends silently.
    pub fn begin(&mut self, phase: Phase, what: impl Into<String>) {
        self.close();
        self.current = Some((phase, self.bus.elapsed()));
        self.emit(Event::PhaseStarted { phase, what: what.into() });
    }

    /// Finishes the phase that was begun last.
    pub fn finish(&mut self, what: impl Into<String>) {
        if let Some((phase, millis)) = self.close() {
            self.emit(Event::PhaseFinished { phase, millis, what: what.into() });
        }
    }

    /// A line about what the phase does now.
    pub fn progress(&mut self, message: impl Into<String>) {
        self.emit(Event::Progress { message: message.into() });
    }

    /// Something worth knowing.
    pub fn note(&mut self, message: impl Into<String>) {
        self.emit(Event::Note { warning: false, message: message.into() });
    }

    /// Something that may make the result worse.
    pub fn warn(&mut self, message: impl Into<String>) {
        self.emit(Event::Note { warning: true, message: message.into() });
    }

    /// Milliseconds of each phase that was entered. A phase entered twice (the boot, when the
    /// accelerator changes) has the sum.
    #[must_use]
    pub fn into_phases(mut self) -> BTreeMap<Phase, u64> {
        self.close();
        self.phases
    }

    fn close(&mut self) -> Option<(Phase, u64)> {
        let (phase, start) = self.current.take()?;
        let took = millis(self.bus.elapsed().saturating_sub(start));
        let total = self.phases.entry(phase).or_default();
        *total = total.saturating_add(took);
        Some((phase, took))
    }
}
