#!/usr/bin/env python3
"""Puts the CloudFront function into template.yaml, where CloudFormation wants its text.

    infra/edge/inline.py            writes template.yaml
    infra/edge/inline.py --check    fails where template.yaml has another text
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "infra" / "edge" / "viewer-request.js"
TEMPLATE = ROOT / "template.yaml"
PLACEHOLDERS = {"SessionKey", "SessionKeyPrevious", "SessionCookie"}
# CloudFront takes no longer function; the placeholders' values need some of it.
LIMIT = 10_240 - 256
BETWEEN = re.compile(
    r"^(?P<indent> *)# begin viewer-request\.js\n.*?^ *# end viewer-request\.js\n",
    re.MULTILINE | re.DOTALL,
)


def inlined(template: str, source: str) -> str:
    """The template with the source between its markers, as a block of YAML."""
    for name in re.findall(r"\$\{([^}]*)", source):
        if name not in PLACEHOLDERS:
            sys.exit(f"{SOURCE.name}: ${{{name}}} is none of the placeholders {sorted(PLACEHOLDERS)}")
    if "\t" in source or source.startswith((" ", "\n")):
        sys.exit(f"{SOURCE.name}: begins with white space or has a tab, which YAML would not keep")
    if len(source.encode()) > LIMIT:
        sys.exit(f"{SOURCE.name}: longer than {LIMIT} bytes")

    def block(match: re.Match) -> str:
        indent = match["indent"]
        lines = [f"{indent}# begin viewer-request.js", f"{indent}- |"]
        lines += [f"{indent}  {line}".rstrip() for line in source.splitlines()]
        return "\n".join([*lines, f"{indent}# end viewer-request.js", ""])

    text, places = BETWEEN.subn(block, template)
    if places != 1:
        sys.exit(f"{TEMPLATE.name}: the markers are there {places} times")
    return text


def main() -> None:
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    template = TEMPLATE.read_text(encoding="utf-8")
    text = inlined(template, SOURCE.read_text(encoding="utf-8"))
    if sys.argv[1:] == ["--check"]:
        if text != template:
            sys.exit(f"{TEMPLATE.name} has another {SOURCE.name}: run infra/edge/inline.py")
        return
    TEMPLATE.write_text(text, encoding="utf-8")


main()
