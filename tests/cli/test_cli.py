#!/usr/bin/python3
"""The command as its user sees it: results, messages, exit codes, files left behind.

    VIGOR=build/release/vigor tests/cli/test_cli.py [Class[.test]...]
"""
import csv
import fcntl
import io
import json
import os
import pty
import resource
import select
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest
from pathlib import Path

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VIGOR = Path(os.environ.get("VIGOR", "build/release/vigor")).resolve()
CLASSES = 3
SHAPE = (1, 6, 6)
HOSTILE = "\033[31m\033]0;owned\007\n\r\u202e\u009b2J\x7f<script>alert(1)</script>&\"'"


def network(weights=None, nodes=None, node_names=("conv1", "fc1", "fc2"), tensor_prefix=""):
    """conv, ReLU, pool, fc, ReLU, fc, softmax. `weights` replaces some, `nodes` adds some."""
    random = np.random.default_rng(1)
    arrays = {"w1": random.normal(size=(2, 1, 3, 3)), "b1": random.normal(size=2),
              "w2": random.normal(size=(8, 5)), "b2": random.normal(size=5),
              "w3": random.normal(size=(5, CLASSES)), "b3": random.normal(size=CLASSES)}
    arrays.update(weights or {})
    t = tensor_prefix
    conv, fc1, fc2 = node_names
    chain = [
        helper.make_node("Conv", ["x", "w1", "b1"], [t + "a"], conv),
        helper.make_node("Relu", [t + "a"], [t + "b"]),
        helper.make_node("MaxPool", [t + "b"], [t + "c"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", [t + "c"], [t + "d"]),
        helper.make_node("Gemm", [t + "d", "w2", "b2"], [t + "e"], fc1),
        helper.make_node("Relu", [t + "e"], [t + "f"]),
        helper.make_node("Gemm", [t + "f", "w3", "b3"], [t + "g"], fc2),
        helper.make_node("Softmax", [t + "g"], ["y"]),
    ]
    if nodes:
        chain[-1] = helper.make_node("Softmax", [t + "z"], ["y"])
        chain[-1:-1] = nodes(t + "g", t + "z")
    graph = helper.make_graph(
        chain, "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *SHAPE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(np.asarray(a, np.float32), name) for name, a in arrays.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])


def samples(count=12, shape=SHAPE):
    random = np.random.default_rng(2)
    return {"x": random.normal(size=(count, *shape)).astype(np.float32),
            "y": random.integers(CLASSES, size=count)}


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def images(count=4):
    return np.arange(count * 36, dtype=np.uint8).reshape(count, 6, 6)


def limit_file_size():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))


class Case(unittest.TestCase):
    """A temporary folder with a network and data."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.save("net.onnx", network())
        np.savez(self.folder / "data.npz", **samples())

    def save(self, name, content):
        if isinstance(content, onnx.ModelProto):
            content = content.SerializeToString()
        (self.folder / name).write_bytes(content)
        return name

    def vigor(self, *arguments, code=0, env=None, **options):
        result = subprocess.run([VIGOR, *arguments], cwd=self.folder, capture_output=True,
                                env={**os.environ, **(env or {})}, timeout=120, **options)
        result.stdout, result.stderr = result.stdout.decode(), result.stderr.decode()
        self.assertEqual(result.returncode, code, f"{arguments}: {result.stdout}{result.stderr}")
        return result

    def analyze(self, *arguments, model="net.onnx", data="npz:data.npz", output="run.h5",
                **options):
        return self.vigor("analyze", model, "--data", data, "-o", output, *arguments, **options)

    def content(self, name="run.h5"):
        """Everything in a run file but /provenance."""
        found = {}

        def add(path, item):
            if path.startswith("provenance"):
                return
            found.update({f"{path}@{key}": np.asarray(v).tobytes()
                          for key, v in item.attrs.items()})
            if isinstance(item, h5py.Dataset):
                found[path] = (item.dtype.str, item.shape, item[()].tobytes())
        with h5py.File(self.folder / name) as file:
            add("", file)
            file.visititems(add)
        return found

    def files(self):
        return {str(path): path.is_dir() or path.read_bytes() for path in self.folder.rglob("*")}

    def refuses(self, call, *arguments, naming, late=False, **options):
        """The call fails with one line that names what is wrong, and leaves no file. Only when it
        is `late` may there be lines before: the progress of the analysis."""
        before = self.files()
        result = call(*arguments, code=1, **options)
        self.assertEqual(self.files(), before)
        last = result.stderr.splitlines()[-1]
        self.assertTrue(last.startswith("vigor: ["), result.stderr)
        self.assertTrue(result.stderr.endswith("\n"))
        if not late:
            self.assertEqual(result.stderr.count("\n"), 1, result.stderr)
        for text in naming:
            self.assertIn(text.lower(), last.lower())
        return last

    def assert_harmless(self, text):
        """Nothing that a terminal obeys, but the ends of lines."""
        bad = {c for c in text if c != "\n" and (ord(c) < 0x20 or 0x7f <= ord(c) < 0xa0)}
        self.assertFalse(bad or {"\u202e"} & set(text), repr(text))


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


class BadOutput(Case):
    def test_no_such_folder(self):
        self.refuses(self.analyze, output="no/run.h5", naming=["no/run.h5", "no folder"])

    def test_folder(self):
        (self.folder / "run.h5").mkdir()
        self.refuses(self.analyze, naming=["run.h5", "folder"])

    def test_model(self):
        (self.folder / "link.onnx").symlink_to("net.onnx")
        for name in ("net.onnx", "link.onnx"):
            self.refuses(self.analyze, output=name, naming=[name, "destroy", "net.onnx"])

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_no_permission(self):
        (self.folder / "locked").mkdir(mode=0o500)
        self.refuses(self.analyze, output="locked/run.h5", naming=["locked", "permission"])

    def test_file_size_limit(self):
        self.refuses(self.analyze, naming=["run.h5", "File too large"], late=True,
                     preexec_fn=limit_file_size)

    def test_file_size_limit_keeps_the_old_file(self):
        self.save("run.h5", b"precious")
        self.refuses(self.analyze, naming=["run.h5"], late=True, preexec_fn=limit_file_size)
        self.assertEqual((self.folder / "run.h5").read_bytes(), b"precious")

    def test_disk_full(self):
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", small],
                                 capture_output=True)
        if mounted.returncode:
            self.skipTest("cannot mount a file system")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        self.refuses(self.analyze, output="small/run.h5", late=True,
                     naming=["small/run.h5", "No space left"])
        self.assertEqual(list(small.iterdir()), [])

    def test_tables_on_a_full_disk(self):
        self.analyze()
        result = self.vigor("show", "run.h5", "--csv", "tables", code=1,
                            preexec_fn=limit_file_size)
        self.assertRegex(result.stderr, r"\Avigor: \[tables/\w+\.csv\] cannot be written.*\n\Z")

    def test_standard_output_full(self):
        self.analyze()
        for arguments in (["inspect", "net.onnx"], ["inspect", "net.onnx", "--json"],
                          ["show", "run.h5"], ["show", "run.h5", "--json"],
                          ["analyze", "net.onnx", "--data", "npz:data.npz", "--dry-run"]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                result = subprocess.run([VIGOR, *arguments], cwd=self.folder, stdout=full,
                                        stderr=subprocess.PIPE, text=True)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, r"\Avigor: .*cannot (be )?writ.*\n\Z")

    def destroys(self, what, *arguments):
        with self.subTest(arguments):
            self.refuses(self.vigor, *arguments, naming=["destroy", what])

    def test_other_files_of_the_command(self):
        self.analyze()
        self.analyze("--shard", "1/1", output="part.h5")
        self.save("names.txt", b"a\nb\nc\n")
        self.save("list.csv", b"input,site,element,bit\n0,conv1,0,30\n")
        data = ["--data", "npz:data.npz"]
        inject = ["inject", "net.onnx", *data, "--faults", "list.csv"]
        for command in (["analyze", "net.onnx", *data], inject, ["map", "run.h5"],
                        ["merge", "part.h5"], ["validate", "run.h5", "--plan", "layer"]):
            self.destroys("data.npz", *command, "-o", "data.npz")
            self.destroys("net.onnx", *command, "-o", "net.onnx")
        for command in (["map", "run.h5"], ["report", "run.h5"], ["validate", "run.h5"],
                        ["overlay", "run.h5", "net.onnx", "--as", "onnx"]):
            self.destroys("run.h5", *command, "-o", "run.h5")
        self.destroys("part.h5", "merge", "part.h5", "-o", "part.h5")
        self.destroys("names.txt", "analyze", "net.onnx", *data, "--class-names", "names.txt",
                      "-o", "names.txt")
        self.destroys("list.csv", *inject, "-o", "list.csv")
        self.destroys("list.csv", *inject, "-o", "x.h5", "--save-faults", "list.csv")
        self.destroys("x.h5", *inject, "-o", "x.h5", "--save-faults", "x.h5")
        self.destroys("x.h5", *inject, "-o", "x.h5", "--save-faults", "x.h5.partial")
        os.rename(self.folder / "net.onnx", self.folder / "y.h5.partial")
        self.destroys("y.h5.partial", "analyze", "y.h5.partial", *data, "-o", "y.h5")

    def test_links(self):
        """Followed to a file, and nowhere else."""
        self.save("old.h5", b"")
        (self.folder / "link.h5").symlink_to("old.h5")
        self.analyze(output="link.h5")
        self.assertTrue((self.folder / "link.h5").is_symlink())
        self.vigor("show", "old.h5")
        (self.folder / "nowhere.h5").symlink_to("none/none.h5")
        result = self.analyze(output="nowhere.h5", code=1)
        self.assertIn("leads to no file", result.stderr)
        (self.folder / "nowhere.h5").unlink()
        (self.folder / "x.h5.partial").symlink_to("net.onnx")
        self.refuses(self.analyze, output="x.h5", naming=["x.h5.partial", "in the way"])
        for output in ("/dev/null", ""):
            self.refuses(self.analyze, output=output, naming=[output])
        with open(self.folder / "out.h5", "wb") as out:
            subprocess.run([VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o",
                            "/dev/stdout"], cwd=self.folder, stdout=out, stderr=subprocess.DEVNULL,
                           check=True)
        self.assertTrue(Path("/dev/stdout").is_symlink())
        self.vigor("show", "out.h5")


class Streams(Case):
    """Nobody need read what a run says."""

    def test_standard_error(self):
        command = [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o"]
        self.analyze()
        for how in ("2>/dev/full", "2>&-", "2>&1 >/dev/null | true", ">&- 2>&- <&-"):
            with self.subTest(how):
                line = " ".join(map(str, command)) + ' "$0" ' + how
                subprocess.run(["bash", "-c", line, "x.h5"], cwd=self.folder, check=True)
                for _ in range(100):  # the pipe's writer may still be at work
                    if (self.folder / "x.h5").exists():
                        break
                    time.sleep(0.05)
                self.assertEqual(self.content("x.h5"), self.content())
                (self.folder / "x.h5").unlink()
        for how in ("2>/dev/full", "2>&-"):
            code = subprocess.run(["bash", "-c", f"{VIGOR} inspect none.onnx {how}"],
                                  cwd=self.folder).returncode
            self.assertEqual(code, 1)

    def test_standard_output(self):
        self.analyze()
        for command in ("show run.h5", "inspect net.onnx", "help", "--help", "--version",
                        "analyze --help"):
            for how in (">&-", ">/dev/full"):
                with self.subTest(command + how):
                    result = subprocess.run(["bash", "-c", f"{VIGOR} {command} {how}"],
                                            cwd=self.folder, capture_output=True)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(b"stdout", result.stderr)
            result = subprocess.run(
                ["bash", "-c", f"{VIGOR} {command} | true; echo ${{PIPESTATUS[0]}}"],
                cwd=self.folder, capture_output=True)
            self.assertEqual(result.stderr, b"")
            self.assertIn(result.stdout, (b"0\n", b"141\n"))

    def test_file_size_limit(self):
        """By itself it ends a process."""
        result = subprocess.run(
            ["bash", "-c", f"ulimit -f 1; {VIGOR} analyze net.onnx --data npz:data.npz -o x.h5"],
            cwd=self.folder, capture_output=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"File too large", result.stderr)
        self.assertFalse(list(self.folder.glob("x.h5*.partial")))


class Writers(Case):
    def test_one_at_a_time(self):
        self.analyze()
        with open(self.folder / "m.h5.partial", "wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            result = self.vigor("map", "run.h5", "--format", "int8", "-o", "m.h5", code=1)
            self.assertIn("another process is writing it", result.stderr)
            self.assertTrue((self.folder / "m.h5.partial").exists())
        self.vigor("map", "run.h5", "--format", "int8", "-o", "m.h5")
        self.assertFalse((self.folder / "m.h5.partial").exists())


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


class Usage(Case):
    def wrong(self, *arguments, naming):
        before = self.files()
        result = self.vigor(*arguments, code=2)
        self.assertEqual(self.files(), before)
        self.assertEqual(result.stdout, "")
        self.assertIn(naming, result.stderr)
        self.assertLess(len(result.stderr), 300, "too long to be read")

    def test_wrong_usage(self):
        self.wrong(naming="subcommand")
        self.wrong("nope", naming="unknown command 'nope'")
        self.wrong("inspect", "--colour", "net.onnx", naming="--colour")
        self.wrong("inspect", naming="MODEL")
        self.wrong("show", naming="run")
        self.wrong("show", "run.h5", "--top", "-1", naming="--top")
        self.wrong("report", "run.h5", naming="--output")
        self.wrong("analyze", "net.onnx", "-o", "run.h5", naming="--data")
        self.wrong("analyze", "net.onnx", "--data", "npz:data.npz", naming="--output")

    def test_wrong_values(self):
        for option, value in [("--classes", "some"), ("--prober", "magic"), ("--threads", "0"),
                              ("--threads", "many"), ("--inputs", "0"), ("--inputs", "-3"),
                              ("--tolerance-bits", "24"), ("--split", "other"), ("--seed", "x"),
                              ("--neurons", "none"), ("--neurons", "0"), ("--neurons", "101%"),
                              ("--audit", "a lot"), ("--audit", "101"), ("--batch", "17"),
                              ("--memory", "much"), ("--memory", "-1"),
                              ("--batch", "0"), ("--scale", "1/0"), ("--scale", "x"),
                              ("--crop", "3y"), ("--resize", "0x4"), ("--mean", "1,,2")]:
            with self.subTest(option=option, value=value):
                self.wrong("analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
                           option, value, naming=option.lstrip("-"))

    def test_wrong_values_of_injections(self):
        inject = ["inject", "net.onnx", "--data", "npz:data.npz", "-o", "fi.h5"]
        for option, value in [("--margin", "0"), ("--margin", "nan"), ("--margin", "1"),
                              ("--confidence", "1"), ("--batch", "17"), ("--neurons", "0"),
                              ("--inputs", "0"), ("--inputs", "9" * 20), ("--threads", "0"),
                              ("--scale", "x"), ("--save-every", "-1"), ("--save-every", "nan"),
                              ("--save-every", "inf")]:
            with self.subTest(option=option, value=value):
                self.wrong(*inject, option, value, naming=option.lstrip("-"))
        self.wrong(*inject, "--shard", "1/2", "--until-margin", naming="--until-margin")

    def test_wrong_values_elsewhere(self):
        for arguments in (["validate", "run.h5", "--margin", "0"],
                          ["validate", "run.h5", "--require", "nan"],
                          ["bench", "--signature", "--batch", "7"],
                          ["map", "run.h5", "-o", "map.h5", "--threads", "0"]):
            with self.subTest(arguments):
                self.wrong(*arguments, naming=arguments[-2])

    def test_numbers_are_taken_as_given(self):
        analyze = ["analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5"]
        for command in (analyze, ["inject", *analyze[1:]], ["validate", "run.h5"]):
            for value in (str(2 ** 64), "-1", "", "0x10", "1.5", " 1"):
                with self.subTest(command=command[0], value=value):
                    self.wrong(*command, "--seed", value, naming="--seed")
        for option in ("--inputs", "--pad", "--label-offset", "--threads"):
            self.wrong(*analyze, option, "9" * 20, naming=option)
        self.vigor(*analyze, "--seed", str(2 ** 64 - 1), "--inputs", "010")
        with h5py.File(self.folder / "run.h5") as run:
            self.assertEqual(run.attrs["seed"], 2 ** 64 - 1)
            self.assertEqual(len(run["inputs/index"]), 10)

    def test_expected_numbers_are_named(self):
        inject = ["inject", "net.onnx", "--data", "npz:data.npz", "-o", "fi.h5"]
        self.wrong(*inject, "--inputs", "0", naming="got '0', expected a number from 1 on")
        self.wrong(*inject, "--save-every", "-1", naming="got '-1', expected seconds from 0 on")

    def test_hostile_values(self):
        analyze = ["analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5"]
        inject = ["inject", *analyze[1:]]
        hostile = "a" + HOSTILE
        for arguments in (*([*analyze, option] for option in
                            ("--threads", "--memory", "--scale", "--classes", "--seed", "--batch",
                             "--neurons", "--audit", "--crop")),
                          *([*inject, option] for option in
                            ("--shard", "--save-every", "--format", "--margin")),
                          ["help"], ["completion"], ["show", "run.h5"]):
            with self.subTest(arguments):
                text = self.vigor(*arguments, hostile, code=2).stderr
                self.assert_harmless(text)
                self.assertLessEqual(text.count("\n"), 2, text)

    def test_help(self):
        for command in ([], ["inspect"], ["analyze"], ["show"], ["report"], ["bench"]):
            text = self.vigor(*command, "--help").stdout
            self.assertRegex(text, "Examples?:\n +vigor " + (command or ["analyze"])[0])

    def test_version(self):
        self.assertRegex(self.vigor("--version").stdout, r"\Avigor \d+\.\d+\.\d+.*\n\Z")


class RangesAlone(Case):
    def test_both(self):
        self.analyze(output="full.h5")
        self.analyze("--factors", "none")
        with h5py.File(self.folder / "full.h5") as full, h5py.File(self.folder / "run.h5") as run:
            for name, site in run["sites"].items():
                for array in site:
                    # A side of a neuron of the first site may have several crossings.
                    if array != "probes" and name != "0000":
                        np.testing.assert_array_equal(site[array], full["sites"][name][array])
                self.assertLessEqual(
                    {"nonvulnerable", "vulnerable", "vulnerable_finite", "finite_share", "golden"},
                    set(site))
                for absent in ("count", "count_high", "bvf", "nvf", "threshold_histogram"):
                    self.assertNotIn(absent, site)
                self.assertNotIn("lvf", site.attrs)
            self.assertNotIn("mvf", run["model"].attrs)
        self.vigor("map", "run.h5", "--format", "int8", "-o", "map.h5")

    def test_inner(self):
        self.analyze("--factors", "none", "--ranges", "inner")
        with h5py.File(self.folder / "run.h5") as run:
            site = run["sites/0000"]
            self.assertIn("nonvulnerable", site)
            for absent in ("vulnerable", "vulnerable_finite", "finite", "finite_share", "count"):
                self.assertNotIn(absent, site)
        self.refuses(self.vigor, "map", "run.h5", "-o", "map.h5", naming=["--ranges inner"])

    def test_shown(self):
        for ranges in ("both", "inner"):
            self.analyze("--factors", "none", "--ranges", ranges)
            text = self.vigor("show", "run.h5").stdout
            self.assertIn("ranges alone", text)
            self.assertNotIn("nan", text)
            self.assertEqual("critical up to" in text, ranges == "both")
            shown = json.loads(self.vigor("show", "run.h5", "--json").stdout)
            self.assertIsNone(shown["model"]["mvf"])
            self.assertEqual([site["lvf"] for site in shown["sites"]], [None] * 3)
            self.vigor("show", "run.h5", "--csv", "tables")
            with open(self.folder / "tables/neurons.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual({(row["nvf"], row["worst_bit"]) for row in rows}, {("nan", "-1")})
            self.assertEqual({row["vulnerable_upper"] == "nan" for row in rows}, {ranges == "inner"})
            self.assertNotIn("nan", {row["nonvulnerable_upper"] for row in rows})
            self.assertEqual(len((self.folder / "tables/bits.csv").read_text().splitlines()), 1)
            self.refuses(self.vigor, "report", "run.h5", "-o", "run.html", naming=["report"])
            self.vigor("validate", "run.h5", "--plan", "layer", "-o", "v.json")
            sites = json.loads((self.folder / "v.json").read_text())["sets"][0]["layers"]
            self.assertEqual({site["lvf"]["resolved"] for site in sites}, {None})

    def test_wrong_usage(self):
        for arguments, naming in ((("--ranges", "inner"), "factors none"),
                                  (("--factors", "none", "--keep-thresholds"), "thresholds"),
                                  (("--factors", "none", "--audit", "1%"), "audit"),
                                  (("--factors", "none", "--search", "bisect"), "bisect"),
                                  (("--factors", "none", "--method", "paper"), "paper"),
                                  (("--factors", "some"), "--factors")):
            self.assertIn(naming, self.analyze(*arguments, code=2).stderr)


class Inspect(Case):
    def test_text(self):
        text = self.vigor("inspect", "net.onnx").stdout
        for part in ("conv1", "fc1", "fc2", "Conv", "MaxPool", "3 classes", "forecast"):
            self.assertIn(part, text)

    def test_json(self):
        result = json.loads(self.vigor("inspect", "net.onnx", "--json").stdout)
        self.assertEqual(result["classes"], CLASSES)
        self.assertEqual(result["input"]["shape"], [1, *SHAPE])
        self.assertEqual([(s["name"], s["neurons"]) for s in result["sites"]],
                         [("conv1", 32), ("fc1", 5), ("fc2", 3)])

    def test_hostile_names(self):
        self.save("odd.onnx", network(node_names=[HOSTILE + n for n in "abc"],
                                      tensor_prefix=HOSTILE))
        for more in ([], ["--json"]):
            self.assert_harmless(self.vigor("inspect", "odd.onnx", *more).stdout)
        self.assert_harmless(self.analyze(model="odd.onnx").stderr)
        for more in ([], ["--json"], ["--site", "conv1"]):
            self.assert_harmless(self.vigor("show", "run.h5", *more).stdout)
        result = json.loads(self.vigor("show", "run.h5", "--json").stdout)
        self.assertIn("<script>", result["sites"][0]["tensor"])  # for a page to escape
        self.refuses(self.vigor, "show", "run.h5", "--site", HOSTILE, naming=["conv1"])


class Analyze(Case):
    def assert_same(self, *arguments, base=(), without=(), env=None):
        self.analyze("--keep-thresholds", *base, output="one.h5")
        self.analyze("--keep-thresholds", *arguments, output="two.h5", env=env)
        one, two = self.content("one.h5"), self.content("two.h5")
        for key in without:
            one.pop(key), two.pop(key)
        self.assertEqual(one, two)

    def json(self, *arguments):
        return json.loads(self.vigor("show", "run.h5", "--json", *arguments).stdout)

    def sites(self, *arguments):
        self.analyze(*arguments)
        return {site["name"]: site for site in self.json()["sites"]}

    def test_threads(self):
        for count in "124":
            self.assert_same("--threads", count)

    def test_batches(self):
        for size in ("16", "64"):
            self.assert_same("--batch", size, "--prober", "suffix", base=("--prober", "suffix"))
            self.assert_same("--batch", size)

    def test_stats(self):
        text = self.analyze("--stats").stdout
        for word in ("Phases:", "Probers:", "Batches:", "conv1", "MACs/probe"):
            self.assertIn(word, text)

    def test_memory(self):
        self.assert_same("--memory", "3M", "--threads", "2")
        self.refuses(self.analyze, "--memory", "1k", naming=["memory", "0 MiB", "expected"])

    def test_probers(self):
        # What a prober executes is its own; what it finds is not.
        self.analyze(output="one.h5")
        macs = {key for key in self.content("one.h5")
                if key.endswith(("@macs", "@forward_equivalents"))}
        self.assert_same("--prober", "reference", base=("--prober", "suffix"), without=macs)

    def test_region_prober_agrees(self):
        # Its sums start from golden ones: thresholds may differ by a step where a margin is tiny.
        exact = self.sites("--prober", "suffix")
        for name, site in self.sites().items():
            for reading in ("low", "resolved", "high"):
                self.assertAlmostEqual(site["lvf"][reading], exact[name]["lvf"][reading], 3)

    def test_instruction_sets(self):
        with open("/proc/cpuinfo") as file:
            flags = file.read().split()
        for isa, flag in [("generic", None), ("avx2", "avx2"), ("avx512", "avx512bw")]:
            if flag is None or flag in flags:
                with self.subTest(isa):
                    self.assert_same(env={"VIGOR_ISA": isa}, without=["@isa"])

    def test_unknown_instruction_set(self):
        for call in (self.analyze, lambda **o: self.vigor("--version", **o)):
            result = call(code=1, env={"VIGOR_ISA": "mmx"})
            self.assertRegex(result.stderr, r"\Avigor: .*VIGOR_ISA.*mmx.*generic.*\n\Z")
        self.assertFalse((self.folder / "run.h5").exists())

    def test_sites(self):
        self.assertEqual(list(self.sites()), ["conv1", "fc1", "fc2"])
        self.assertEqual(list(self.sites("--sites", "fc1,logits")), ["fc1", "fc2"])
        self.assertEqual(list(self.sites("--sites", "logits")), ["fc2"])

    def test_sites_before_the_activation(self):
        pre = self.sites("--sites", "pre-activation")
        self.assertEqual([(name, site["kind"]) for name, site in pre.items()],
                         [("conv1.pre", "pre-activation"), ("fc1.pre", "pre-activation"),
                          ("fc2", "logits")])

    def test_thresholds(self):
        self.analyze()
        self.assertNotIn("sites/0000/thresholds", self.content())
        self.analyze("--keep-thresholds")
        self.assertEqual(self.content()["sites/0000/thresholds"][1], (12, 32, 2, 2))

    def test_classes(self):
        for choice, rows in [("auto", CLASSES + 1), ("all", CLASSES + 1), ("none", 1)]:
            self.analyze("--classes", choice)
            self.assertEqual(self.content()["sites/0000/nonvulnerable"][1], (rows, 32, 2))

    def test_inputs(self):
        self.analyze("--inputs", "5")
        self.assertEqual(self.content()["inputs/index"][1], (5,))

    def test_sample(self):
        for sample, counts in [("3", [3, 3, 3]), ("5%", [2, 1, 1])]:
            sites = self.sites("--neurons", sample)
            self.assertEqual([site["neurons"] for site in sites.values()], counts)
            self.assertEqual([site["population"] for site in sites.values()], [32, 5, 3])
            low, high = sites["conv1"]["lvf"]["interval"]
            self.assertLessEqual(low, sites["conv1"]["lvf"]["resolved"])
            self.assertGreaterEqual(high, sites["conv1"]["lvf"]["resolved"])
            text = self.vigor("show", "run.h5").stdout
            self.assertIn("Not every neuron was analysed", text)
            self.assertIn("95 % interval", text)
            self.assertIn(f"{counts[0]} of 32", text)

    def test_dry_run(self):
        before = self.files()
        text = self.vigor("analyze", "net.onnx", "--data", "npz:data.npz", "--dry-run").stdout
        self.assertRegex(text, r"\A40 neurons, 12 inputs: about [\d,]+ probes, .*\n\Z")
        text = self.analyze("--dry-run", "--neurons", "3").stdout
        self.assertTrue(text.startswith("9 neurons"), text)
        self.assertEqual(self.files(), before)

    def test_other_formats(self):
        self.save("images", idx(images()))
        self.save("labels", idx(np.array([0, 1, 2, 0], np.uint8)))
        self.analyze("--scale", "1/255", data="idx:images,labels")
        np.save(self.folder / "x.npy", samples()["x"])
        self.analyze(data="npy:x.npy")

    def test_killed(self):
        np.savez(self.folder / "data.npz", **samples(20000))
        for delay in (0.05, 0.2, 0.4):
            process = subprocess.Popen(
                [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
                 "--prober", "reference", "--threads", "1", "--tolerance-bits", "23"],
                cwd=self.folder, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            self.assertEqual(process.wait(), -signal.SIGKILL, "done before it was killed")
            self.assertFalse((self.folder / "run.h5").exists())


class Progress(Case):
    def test_none_in_a_pipe(self):
        result = self.analyze()
        self.assertEqual(result.stdout, "")
        self.assert_harmless(result.stderr)
        for site in ("conv1", "fc1", "fc2"):
            self.assertIn(site, result.stderr)

    def test_bar_on_a_terminal(self):
        np.savez(self.folder / "data.npz", **samples(10000))  # seconds of work
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, 80, 0, 0))
        process = subprocess.Popen(
            [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
             "--prober", "reference"], cwd=self.folder, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        text = b""
        try:
            while select.select([ours], [], [], 60)[0]:
                text += os.read(ours, 4096)
        except OSError:  # the other side was closed
            pass
        os.close(ours)
        self.assertEqual((process.communicate()[0], process.returncode), (b"", 0))
        self.assertRegex(text, rb"\r\033\[K\[#*\.*\] +[\d.]+ %")
        widest = max(len(part) for part in text.replace(b"\033[K", b"").replace(b"\n", b"\r")
                     .split(b"\r"))
        self.assertLess(widest, 80)


class Show(Case):
    def setUp(self):
        super().setUp()
        self.analyze()

    def test_text(self):
        text = self.vigor("show", "run.h5").stdout
        for part in ("net.onnx", "npz:data.npz", "conv1", "fc2", "LVF", "NVF", "Audit: none"):
            self.assertIn(part, text)
        self.assertNotIn("Not every neuron", text)
        self.assertNotIn("fc2", self.vigor("show", "run.h5", "--site", "conv1").stdout)
        self.assertLess(len(self.vigor("show", "run.h5", "--top", "0").stdout), len(text))

    def test_json(self):
        result = json.loads(self.vigor("show", "run.h5", "--json").stdout)
        self.assertIsInstance(result["model"], dict)
        for site, neurons in zip(result["sites"], [32, 5, 3], strict=True):
            self.assertEqual(site["neurons"], neurons)
            self.assertIsInstance(site["name"] + site["tensor"] + site["kind"], str)
            lvf = site["lvf"]
            self.assertTrue(0 <= lvf["low"] <= lvf["resolved"] <= lvf["high"] <= 1, lvf)

    def test_csv(self):
        self.assertEqual(self.vigor("show", "run.h5", "--csv", "tables").stdout, "")
        rows = {}
        for name in ("sites", "bits", "neurons"):
            text = (self.folder / f"tables/{name}.csv").read_text()
            rows[name] = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([len(rows[name]) for name in ("sites", "bits", "neurons")],
                         [3, 3 * 32, 40])
        self.assertEqual([row["site"] for row in rows["sites"]], ["conv1", "fc1", "fc2"])
        known = json.loads(self.vigor("show", "run.h5", "--json").stdout)["sites"]
        for row, site in zip(rows["sites"], known):
            self.assertAlmostEqual(float(row["lvf"]), site["lvf"]["resolved"])


class Report(Case):
    """The page itself: tests/report."""

    def setUp(self):
        super().setUp()
        self.analyze()
        self.vigor("inject", "net.onnx", "--data", "npz:data.npz", "--plan", "layer", "--margin",
                   "0.2", "-o", "fi.h5")

    def report(self, *arguments, **options):
        return self.vigor("report", "run.h5", "-o", "report.html", *arguments, **options)

    def test_written_or_said_why_not(self):
        found = subprocess.run([VIGOR, "report", "run.h5", "-o", "report.html"], cwd=self.folder,
                               capture_output=True)
        if found.returncode:
            self.assertRegex(found.stderr.decode(), r"\Avigor: \[report\].*Node\.js.*make deps.*\n\Z")
            self.assertFalse((self.folder / "report.html").exists())
            self.skipTest("built without the page")
        once = (self.folder / "report.html").read_bytes()
        self.assertTrue(once.startswith(b"<!DOCTYPE html>"))
        self.report()
        self.assertEqual((self.folder / "report.html").read_bytes(), once)
        for more in (["--injection", "fi.h5"], ["--detail", "conv1,fc2"], ["--detail", "all"]):
            self.report(*more)

    def test_refusals(self):
        if "Node.js" in subprocess.run([VIGOR, "report", "run.h5", "-o", "x.html"], cwd=self.folder,
                                       capture_output=True).stderr.decode():
            self.skipTest("built without the page")
        (self.folder / "x.html").unlink()
        self.save("other.onnx", network(weights={"b1": np.zeros(2)}))
        self.vigor("inject", "other.onnx", "--data", "npz:data.npz", "--plan", "layer", "--margin",
                   "0.2", "-o", "other.h5")
        self.save("list.json", b"[1, 2]")
        self.save("deep.json", b'{"a":' + b"[" * 300000 + b"]" * 300000 + b"}")
        self.save("other.json", b'{"model": {"sha256": "00"}}')
        for arguments, naming in [
                (["--detail", "conv9"], ["conv9", "conv1"]),
                (["--injection", "other.h5"], ["injection", "other.onnx", "net.onnx"]),
                (["--injection", "run.h5"], ["run.h5", "analysis"]),
                (["--injection", "none.h5"], ["none.h5"]),
                (["--validation", "none.json"], ["none.json"]),
                (["--validation", "list.json"], ["validation", "no JSON object"]),
                (["--validation", "deep.json"], ["validation", "no JSON object"]),
                (["--validation", "other.json"], ["validation", "00"])]:
            with self.subTest(arguments):
                self.refuses(self.report, *arguments, naming=naming)
        for output in ("run.h5", "none/report.html", "."):
            self.refuses(self.vigor, "report", "run.h5", "-o", output, naming=[output])
        self.refuses(self.vigor, "report", "fi.h5", "-o", "x.html", naming=["fi.h5", "injection"])


class ListedFaults(Case):
    def test_faults_on_inputs_that_are_not_finite(self):
        data = samples()
        data["x"][2] = np.nan
        np.savez(self.folder / "nan.npz", **data)
        inject = ["inject", "net.onnx", "--data", "npz:nan.npz", "--faults", "list.csv"]
        head, faults = "input,site,element,bit\n", [f"{i},fc1,0,31\n" for i in (0, 2, 2, 3)]
        self.save("list.csv", (head + "".join(faults)).encode())
        text = self.vigor(*inject, "-o", "fi.h5").stderr
        self.assertIn("2 faults on", text)
        self.assertIn("2 of 4 listed faults left out", text)
        self.vigor(*inject, "--shard", "1/1", "-o", "part.h5")
        self.assertIn("2 of 4 listed faults left out",
                      self.vigor("merge", "part.h5", "-o", "fi.h5").stderr)
        self.save("list.csv", (head + faults[0]).encode())
        self.assertNotIn("left out", self.vigor(*inject, "-o", "fi.h5").stderr)


class Validate(Case):
    def setUp(self):
        super().setUp()
        self.analyze("--inputs", "8", "--keep-thresholds")
        np.savez(self.folder / "more.npz", **{
            key: value[::-1] for key, value in samples(30).items()})

    def validate(self, *arguments, **options):
        return self.vigor("validate", "run.h5", "--plan", "layer", *arguments, **options)

    def result(self, *arguments):
        self.validate("-o", "v.json", *arguments)
        return json.loads((self.folder / "v.json").read_text())

    def test_set_1(self):
        text = self.validate().stdout
        for part in ("set 1", "npz:data.npz", "8 used", "conv1", "all sites", "thresholds"):
            self.assertIn(part, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 98)
        result = self.result()
        self.assertEqual(result["run"]["inputs"], 8)
        only, = result["sets"]
        self.assertTrue(only["seen"])
        self.assertEqual([layer["name"] for layer in only["layers"]], ["conv1", "fc1", "fc2"])
        for layer in (*only["layers"], only["total"]):
            for name in ("true_noncritical", "coverage", "recall", "base_rate", "nan_share"):
                share = layer[name]
                self.assertLessEqual(share["low"], share["share"])
                self.assertLessEqual(share["share"], share["high"])
                self.assertLessEqual(share["k"], share["n"])
            self.assertGreaterEqual(layer["own_thresholds"]["coverage"]["share"],
                                    layer["coverage"]["share"])

    def test_both_sets(self):
        first, second = self.result("--data", "npz:more.npz", "--inputs", "20")["sets"]
        self.assertEqual((first["seen"], first["data"]["inputs"]), (True, 8))
        self.assertEqual((second["seen"], second["data"]["inputs"]), (False, 20))
        self.assertIsNone(second["layers"][0]["own_thresholds"])
        only, = self.result("--data", "npz:more.npz", "--inputs", "20", "--unseen-only")["sets"]
        self.assertEqual(only, second)

    def test_same_for_any_threads(self):
        results = [self.result("--data", "npz:more.npz", "--threads", str(threads))
                   for threads in (1, 3)]
        self.assertEqual(*results)
        self.assertNotEqual(results[0], self.result("--data", "npz:more.npz", "--seed", "1"))

    def test_moved(self):
        for old, new in (("net.onnx", "moved.onnx"), ("data.npz", "moved.npz")):
            (self.folder / old).rename(self.folder / new)
        self.refuses(self.validate, naming=["net.onnx"])
        self.refuses(self.validate, "--model", "moved.onnx", naming=["data.npz"])
        only, = self.result("--model", "moved.onnx", "--data", "npz:moved.npz")["sets"]
        self.assertTrue(only["seen"])

    def test_require(self):
        self.validate("--require", "0.2")
        shares = {**samples(8)}
        shares["x"] = 1000 * shares["x"]
        np.savez(self.folder / "far.npz", **shares)
        result = self.validate("--data", "npz:far.npz", "--unseen-only", "--require", "1", "-o",
                               "v.json", code=1)
        self.assertIn("below --require: set 2, ", result.stdout)
        self.assertRegex(result.stderr, r"vigor: \[require\] \d+ of the shares fall short\n\Z")
        self.assertTrue((self.folder / "v.json").exists())

    def test_of_merged_parts(self):
        for part in (1, 2):
            self.analyze("--shard", f"{part}/2", output=f"{part}.h5")
        self.vigor("merge", "1.h5", "2.h5", "-o", "run.h5")
        self.assertEqual(self.result()["run"]["inputs"], 12)

    def test_report_shows_it(self):
        self.result("--data", "npz:more.npz")
        done = subprocess.run([VIGOR, "report", "run.h5", "--validation", "v.json", "-o", "r.html"],
                              cwd=self.folder, capture_output=True)
        if b"Node.js" in done.stderr:
            self.skipTest("built without the page")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_refusals(self):
        self.save("other.onnx", network(weights={"b1": np.zeros(2)}))
        np.savez(self.folder / "small.npz", x=np.zeros((4, 5), np.float32))
        for arguments, naming in [
                (["--model", "other.onnx"], ["model", "other.onnx", "net.onnx"]),
                (["--model", "none.onnx"], ["none.onnx"]),
                (["--data", "npz:none.npz"], ["none.npz"]),
                (["--data", "npz:small.npz"], ["data", "expected 1x6x6"]),
                (["--data", "npz:data.npz", "--unseen-only"], ["data.npz", "unseen"]),
                (["-o", "none/v.json"], ["none"]),
                (["-o", "run.h5"], ["run.h5"])]:
            with self.subTest(arguments):
                self.refuses(self.validate, *arguments, naming=naming)
        self.vigor("inject", "net.onnx", "--data", "npz:data.npz", "--plan", "layer", "-o", "fi.h5")
        self.refuses(self.vigor, "validate", "fi.h5", naming=["fi.h5", "injection"])
        np.savez(self.folder / "data.npz", x=samples()["x"] + 1)
        self.refuses(self.validate, naming=["data.npz", "SHA-256"])

    def test_usage(self):
        for arguments in (["--plan", "model"], ["--require", "2"], ["--margin", "2"], ["--threads", "0"],
                          ["--unseen-only"], ["--scale", "1/255"], ["--inputs", "0"]):
            with self.subTest(arguments):
                self.vigor("validate", "run.h5", *arguments, code=2)


if __name__ == "__main__":
    unittest.main()
