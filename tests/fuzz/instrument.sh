#!/bin/sh
# cargo calls this in place of rustc for the workspace's own crates. It compiles them so that the fuzzer
# sees which branches an input takes and which values it is compared with. These are the flags of
# cargo-fuzz without a sanitizer: https://github.com/rust-fuzz/cargo-fuzz/blob/main/src/project.rs
exec "$@" \
  -Cpasses=sancov-module \
  -Cllvm-args=-sanitizer-coverage-level=4 \
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
  -Cllvm-args=-sanitizer-coverage-pc-table \
  -Cllvm-args=-sanitizer-coverage-trace-compares \
  -Ccodegen-units=1
