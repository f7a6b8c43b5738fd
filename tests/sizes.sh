#!/usr/bin/env bash
# Builds functions as SAM does, for this machine, and prints the size of their zips: of all functions,
# or of those named. Fails if a zip is larger than the limit, which docs/budgets.md explains, or if a
# function would abort on a panic instead of answering. Needs cargo-lambda: tests/install-tools.sh.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/target/tools/bin:$PATH"

# Bytes of the zip that is deployed.
readonly BUDGET=2000000 LIMIT=2300000

if [ $# = 0 ]; then
  set -- functions/src/bin/*.rs
  set -- "${@#functions/src/bin/}"
  set -- "${@%.rs}"
fi

# All in one run: a link with fat LTO uses one core, so two of them take no longer than one.
binaries=()
for name in "$@"; do binaries+=(--bin "$name"); done
(cd functions && cargo lambda build --quiet --release "${binaries[@]}")

printf '| function | zip, bytes | of the budget |\n|---|---:|---:|\n'
wrong=()
for name in "$@"; do
  binary=target/lambda/$name/bootstrap
  # Compressed as in a zip, whose headers for one file take 98 bytes more than gzip's.
  size=$(($(gzip -6 --stdout "$binary" | wc -c) + 98))
  printf '| %s | %s | %s %% |\n' "$name" "$size" $((size * 100 / BUDGET))
  [ "$size" -le "$LIMIT" ] || wrong+=("$name is over the limit of $LIMIT bytes")
  # This section lists what is unwound. Without unwinding it has only a few functions of the C library.
  unwound=$(size -A "$binary" | awk '$1 == ".gcc_except_table" { print $2 }')
  [ "${unwound:-0}" -gt 50000 ] || wrong+=("$name aborts on a panic")
done
if [ ${#wrong[@]} -gt 0 ]; then
  printf '%s\n' "${wrong[@]}" >&2
  exit 1
fi
