#!/usr/bin/env bash
# Builds functions for release, each as SAM does, for this machine, and prints what they weigh:
# all, or those named. Fails where one is over the limit, which is above the budget by what
# docs/budgets.md explains.
set -euo pipefail
cd "$(dirname "$0")/.."

# Bytes of the zip that is deployed.
readonly BUDGET=2000000 LIMIT=2300000

if [ $# = 0 ]; then
  set -- functions/*/
  set -- "${@#functions/}"
  set -- "${@%/}"
fi

printf '| function | zip, bytes | of the budget |\n|---|---:|---:|\n'
over=()
for name in "$@"; do
  cargo build --quiet --release --manifest-path "functions/$name/Cargo.toml"
  # Deflated as in a zip, whose headers for one file take 98 bytes more than gzip's.
  size=$(($(gzip -6 --stdout "${CARGO_TARGET_DIR:-target}/release/$name" | wc -c) + 98))
  printf '| %s | %s | %s %% |\n' "$name" "$size" $((size * 100 / BUDGET))
  [ "$size" -le "$LIMIT" ] || over+=("$name")
done
if [ ${#over[@]} -gt 0 ]; then
  printf 'over the limit of %s bytes: %s\n' "$LIMIT" "${over[*]}" >&2
  exit 1
fi
