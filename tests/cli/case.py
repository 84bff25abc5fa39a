"""What the tests of the command share: a network, data, and a folder with both."""
import os
import resource
import signal
import struct
import subprocess
import tempfile
import unittest
import zlib
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


def png(pixels):
    """A grey one of these uint8 pixels."""
    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content +
                struct.pack(">I", zlib.crc32(kind + content)))
    height, width = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


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

    def small_disk(self, size):
        """A file system of its own below the folder."""
        small = self.folder / "small"
        small.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", small],
                                 capture_output=True)
        if mounted.returncode:
            self.skipTest("cannot mount a file system")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        return small

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
