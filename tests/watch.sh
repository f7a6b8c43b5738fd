#!/usr/bin/env bash
# Runs the functions by themselves under `cargo lambda watch`, on an embedded DynamoDB. Drives all that
# take requests over HTTP, as a client of their function URLs would, and `revalidate` by its event;
# not `deliver-mail` and `index-search`, which work in the background too.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install-tools.sh python
PATH="$PWD/target/tools/bin:$PATH"
# At once, so that nobody waits for the compiler at a first request.
cargo build --quiet --bins --example dynamodb
exec python3 tests/watch.py
