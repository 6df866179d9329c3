#!/usr/bin/env bash
# SPDX-License-Identifier: MIT OR Apache-2.0
# The one entry of CI: checks, then the tests by the command of the README, all but those that run by
# request (CONTRIBUTING.md). As root it installs what is missing; elsewhere it says what to install.
# It ends with where the time went.
set -euo pipefail
cd "$(dirname "$0")/.."
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-always}" RUSTDOCFLAGS="-D warnings"

times=()
step() {
    local name=$1 start=$SECONDS
    shift
    printf '\n==> %s\n' "$name"
    "$@"
    times+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
}
summary() {
    local code=$?
    printf '\n==> where the time went\n'
    printf '%s\n' "${times[@]}" "$(printf '%5d s  in all' "$SECONDS")"
    exit "$code"
}
trap summary EXIT

# The program by the compiler that Cargo.toml promises; where that is not installed, a newer one says
# nothing of it.
oldest() {
    local version
    version=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
    if cargo "+$version" --version >/dev/null 2>&1; then
        cargo "+$version" check --package harness --locked --target-dir target/oldest
    else
        printf 'left out: no toolchain %s (rustup toolchain install %s)\n' "$version" "$version"
    fi
}

# libFuzzer itself is not built: the targets are compiled, not linked.
fuzz_targets() {
    local manifest
    for manifest in harness/*/fuzz/Cargo.toml; do
        CUSTOM_LIBFUZZER_PATH=/dev/null cargo check --manifest-path "$manifest" --target-dir target/fuzz
    done
}

# Licences, advisories and crates that are there twice (deny.toml).
libraries() {
    if ! cargo deny --version >/dev/null 2>&1; then
        printf 'left out: no cargo-deny (cargo install --locked cargo-deny)\n'
    elif cargo deny fetch db >/dev/null 2>&1; then
        cargo deny check
    else
        printf 'left out: the advisories cannot be downloaded\n'
        cargo deny check bans licenses sources
    fi
}

step "download of crates" cargo fetch --locked
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
step "documentation" cargo doc --workspace --no-deps --locked --quiet
step "oldest compiler" oldest
step "fuzz targets" fuzz_targets
step "libraries" libraries
step "build of repro" cargo build --locked --package harness --bin repro
step "build of the tests" cargo test --workspace --locked --no-run
step "machine and tests" cargo xtask test
