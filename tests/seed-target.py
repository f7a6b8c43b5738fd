"""Makes a target directory for a copy of this workspace, with the dependencies that are already
compiled: `seed-target.py FROM TO`. The two workspaces cannot share a directory. Cargo identifies the
packages of a workspace by their paths within it, so it would confuse the builds of the two."""

import json
import os
import pathlib
import shutil
import subprocess
import sys


def own():
    """Returns the names of the workspace's packages, and of everything that is built from them."""
    command = ["cargo", "metadata", "--no-deps", "--format-version", "1"]
    packages = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["packages"]
    names = {package["name"] for package in packages}
    targets = {target["name"] for package in packages for target in package["targets"]}
    return names, names | targets | {name.replace("-", "_") for name in names | targets}


def seed(source, target):
    packages, targets = own()
    libraries = {"lib" + name.replace("-", "_") for name in packages}
    # Cargo writes only the workspace's own builds again, so the others can be hard links. Fingerprints are
    # copied, because Cargo may write into them. Of the `lib…` files, only those of the packages are left
    # out, because a test suite may have the same name as another crate's library, such as `http`.
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
