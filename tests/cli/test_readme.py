#!/usr/bin/python3
"""Runs the examples of README.md and docs/: ```sh and ```python blocks after a line <!-- run -->,
those of a page in order, in one folder.

    VIGOR=build/release/vigor tests/cli/test_readme.py [PAGE.md...]
"""
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
DATA = Path("/usr/share/datasets/fashion-mnist")  # of Debian's dataset-fashion-mnist
PAGES = ["README.md", "docs/results.md", "docs/tutorial.md"]
SKIPPED = 77
BLOCK = re.compile(r"^<!-- run -->\n```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run_page(page, vigor):
    """Whether all blocks ran."""
    text = page.read_text()
    blocks = BLOCK.findall(text)
    if len(blocks) != text.count("<!-- run -->"):
        print(f"{page}: a <!-- run --> does not stand right before a ```sh or ```python block")
        return False
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("models", "docs"):
            (folder / part).symlink_to(SOURCE / part)
        (folder / "bin").mkdir()
        (folder / "bin/vigor").symlink_to(vigor)
        (folder / "bin/python3").symlink_to(sys.executable)
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                       "MPLBACKEND": "Agg", "PYTHONDONTWRITEBYTECODE": "1"}
        for language, block in blocks:
            print(block, end="", flush=True)
            program = (["bash", "-euo", "pipefail", "-c"] if language == "sh"
                       else [sys.executable, "-c"])
            code = subprocess.run([*program, block], cwd=folder, env=environment).returncode
            if code:
                print(f"{page}: exit code {code} of:\n{block}")
                return False
    print(f"{page}: {len(blocks)} blocks ran", flush=True)
    return True


def main():
    if not DATA.is_dir():
        print(f"skipped: no {DATA}")
        return SKIPPED
    pages = [Path(page) for page in sys.argv[1:]] or [SOURCE / page for page in PAGES]
    vigor = Path(os.environ.get("VIGOR", SOURCE / "build/release/vigor")).resolve()
    return 0 if all(run_page(page, vigor) for page in pages) else 1


if __name__ == "__main__":
    sys.exit(main())
