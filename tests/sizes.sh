#!/usr/bin/env bash
# Builds functions as SAM does, for this machine, and prints what they weigh: all, or those named.
# Fails where one is over the limit, which is above the budget by what docs/budgets.md explains,
# or would abort on a panic instead of answering it. Needs cargo-lambda: tests/install-tools.sh.
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

printf '| function | zip, bytes | of the budget |\n|---|---:|---:|\n'
wrong=()
for name in "$@"; do
  (cd functions && cargo lambda build --quiet --release --bin "$name")
  binary=target/lambda/$name/bootstrap
  # Deflated as in a zip, whose headers for one file take 98 bytes more than gzip's.
  size=$(($(gzip -6 --stdout "$binary" | wc -c) + 98))
  printf '| %s | %s | %s %% |\n' "$name" "$size" $((size * 100 / BUDGET))
  [ "$size" -le "$LIMIT" ] || wrong+=("$name is over the limit of $LIMIT bytes")
  # What is unwound is listed there; without unwinding only the C library's few functions are.
  unwound=$(size -A "$binary" | awk '$1 == ".gcc_except_table" { print $2 }')
  [ "${unwound:-0}" -gt 50000 ] || wrong+=("$name aborts on a panic")
done
if [ ${#wrong[@]} -gt 0 ]; then
  printf '%s\n' "${wrong[@]}" >&2
  exit 1
fi
