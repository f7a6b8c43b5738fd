#!/usr/bin/env bash
# Adds an action to a copy of this repository as a developer does. Checks what the README promises: the
# developer changes three files, and everything else is generated. Then checks that the action passes the
# tests of every action and works on the local stack and under `cargo lambda watch`.
set -euo pipefail
cd "$(dirname "$0")/.."
tests/install-tools.sh python
PATH="$PWD/target/tools/bin:$PATH"
export CARGO_TARGET_DIR="$PWD/target/new-action"
readonly NAME=archive-everything
rm -rf "$CARGO_TARGET_DIR"
[ ! -d target/debug/deps ] || python3 tests/seed-target.py target "$CARGO_TARGET_DIR"

copy=$(mktemp -d)
stack=
finish() {
  [ -z "$stack" ] || kill "$stack" 2>/dev/null || true
  rm -rf "$copy" "$CARGO_TARGET_DIR"
}
trap finish EXIT
git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
  xargs -0 cp --parents -t "$copy"
# The scripts look for the tools in `target`.
mkdir "$copy/target"
ln -s "$PWD/target/tools" "$copy/target/tools"
cd "$copy"
cargo xtask check
git init --quiet
git add --all
git -c user.name=test -c user.email=test@example.com commit --quiet --message 'Before the action'

cargo xtask new-action "$NAME" --resource contacts
# The developer writes the body of `run`, in less than 30 lines.
python3 - <<'PYTHON'
import pathlib

path = pathlib.Path("functions/src/contacts/archive_everything.rs")
text = path.read_text(encoding="utf-8")
start = text.index("        let contact = input")
end = text.index("    }\n", start)
body = """\
        let before = input.contact(&context.caller, found)?;
        let details = ContactDetails {
            company: None,
            notes: None,
            ..before.details.clone()
        };
        Ok(before
            .replaced(details, context.now)
            .update(&context.caller.tenant, &before))
"""
text = text[:start] + body + text[end:]
text = text.replace("    Sample, Subject,\n", "    Sample,\n")
text = text.replace("use crm::{Contact, ContactRef};", "use crm::{Contact, ContactDetails, ContactRef};")
path.write_text(text, encoding="utf-8")
assert body.count("\n") < 30
PYTHON

touched=$(git status --porcelain --untracked-files=all | cut -c4- | sort | tr '\n' ' ')
expected='functions/src/bin/archive-everything.rs functions/src/contacts/archive_everything.rs functions/src/lib.rs '
if [ "$touched" != "$expected" ]; then
  echo "new-action: touched by hand: $touched" >&2
  exit 1
fi

# A view takes three files too. Its first version works as it is.
cargo xtask new-action print-project --view --resource projects

if cargo xtask check 2>"$copy/target/stale"; then
  echo 'new-action: check does not see that nothing is generated yet' >&2
  exit 1
fi
grep --quiet "events/$NAME.json" "$copy/target/stale"
cargo xtask generate
cargo xtask check
for file in $expected functions/src/projects/print.rs functions/src/bin/print-project.rs; do
  # From standard input, because rustfmt would otherwise format the modules too.
  rustfmt --edition 2024 <"$file" | diff "$file" -
done
cargo build --quiet --bin "$NAME" --bin print-project --bin edge-crm
cargo test --quiet -p edge-crm-tests --test wrapper every_action
UPDATE=1 cargo test --quiet -p edge-crm-tests --test deployment privileges || true
cargo xtask generate
cargo xtask check
cargo test --quiet -p edge-crm-tests --test deployment -- --skip bootstraps

# The local stack prints its URL once it is ready.
mkfifo "$copy/target/said"
cargo run --quiet -- --memory --port 0 >"$copy/target/said" 2>"$copy/target/log" &
stack=$!
read -r line <"$copy/target/said" || { cat "$copy/target/log" >&2; exit 1; }
url=$(grep --only-matching 'http://[^ ]*' <<<"$line")
post() {
  curl --silent --show-error --fail-with-body --cookie "$copy/target/jar" --cookie-jar "$copy/target/jar" \
    --header 'Accept: application/json' --header 'Sec-Fetch-Site: same-origin' "${@:2}" "${url%/}/actions/$1"
}
post sign-up --data-urlencode name=Ada --data-urlencode email=ada@example.com \
  --data-urlencode 'password=correct horse' --data-urlencode organization=Acme >/dev/null
id=$(post create-contact --data-urlencode name=Grace --data-urlencode email=grace@example.com --data company=Navy |
  python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["id"])')
post "$NAME" --data "id=$id" | python3 -c '
import json, sys
answer = json.load(sys.stdin)
assert answer["ok"] and answer["data"]["company"] is None and answer["data"]["version"] == 2, answer'
project=$(post create-project --data-urlencode name=Turbine | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"]["id"])')
curl --silent --show-error --fail-with-body --cookie "$copy/target/jar" --header 'Accept: application/json' \
  "${url%/}/t/acme/projects/$project/print-project" | grep --quiet '"name":"Turbine"'
kill "$stack"
wait "$stack" || true
stack=

cargo build --quiet --bin sign-up --bin create-contact --bin create-project --bin "$NAME" --example dynamodb
python3 tests/watch.py "$NAME"
echo 'new-action: three files make an action, and it answers as every other'
