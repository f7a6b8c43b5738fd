#!/usr/bin/env bash
# Runs black-box tests on AWS's DynamoDB Local instead of the embedded engine: `http`, `contacts`,
# `edge`, and the idempotency tests of `wrapper`. Each test has its own database. Without Java it prints
# that and does nothing. CI installs Java first with
#
#   tests/install-tools.sh java dynamodb-local
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v java >/dev/null; then
  echo 'dynamodb-local: NOT RUN: no Java on this machine' >&2
  exit 0
fi
tests/install-tools.sh dynamodb-local
jar=$PWD/target/tools/dynamodb-local/DynamoDBLocal.jar

work=$(mktemp -d)
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
java -Djava.library.path="${jar%.jar}_lib" -jar "$jar" \
  -inMemory -disableTelemetry -port "$port" >"$work/engine.log" 2>&1 &
engine=$!
trap 'kill "$engine" 2>/dev/null; rm -rf "$work"' EXIT

# Any response means that it takes requests.
for attempt in $(seq 300); do
  if curl --silent --output /dev/null "http://127.0.0.1:$port"; then break; fi
  if [ "$attempt" = 300 ] || ! kill -0 "$engine" 2>/dev/null; then
    cat "$work/engine.log" >&2
    echo 'dynamodb-local: does not start' >&2
    exit 1
  fi
  sleep 0.2
done
export EDGE_CRM_DYNAMODB_LOCAL=http://127.0.0.1:$port

# `edge` mostly waits for an outage of a minute to end, so the others run at the same time.
cargo test --workspace --no-run --test http --test contacts --test edge --test wrapper
cargo test --workspace --test edge >"$work/edge.log" 2>&1 &
edge=$!
others=0
cargo test --workspace --test http --test contacts || others=$?
[ $others != 0 ] || cargo test --workspace --test wrapper -- idempotency || others=$?
wait $edge || others=$?
cat "$work/edge.log"
exit $others
