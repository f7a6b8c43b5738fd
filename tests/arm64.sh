#!/usr/bin/env bash
# Builds a function for arm64, the template's default, as `sam build` does on any machine: cargo-lambda compiles
# for the target, and zig links. Fails if that fails, or if Lambda could not start the result. Needs
# cargo-lambda (tests/install-tools.sh python) and the target's standard library (rust-target). Without the
# latter it says that it did not run, and ends with 0.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/target/tools/bin:$PATH"

readonly FUNCTION=${1:-create-contact} TARGET=${2:-aarch64-unknown-linux-gnu}
# The C library of the runtime provided.al2023: https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html
readonly GLIBC=2.34

if [ ! -d "$(rustc --print target-libdir --target "$TARGET")" ]; then
  echo "DID NOT RUN: the standard library of Rust for $TARGET is not on this machine, so nothing was built for" \
    "arm64. 'rustup target add $TARGET' installs it where rustup reaches its server."
  exit 0
fi

# Fat LTO takes half of the time of a release build and does not change what is linked.
export CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=0
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd functions && cargo lambda build --quiet --release --target "$TARGET" --bin "$FUNCTION" --lambda-dir "$folder")

binary=$folder/$FUNCTION/bootstrap
machine=$(readelf --file-header "$binary" | awk -F: '$1 ~ /Machine/ { gsub(/ /, "", $2); print $2 }')
newest=$(readelf --version-info "$binary" | grep -oE 'GLIBC_[0-9.]+' | sort --version-sort | tail -n 1)
newest=${newest#GLIBC_}
echo "$FUNCTION: $machine, $(stat --format %s "$binary") bytes, needs glibc $newest"
if [ "$machine" != AArch64 ]; then
  echo "$FUNCTION is not for arm64" >&2
  exit 1
fi
if [ "$(printf '%s\n' "$GLIBC" "$newest" | sort --version-sort | tail -n 1)" != "$GLIBC" ]; then
  echo "$FUNCTION needs glibc $newest, but Lambda has $GLIBC" >&2
  exit 1
fi
