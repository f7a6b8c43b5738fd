#!/usr/bin/env bash
# Runs the fuzzers: each goes through its kept corpus, and then looks for an input for which what
# should hold does not, for so many seconds. With names, only those targets.
#
#   tests/fuzz.sh                     # all, for 10 s, trying the same each time: CI runs this
#   tests/fuzz.sh 3600 body session   # two of them, for an hour each
#   tests/fuzz.sh merge               # chooses few inputs that cover what was found and the corpus
#
# A run for given seconds keeps what it finds in target/fuzz, the one without forgets it. `merge` copies
# its choice of that and of the corpus into a new folder for each target, and prints where: what should
# stay, move into tests/fuzz/corpus/{target} by hand. An input that fails goes to tests/fuzz/crashes:
# once it is mended, move it there too.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=10
seed=1
merge=
case ${1:-} in
  merge) merge=1; shift ;;
  '') ;;
  *) seconds=$1 seed=0; shift ;; # 0 is a random one.
esac
[ $# -gt 0 ] || set -- body cursor invalidations session viewer_request

tests/install-tools.sh c++

# The crates of others are those that the tests are built with; ours are compiled once more.
bins=()
for target in "$@"; do bins+=(--bin "fuzz-$target"); done
RUSTC_WORKSPACE_WRAPPER="$PWD/tests/fuzz/instrument.sh" \
  cargo build --workspace --features edge-crm-fuzz/fuzzer "${bins[@]}"

brief=$(mktemp -d) # What a brief run finds, so that the next begins as it did.
trap 'rm -rf "$brief"' EXIT
mkdir -p tests/fuzz/crashes
for target in "$@"; do
  kept=tests/fuzz/corpus/$target found=target/fuzz/$target
  [ $seed = 0 ] || [ -n "$merge" ] || found=$brief/$target
  mkdir -p "$found"
  if [ -n "$merge" ]; then
    smallest=$(mktemp -d)
    "target/debug/fuzz-$target" -merge=1 "$smallest" "$kept" "$found"
    printf '%s: %s inputs cover it, in %s\n' "$target" "$(find "$smallest" -type f | wc -l)" "$smallest"
    continue
  fi
  printf -- '--> %s, for %s s\n' "$target" "$seconds"
  "target/debug/fuzz-$target" -seed=$seed -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 \
    -max_len=8192 -print_final_stats=1 -verbosity=1 -artifact_prefix="tests/fuzz/crashes/$target-" \
    "$found" "$kept" 2>&1 | grep -Ev '^#[0-9]+|^INFO:|^\s+(NEW_FUNC|NEW_PC)' || {
      echo "fuzz: $target failed, see tests/fuzz/crashes" >&2
      exit 1
    }
done
rmdir --ignore-fail-on-non-empty tests/fuzz/crashes
