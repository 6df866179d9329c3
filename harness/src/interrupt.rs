// SPDX-License-Identifier: MIT OR Apache-2.0
//! SIGINT and SIGTERM: the first asks for an orderly end, the second ends at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::exit::Exit;

/// Whether the user asked to stop. Cheap to clone; all clones tell the same.
#[derive(Debug, Clone, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Takes SIGINT over for a conversation: one is noted, a second one before [`Self::clear`] ends
    /// the process with [`Exit::Interrupted`].
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn noted() -> io::Result<Self> {
        let interrupt = Self::default();
        let code = i32::from(Exit::Interrupted.code());
        flag::register_conditional_shutdown(SIGINT, code, Arc::clone(&interrupt.0))?;
        flag::register(SIGINT, Arc::clone(&interrupt.0))?;
        Ok(interrupt)
    }

    /// Forgets what was asked.
    pub fn clear(&self) {
        self.0.store(false, Ordering::Relaxed);
    }

    /// Takes SIGINT and SIGTERM over for the whole process.
    ///
    /// A second signal ends the process with [`Exit::Interrupted`] without any clean-up; child
    /// processes end with it ([`process::tie_to_parent`]).
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub fn install() -> io::Result<Self> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            // The order matters: this one sees the state before the present signal.
            let code = i32::from(Exit::Interrupted.code());
            flag::register_conditional_shutdown(signal, code, Arc::clone(&interrupt.0))?;
            flag::register(signal, Arc::clone(&interrupt.0))?;
        }
        Ok(interrupt)
    }

    /// Whether the user asked to stop.
    #[must_use]
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Asks to stop, as a signal would.
    pub fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
