#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The one entry of CI: checks, then the tests by the command of the README, all but those that run by
# request (.config/nextest.toml). As root it installs what is missing; elsewhere it says what to install.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-always}" RUSTDOCFLAGS="-D warnings"

step() {
    local name=$1 start=$SECONDS
    shift
    printf '\n==> %s\n' "$name"
    "$@"
    printf '==> %s: %d s\n' "$name" $((SECONDS - start))
}

step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "documentation" cargo doc --workspace --no-deps --locked --quiet
step "tests" cargo xtask test
