#!/usr/bin/env bash
# Runs the real index-search beside an organisation with 3,000 contacts that cost the index as much as a
# contact can. Prints the peak memory of the process and when another organisation's contact is indexed.
# Fails if that is more than the template gives the function. With --release, on the release build.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet "$@" --bin index-search --bin index-memory
exec cargo run --quiet "$@" --bin index-memory
