#!/usr/bin/env bash
# Runs the functions one by one under `cargo lambda watch`, on an embedded DynamoDB. Calls the ones that
# take requests over HTTP, as a client of their function URLs does, and `revalidate` with its event.
# Leaves out `deliver-mail` and `index-search`, which run in the background too.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install-tools.sh python
PATH="$PWD/target/tools/bin:$PATH"
# Build everything now, so that no first request waits for the compiler.
cargo build --quiet --bins --example dynamodb
exec python3 tests/watch.py
