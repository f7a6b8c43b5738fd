#!/usr/bin/env bash
# Installs what the extra checks need, where it is missing: Chromium from Debian, the browser
# tests' library from npm, and cargo-lambda, cfn-lint and the SAM CLI from PyPI, into
# target/tools; a C++ compiler for the fuzzers. With arguments, only those parts: chromium, npm,
# python, c++.
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore

# Runs a command quietly; where it fails, says what it said.
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

# Debian packages, as root or by sudo.
apt_install() {
  command -v apt-get >/dev/null || { echo "install-tools: no apt-get here, install by hand: $*" >&2; exit 1; }
  local root=()
  [ "$(id -u)" = 0 ] || root=(sudo -n)
  quietly "${root[@]}" apt-get -q update
  quietly "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
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

[ $# -gt 0 ] || set -- chromium npm python c++
for part in "$@"; do
  case $part in
    chromium) chromium ;;
    npm) npm_packages ;;
    python) python_tools ;;
    c++) cpp_compiler ;;
    *) echo "install-tools: unknown part $part" >&2; exit 2 ;;
  esac
done
