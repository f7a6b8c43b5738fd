#!/usr/bin/env bash
# Builds functions as SAM does, for this machine, and prints the size of their zips: all functions, or
# the named ones. Fails if a zip is larger than the budget, which docs/budgets.md explains, or if a
# function would abort on a panic instead of responding. Needs cargo-lambda: tests/install-tools.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/target/tools/bin:$PATH"

# The largest zip, in bytes: a function on lambda_http that responds after a panic.
readonly BUDGET=2600000

if [ $# = 0 ]; then
  set -- functions/src/bin/*.rs
  set -- "${@#functions/src/bin/}"
  set -- "${@%.rs}"
fi

# Build all in one run. Linking with fat LTO uses one core, so several functions link at once.
binaries=()
for name in "$@"; do binaries+=(--bin "$name"); done
(cd functions && cargo lambda build --quiet --release "${binaries[@]}")

printf '| function | zip, bytes | of the budget |\n|---|---:|---:|\n'
wrong=()
for name in "$@"; do
  binary=target/lambda/$name/bootstrap
  # The binary compressed as in a zip. A zip's headers for one file are 98 bytes longer than gzip's.
  size=$(($(gzip -6 --stdout "$binary" | wc -c) + 98))
  printf '| %s | %s | %s %% |\n' "$name" "$size" $((size * 100 / BUDGET))
  [ "$size" -le "$BUDGET" ] || wrong+=("$name is over the budget of $BUDGET bytes")
  # This section lists the functions that can unwind. If panics abort, it has only a few of the C library.
  unwound=$(size -A "$binary" | awk '$1 == ".gcc_except_table" { print $2 }')
  [ "${unwound:-0}" -gt 50000 ] || wrong+=("$name aborts on a panic")
done
if [ ${#wrong[@]} -gt 0 ]; then
  printf '%s\n' "${wrong[@]}" >&2
  exit 1
fi
