#!/usr/bin/python3
"""Makes docs/pictures/: screenshots of `vigor report` for README.md and docs/tutorial.md.

    docs/pictures.py [--vigor build/release/vigor]

Needs Debian's chromium, python3-pil, and what docs/tutorial.py needs.
"""
import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

DOCS = Path(__file__).resolve().parent
DATA = "--data fashion-mnist --scale 1/255".split()


def screenshot(page, name, size, fragment=""):
    """Of the page's upper left, in as many colours as its lines and letters need."""
    file = DOCS / "pictures" / name
    subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    "--virtual-time-budget=20000", f"--window-size={size[0]},{size[1]}",
                    f"--screenshot={file}", f"file://{page}{fragment}"],
                   check=True, stderr=subprocess.DEVNULL)
    image = Image.open(file).convert("RGB").quantize(64, dither=Image.Dither.NONE)
    image.save(file, optimize=True)
    print(f"{file.relative_to(DOCS.parent)}: {file.stat().st_size} bytes")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--vigor", default=DOCS.parent / "build/release/vigor", type=Path)
    vigor = parser.parse_args().vigor.resolve()
    (DOCS / "pictures").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def report(model, inputs):
            page = folder / f"{model.stem}.html"
            subprocess.run([vigor, "analyze", model, *DATA, "--inputs", inputs, "-o", "run.h5"],
                           cwd=folder, check=True)
            subprocess.run([vigor, "report", "run.h5", "-o", page], cwd=folder, check=True)
            return page

        demo = report(DOCS.parent / "models/lenet5_fashion_mnist.onnx", "1000")
        screenshot(demo, "report.png", (1000, 640))
        subprocess.run([sys.executable, DOCS / "tutorial.py"], cwd=folder, check=True)
        page = report(folder / "net.onnx", "20")
        screenshot(page, "tutorial_overview.png", (1000, 960))
        screenshot(page, "tutorial_layer.png", (1000, 940), "#site/2")


if __name__ == "__main__":
    main()
