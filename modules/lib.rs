// SPDX-License-Identifier: MIT OR Apache-2.0
//! One folder a case; there is no code here. The folder is a package because `cargo insta` looks for
//! snapshots below packages only, and a case's snapshots lie in the case's folder.
