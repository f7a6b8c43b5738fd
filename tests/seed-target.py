"""Makes a target directory for a copy of this workspace, with the dependencies that are compiled
already: `seed-target.py FROM TO`. The two cannot share one, because Cargo tells the packages of a
workspace by their paths within it, and would take what it made of one for the other's."""

import json
import os
import pathlib
import shutil
import subprocess
import sys


def own():
    """The names of the workspace's packages, and of all that is built of them."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    names = {package["name"] for package in packages}
    targets = {target["name"] for package in packages for target in package["targets"]}
    return names, names | targets | {name.replace("-", "_") for name in names | targets}


def seed(source, target):
    packages, targets = own()
    libraries = {"lib" + name.replace("-", "_") for name in packages}
    # Only what is made of our own packages is written again, so the rest may be linked; but Cargo may
    # write into a fingerprint. A test suite may be called as a library of others is.
    for part, leave, copy in (
        ("deps", targets | libraries, os.link),
        ("build", packages, os.link),
        (".fingerprint", packages, shutil.copy2),
    ):
        (target / part).mkdir(parents=True, exist_ok=True)
        for entry in (source / part).iterdir():
            if entry.name.rpartition("-")[0] in leave:
                continue
            if entry.is_dir():
                shutil.copytree(entry, target / part / entry.name, copy_function=copy)
            else:
                copy(entry, target / part / entry.name)


if __name__ == "__main__":
    seed(pathlib.Path(sys.argv[1]) / "debug", pathlib.Path(sys.argv[2]) / "debug")
