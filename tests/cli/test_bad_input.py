#!/usr/bin/python3
"""Broken and hostile models, data and run files: one line, exit code 1, nothing left behind.

    VIGOR=build/release/vigor tests/cli/test_bad_input.py [Class[.test]...]
"""
import hashlib
import json
import resource
import shutil
import unittest

import h5py
import numpy as np
from onnx import helper

from case import CLASSES, HOSTILE, SHAPE, Case, idx, images, network, samples


class BadModel(Case):
    def refuses_model(self, name, *naming):
        self.refuses(self.vigor, "inspect", name, naming=[name, *naming])
        self.refuses(self.analyze, model=name, naming=[name, *naming])

    def test_missing(self):
        self.refuses_model("missing.onnx", "no such file")

    def test_truncated(self):
        whole = network().SerializeToString()
        for length in (1, 2, 7, len(whole) // 3, len(whole) // 2, len(whole) - 1):
            with self.subTest(length=length):
                self.refuses_model(self.save("cut.onnx", whole[:length]))

    def test_other_content(self):
        contents = {"empty.onnx": b"", "random.onnx": np.random.default_rng(3).bytes(5000),
                    "image.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0",
                    "text.onnx": b"This is no network.\n" * 50}
        for name, content in contents.items():
            with self.subTest(name):
                self.refuses_model(self.save(name, content))

    def test_folder(self):
        (self.folder / "folder").mkdir()
        self.refuses_model("folder", "directory")

    def test_unknown_ops_all_at_once(self):
        def nodes(first, last):
            return [helper.make_node("Fictitious", [first], ["p"], "odd1"),
                    helper.make_node("Imaginary", ["p"], [last], "odd2")]
        self.save("odd.onnx", network(nodes=nodes))
        self.refuses_model("odd.onnx", "Fictitious", "Imaginary")

    def test_weights_that_are_not_finite(self):
        for value in (np.nan, np.inf, -np.inf):
            with self.subTest(value=value):
                weights = np.ones((8, 5))
                weights[3, 2] = value
                self.save("bad.onnx", network({"w2": weights}))
                self.refuses_model("bad.onnx", "w2")

    def test_hostile_names(self):
        self.save("odd.onnx", network(
            nodes=lambda a, b: [helper.make_node("Odd" + HOSTILE, [a], [b], "n" + HOSTILE)]))
        self.assert_harmless(self.refuses(self.vigor, "inspect", "odd.onnx", naming=["odd.onnx"]))

    def test_hostile_file_name(self):
        last = self.refuses(self.vigor, "inspect", "a\033[31m\nb.onnx", naming=["no such file"])
        self.assert_harmless(last)


class BadData(Case):
    def refuses_data(self, spec, *naming, **options):
        self.refuses(self.analyze, data=spec, naming=naming, **options)

    def test_missing(self):
        for spec in ("npz:no.npz", "npy:no.npy", "idx:no-idx3", "mnist:no", "cifar10:no",
                     "images:no"):
            with self.subTest(spec):
                self.refuses_data(spec, "no")

    def test_unknown_format(self):
        self.refuses_data("tfrecord:data.npz", "tfrecord")

    def test_other_shape(self):
        np.savez(self.folder / "wide.npz", **samples(shape=(1, 6, 7)))
        self.refuses_data("npz:wide.npz", "wide.npz", "1x6x7", "net.onnx")
        np.savez(self.folder / "turned.npz", **samples(shape=(4, 9)))
        self.refuses_data("npz:turned.npz", "got samples of 4x9, expected 1x6x6")

    def test_same_order_in_memory(self):
        values = samples()["x"]
        for shape in ((36,), (6, 6), (6, 1, 6), (36, 1)):
            np.savez(self.folder / "same.npz", x=values.reshape(12, *shape))
            self.analyze(data="npz:same.npz")

    def test_empty(self):
        np.savez(self.folder / "none.npz", **samples(0))
        self.refuses_data("npz:none.npz", "none.npz", "empty")
        np.savez(self.folder / "nothing.npz")
        self.refuses_data("npz:nothing.npz", "nothing.npz")
        self.save("none-idx", idx(images(0)))
        self.refuses_data("idx:none-idx", "none-idx")
        self.save("zero", b"")
        for kind in ("npz", "npy", "idx"):
            self.refuses_data(f"{kind}:zero", "zero")

    def test_truncated(self):
        whole = idx(images())
        for length in (3, 10, 20, len(whole) - 1):
            self.save("cut-idx", whole[:length])
            self.refuses_data("idx:cut-idx", "cut-idx")
        archive = (self.folder / "data.npz").read_bytes()
        for length in (3, 100, len(archive) - 1):
            self.save("cut.npz", archive[:length])
            self.refuses_data("npz:cut.npz", "cut.npz")

    def test_labels_that_do_not_fit(self):
        self.save("images", idx(images(4)))
        self.save("few", idx(np.zeros(3, np.uint8)))
        self.refuses_data("idx:images,few", "3", "4")
        self.save("high", idx(np.full(4, CLASSES, np.uint8)))
        self.refuses_data("idx:images,high", "label", str(CLASSES))
        data = samples()
        np.savez(self.folder / "few.npz", x=data["x"], y=data["y"][:-1])
        self.refuses_data("npz:few.npz", "few.npz", "12")
        np.savez(self.folder / "high.npz", x=data["x"], y=data["y"] + CLASSES)
        self.refuses_data("npz:high.npz", "high.npz", "label")
        np.savez(self.folder / "low.npz", x=data["x"], y=data["y"] - CLASSES)
        self.refuses_data("npz:low.npz", "low.npz", "label")

    def test_no_finite_input(self):
        np.savez(self.folder / "nan.npz", x=np.full((4, *SHAPE), np.nan, np.float32))
        self.refuses_data("npz:nan.npz", "finite", late=True)


class BadRun(Case):
    def refuses_run(self, name, *naming):
        for more in ([], ["--json"], ["--csv", "tables"]):
            self.refuses(self.vigor, "show", name, *more, naming=[name, *naming])

    def test_missing(self):
        self.refuses_run("no.h5", "no such file")

    def test_truncated(self):
        self.analyze()
        whole = (self.folder / "run.h5").read_bytes()
        for length in (0, 1, 100, 512, 1000, len(whole) // 2, len(whole) - 1):
            with self.subTest(length=length):
                self.refuses_run(self.save("cut.h5", whole[:length]))

    def test_damaged(self):
        self.analyze()
        whole = bytearray((self.folder / "run.h5").read_bytes())
        for at in (0, 600, len(whole) // 2, len(whole) - 1):
            damaged = bytearray(whole)
            damaged[at] ^= 16
            self.refuses_run(self.save("bad.h5", bytes(damaged)))

    def test_foreign(self):
        with h5py.File(self.folder / "foreign.h5", "w") as file:
            file["sites"] = np.zeros(3)
        self.refuses_run("foreign.h5")
        self.refuses_run("data.npz")
        self.refuses_run("net.onnx")

    def test_unknown_site(self):
        self.analyze()
        self.refuses(self.vigor, "show", "run.h5", "--site", "conv9", naming=["conv9", "conv1"])
        self.refuses(self.analyze, "--sites", "conv9", output="x.h5", naming=["conv9", "conv1"])


class Resealed(Case):
    """Whole files as far as their seal goes, written by somebody else."""

    def with_attribute(self, name, path, attribute, text):
        changed = self.folder / f"other_{name}"
        shutil.copy(self.folder / name, changed)
        with h5py.File(changed, "r+") as file:
            file[path].attrs.create(attribute, text.encode(),
                                    dtype=h5py.string_dtype("utf-8", len(text.encode())))
        content = changed.read_bytes()[512:]
        seal = f"vigor run file\nbytes {len(content)}\nsha256 {hashlib.sha256(content).hexdigest()}\n"
        changed.write_bytes(seal.encode().ljust(512, b"\0") + content)
        return changed.name

    def test_source_and_options(self):
        self.analyze()
        self.analyze("--shard", "1/1", output="part.h5")
        commands = {"run.h5": (("map",), ("report",), ("validate", "--plan", "layer")),
                    "part.h5": (("merge",),)}
        sources = {"x": "source", "{}": "source", "[" * 1000: "source",
                   '{"model": "net.onnx", "faults": "", "data": ["--colour", "red"]}': "--data",
                   '{"model": "net.onnx", "faults": "", "data": ["--data", "npz:no.npz"]}': "no.npz"}
        for name, path in (("run.h5", "provenance"), ("part.h5", "/")):
            for text, says in sources.items():
                bad = self.with_attribute(name, path, "source", text)
                for command, *more in commands[name]:
                    if command == "report" and says == "no.npz":
                        continue  # reads no data
                    with self.subTest(command, text=text):
                        naming = [says] if says == "no.npz" else [bad, says]
                        self.refuses(self.vigor, command, bad, *more, "-o", "x.h5", naming=naming)
        bad = self.with_attribute("part.h5", "/", "options", '{"batch": "many"}')
        self.refuses(self.vigor, "merge", bad, "-o", "x.h5", naming=[bad])
        good = self.with_attribute("part.h5", "/", "source", json.dumps(
            {"model": "net.onnx", "faults": "", "data": ["--data", "npz:data.npz"]}))
        self.vigor("merge", good, "-o", "x.h5")


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (1 << 31, 1 << 31))


class Endless(Case):
    """A file that never ends, where any is read: refused in bounded memory."""

    def test_refused(self):
        self.analyze()
        analyze = ["analyze", "net.onnx", "-o", "x.h5", "--data"]
        for arguments in [
                ["inspect", "/dev/zero"],
                *([*analyze, f"{kind}:/dev/zero"]
                  for kind in ("npz", "npy", "idx", "cifar10", "cifar100", "images", "mnist")),
                [*analyze, "npz:data.npz", "--class-names", "/dev/zero"],
                ["inject", "net.onnx", "--data", "npz:data.npz", "--faults", "/dev/zero", "-o",
                 "x.h5"],
                ["show", "/dev/zero"], ["merge", "/dev/zero", "-o", "x.h5"],
                ["diff", "run.h5", "/dev/zero"], ["gate", "/dev/zero", "--max-mvf", "1"],
                ["overlay", "run.h5", "/dev/zero", "-o", "x.onnx"],
                ["report", "run.h5", "--validation", "/dev/zero", "-o", "x.html"]]:
            with self.subTest(arguments):
                self.refuses(self.vigor, *arguments, naming=["/dev/zero"], late=True,
                             preexec_fn=limit_memory)


if __name__ == "__main__":
    unittest.main()
