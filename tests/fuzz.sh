#!/usr/bin/env bash
# Runs the fuzzers. Each goes through its kept corpus and then searches for an input that breaks a
# property, for the given number of seconds. With names, it runs only those targets.
#
#   tests/fuzz.sh                     # all, for 10 s each, with a fixed seed: CI runs this
#   tests/fuzz.sh 3600 body session   # two of them, for an hour each
#   tests/fuzz.sh merge               # picks a few inputs that cover the corpus and the findings
#
# A run with a number of seconds keeps its new inputs in target/fuzz, and one without does not. `merge`
# copies the inputs that it picks from the corpus and target/fuzz into a new folder for each target, and
# prints the folder. Move those to keep into tests/fuzz/corpus/{target} by hand. An input that fails is
# saved in tests/fuzz/crashes. Once the bug is fixed, move the input into the corpus too.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=10
seed=1
merge=
case ${1:-} in
  merge) merge=1; shift ;;
  '') ;;
  *) seconds=$1 seed=0; shift ;; # 0 means a random seed.
esac
[ $# -gt 0 ] || set -- body cursor invalidations session viewer_request

tests/install-tools.sh c++

# Reuses the tests' builds of other crates. Only the workspace's crates are compiled again.
bins=()
for target in "$@"; do bins+=(--bin "fuzz-$target"); done
RUSTC_WORKSPACE_WRAPPER="$PWD/tests/fuzz/instrument.sh" \
  cargo build --workspace --features edge-crm-fuzz/fuzzer "${bins[@]}"

brief=$(mktemp -d) # The new inputs of a run with the fixed seed, so that the next run starts the same.
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
