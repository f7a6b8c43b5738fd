#!/usr/bin/env bash
# Runs every function by itself under `cargo lambda watch`, on an embedded DynamoDB, and drives
# them over HTTP as a client of their function URLs would.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install-tools.sh python
PATH="$PWD/target/tools/bin:$PATH"
# At once, so that nobody waits for the compiler at a first request.
cargo build --quiet --bins --example dynamodb
exec python3 tests/watch.py
