#!/usr/bin/python3
"""Runs the examples of README.md: ```sh blocks after a line <!-- run -->, in order, in one folder.

    VIGOR=build/release/vigor tests/cli/test_readme.py [README.md]
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DATA = Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
SKIPPED = 77
BLOCK = re.compile(r"^<!-- run -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def main():
    if not DATA.is_dir():
        print(f"skipped: no {DATA}")
        return SKIPPED
    readme = Path(sys.argv[1]) if len(sys.argv) > 1 else SOURCE / "README.md"
    text = readme.read_text()
    blocks = BLOCK.findall(text)
    if len(blocks) != text.count("<!-- run -->"):
        print(f"{readme}: a <!-- run --> does not stand right before a ```sh block")
        return 1
    vigor = Path(os.environ.get("VIGOR", SOURCE / "build/release/vigor")).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "models").symlink_to(SOURCE / "models")
        (folder / "bin").mkdir()
        (folder / "bin/vigor").symlink_to(vigor)
        path = f"{folder / 'bin'}:{os.environ['PATH']}"
        for block in blocks:
            print(block, end="", flush=True)
            code = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=folder,
                                  env={**os.environ, "PATH": path}).returncode
            if code:
                print(f"{readme}: exit code {code} of:\n{block}")
                return 1
    print(f"{len(blocks)} blocks ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
