#!/usr/bin/env python3
"""Copies the CloudFront function into template.yaml, because CloudFormation needs its text there.

    infra/edge/inline.py            updates template.yaml
    infra/edge/inline.py --check    fails if the copy in template.yaml differs
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "infra" / "edge" / "viewer-request.js"
TEMPLATE = ROOT / "template.yaml"
PLACEHOLDERS = {"Secrets", "SecretsInUse", "SessionCookie"}
# CloudFront's limit in bytes, minus room for the values of the placeholders.
LIMIT = 10_240 - 320
BETWEEN = re.compile(
    r"^(?P<indent> *)# begin viewer-request\.js\n.*?^ *# end viewer-request\.js\n",
    re.MULTILINE | re.DOTALL,
)


def inlined(template: str, source: str) -> str:
    """Returns the template with the source between the markers, as a block of YAML."""
    for name in re.findall(r"\$\{([^}]*)", source):
        if name not in PLACEHOLDERS:
            sys.exit(f"{SOURCE.name}: ${{{name}}} is not one of the placeholders {sorted(PLACEHOLDERS)}")
    if "\t" in source or source.startswith((" ", "\n")):
        sys.exit(f"{SOURCE.name}: begins with white space or contains a tab, which YAML would not preserve")
    if len(source.encode()) > LIMIT:
        sys.exit(f"{SOURCE.name}: longer than {LIMIT} bytes")

    def block(match: re.Match) -> str:
        indent = match["indent"]
        lines = [f"{indent}# begin viewer-request.js", f"{indent}- |"]
        lines += [f"{indent}  {line}".rstrip() for line in source.splitlines()]
        return "\n".join([*lines, f"{indent}# end viewer-request.js", ""])

    text, count = BETWEEN.subn(block, template)
    if count != 1:
        sys.exit(f"{TEMPLATE.name}: expected the markers once, found them {count} times")
    return text


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    template = TEMPLATE.read_text(encoding="utf-8")
    text = inlined(template, SOURCE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--check"]:
        if text != template:
            sys.exit(f"the copy of {SOURCE.name} in {TEMPLATE.name} differs: run infra/edge/inline.py")
        return
    TEMPLATE.write_text(text, encoding="utf-8")


main()
