// SPDX-License-Identifier: MIT OR Apache-2.0
//! What the kernel replaces return addresses with, to learn when a function returns.

use super::Kernel;

/// The function graph tracer's.
const GRAPH: &str = "return_to_handler";
/// Those of return probes; the names of the second generation (5.11 and later, 6.0 and later) follow
/// the first one's.
const PROBES: [&str; 3] =
    ["kretprobe_trampoline", "__kretprobe_trampoline", "arch_rethook_trampoline"];

impl Kernel<'_> {
    /// Whether return addresses are replaced with `address`.
    pub fn replaces_returns(&self, address: u64) -> bool {
        self.is_graph_trampoline(address)
            || PROBES.iter().any(|name| self.symbol(name) == Ok(address))
    }

    /// Whether the function graph tracer replaces them with it.
    pub fn is_graph_trampoline(&self, address: u64) -> bool {
        self.symbol(GRAPH) == Ok(address)
    }
}
