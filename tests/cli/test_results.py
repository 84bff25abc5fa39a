#!/usr/bin/python3
"""Holds docs/results.md against real files: every object and attribute of a run or map file is in
its section, and what the section's table names is in some file.

    VIGOR=build/release/vigor tests/cli/test_results.py
"""
import re
import unittest
from pathlib import Path

import h5py
import onnx

from case import Case

PAGE = Path(__file__).resolve().parents[2] / "docs/results.md"
NAME = re.compile(r"`(/?[\w/]+)`")


def section(title):
    return PAGE.read_text().split(f"\n## {title}\n")[1].split("\n## ")[0]


def names(text):
    """What stands in backquotes, paths in their parts."""
    return {part for name in NAME.findall(text) for part in name.split("/")} - {"", "0000"}


class Schema(Case):
    def objects(self, *files):
        """Names of groups, arrays and attributes; sites without their numbers."""
        found = set()
        for name in files:
            with h5py.File(self.folder / name) as file:
                def add(path, item):
                    found.add(path.rsplit("/", 1)[-1])
                    found.update(item.attrs)
                found.update(file.attrs)
                file.visititems(add)
        return {name for name in found if not name.isdigit()}

    def test_run_files(self):
        self.analyze("--keep-thresholds", "--neurons", "3", output="sample.h5")
        self.analyze("--method", "paper", output="paper.h5")
        found = self.objects("sample.h5", "paper.h5")
        text = section("The run file")
        self.assertEqual(found - names(text), set())
        # First column of the tables: data sets and groups; attributes of the rows that list them.
        listed = set()
        for row in re.findall(r"^\| (.*?) \| (.*?) \| (.*?) \|$", text, re.MULTILINE):
            listed |= names(row[0])
            if row[1] == "attributes":
                listed |= names(re.sub(r"\([^)]*\)", "", row[2]))
        self.assertEqual(listed - found, set())

    def test_map_files(self):
        self.analyze("--keep-thresholds")
        self.vigor("map", "run.h5", "--format", "int8", "-o", "map.h5")
        known = names(section("The map file")) | names(section("The run file"))
        self.assertEqual(self.objects("map.h5") - known, set())

    def test_metadata_of_overlays(self):
        self.analyze("--neurons", "3")
        self.vigor("overlay", "run.h5", "net.onnx", "-o", "copy.onnx")
        text = section("On the network's graph")
        for entry in onnx.load(self.folder / "copy.onnx").metadata_props:
            self.assertIn("`" + re.sub(r"\.(conv1|fc1|fc2)$", ".SITE", entry.key) + "`", text)


if __name__ == "__main__":
    unittest.main()
