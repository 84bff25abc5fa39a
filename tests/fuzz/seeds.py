#!/usr/bin/python3
"""Files to start fuzzing from, one folder a target: made here, and real ones where there are any.

    tests/fuzz/seeds.py OUT              all
    tests/fuzz/seeds.py --small OUT      only what is made here: tests/fuzz/corpus comes from this

Real ones: ONNX's node tests, the networks and data below VIGOR_DATA. They are cut to what a fuzzer
can use (64 KiB), and nothing of them is kept in the repository.
"""
import argparse
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from case import idx, network, samples  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("VIGOR_DATA", ROOT / "../shared/data"))
NODE_TESTS = Path("/usr/share/libonnx-testdata/data/node")
MOST = 65536


def png(pixels, depth=8):
    """Grey [H,W] or colour [H,W,3]."""
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0

    def chunk(kind, content):
        return (struct.pack(">I", len(content)) + kind + content
                + struct.pack(">I", zlib.crc32(kind + content)))
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    return (b"\x89PNG\r\n\x1a\n"
            + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def jpeg():
    """8x8, grey: a baseline file with the shortest tables that hold one block."""
    def segment(marker, content):
        return struct.pack(">BBH", 0xff, marker, len(content) + 2) + content
    return (b"\xff\xd8" + segment(0xdb, b"\0" + b"\1" * 64)
            + segment(0xc0, struct.pack(">BHHBBBB", 8, 8, 8, 1, 1, 0x11, 0))
            + segment(0xc4, b"\0" + b"\1" + b"\0" * 15 + b"\0")
            + segment(0xc4, b"\x10" + b"\1" + b"\0" * 15 + b"\0")
            + segment(0xda, b"\1\1\0\0\x3f\0") + b"\x3f" + b"\xff\xd9")


def computed_shapes():
    """Every way to compute a shape that the importer knows: nodes that make "s", and constants."""
    node = helper.make_node

    def numbers(*values):
        return np.array(values, np.int64)
    one, zero = numbers(1), numbers(0)
    return {
        "add": ([node("Add", ["p", "q"], ["s"])], {"p": numbers(-2, 3), "q": one}),
        "sub": ([node("Sub", ["p", "q"], ["s"])], {"p": numbers(0, 5), "q": one}),
        "mul": ([node("Mul", ["p", "q"], ["s"])], {"p": numbers(-1, 2), "q": numbers(1, 2)}),
        "div": ([node("Div", ["p", "q"], ["s"])], {"p": numbers(-2, 9), "q": numbers(2)}),
        "neg": ([node("Neg", ["p"], ["s"])], {"p": numbers(1, -4)}),
        "where": ([node("Equal", ["p", "q"], ["e"]), node("Where", ["e", "q", "r"], ["s"])],
                  {"p": numbers(-1, 0), "q": numbers(-1, 3), "r": numbers(4)}),
        "range": ([node("Range", ["p", "q", "r"], ["s"])],
                  {"p": np.array(-1), "q": np.array(9), "r": np.array(5)}),
        "prod": ([node("Shape", ["x"], ["h"]), node("Slice", ["h", "i", "j"], ["t"]),
                  node("ReduceProd", ["t"], ["n"], keepdims=1),
                  node("Concat", ["m", "n"], ["s"], axis=0)],
                 {"i": one, "j": numbers(3), "m": numbers(-1)}),
        "fill": ([node("ConstantOfShape", ["p"], ["t"],
                       value=helper.make_tensor("v", TensorProto.INT64, [1], [4])),
                  node("Concat", ["m", "t"], ["s"], axis=0)], {"p": one, "m": numbers(-1)}),
        "cast": ([node("Floor", ["p"], ["f"]), node("Ceil", ["f"], ["c"]),
                  node("Cast", ["c"], ["t"], to=TensorProto.INT32),
                  node("Cast", ["t"], ["g"], to=TensorProto.FLOAT),
                  node("Cast", ["g"], ["h"], to=TensorProto.FLOAT),
                  node("Cast", ["h"], ["s"], to=TensorProto.INT64)],
                 {"p": np.array([-0.5, 4.5], np.float32)}),
        "bool": ([node("Cast", ["p"], ["b"], to=TensorProto.BOOL),
                  node("Where", ["b", "q", "r"], ["s"])],
                 {"p": np.array([0.5, 0], np.float32), "q": numbers(-1), "r": numbers(4)}),
        "slice": ([node("Slice", ["p", "i", "j", "k", "l"], ["s"])],
                  {"p": numbers(4, 9, -1, 9), "i": numbers(2), "j": numbers(-9), "k": zero,
                   "l": numbers(-2)}),
        "squeeze": ([node("Unsqueeze", ["p", "i"], ["t"]), node("Transpose", ["t"], ["u"]),
                     node("Squeeze", ["u", "j"], ["v"]), node("Identity", ["v"], ["w1"]),
                     node("Reshape", ["w1", "k"], ["s"])],
                    {"p": numbers(-1, 4), "i": zero, "j": one, "k": numbers(2)}),
        "gather": ([node("Gather", ["p", "i"], ["s"], axis=0)],
                   {"p": numbers(4, 7, -1), "i": numbers(-1, 0)}),
        "size": ([node("Size", ["w"], ["n"]), node("Div", ["n", "two"], ["t"]),
                  node("Unsqueeze", ["t", "i"], ["u"]),
                  node("Concat", ["m", "u"], ["s"], axis=0)],
                 {"two": np.array(2), "i": zero, "m": numbers(-1)}),
        "ints": ([node("Constant", [], ["s"], value_ints=[-1, 4])], {}),
        "floats": ([node("Constant", [], ["f"], value_floats=[-1.0, 4.0]),
                    node("Cast", ["f"], ["s"], to=TensorProto.INT64)], {}),
    }


def made_models():
    yield "net", network()
    yield "deep", network(nodes=lambda a, b: [
        helper.make_node("Relu", [a], ["r1"]), helper.make_node("Add", ["r1", a], ["r2"]),
        helper.make_node("Identity", ["r2"], [b])])

    def model(nodes, shape, arrays, out=("N", 2)):
        graph = helper.make_graph(
            nodes, "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)],
            [numpy_helper.from_array(a, n) for n, a in arrays.items()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    w = np.ones((4, 2), np.float32)
    yield "reshape", model(
        [helper.make_node("Reshape", ["x", "s"], ["a"]),
         helper.make_node("MatMul", ["a", "w"], ["b"]), helper.make_node("Add", ["b", "c"], ["y"])],
        ["N", 2, 2], {"s": np.array([-1, 4]), "w": w, "c": np.zeros(2, np.float32)})
    yield "shape", model(
        [helper.make_node("Shape", ["x"], ["s"]),
         helper.make_node("Gather", ["s", "zero"], ["n"], axis=0),
         helper.make_node("Unsqueeze", ["n", "axis"], ["u"]),
         helper.make_node("Concat", ["u", "four"], ["t"], axis=0),
         helper.make_node("Reshape", ["x", "t"], ["a"]),
         helper.make_node("Gemm", ["a", "w"], ["y"])],
        ["N", 2, 2], {"zero": np.array(0), "axis": np.array([0]), "four": np.array([4]), "w": w})
    for name, (nodes, arrays) in computed_shapes().items():
        yield f"computed_{name}", model(
            nodes + [helper.make_node("Reshape", ["x", "s"], ["a"]),
                     helper.make_node("MatMul", ["a", "w"], ["y"])],
            ["N", 2, 2], {"w": w, **arrays})
    for kind in ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64"):
        tensor = numpy_helper.from_array(np.array([1, 4]).astype(kind), "t")
        for form in ("raw", "field"):
            if form == "field":
                tensor = helper.make_tensor("t", tensor.data_type, [2], [1, 4])
            typed = model([helper.make_node("Cast", ["t"], ["s"], to=TensorProto.INT64),
                           helper.make_node("Mul", ["s", "minus"], ["u"]),
                           helper.make_node("Reshape", ["x", "u"], ["a"]),
                           helper.make_node("MatMul", ["a", "w"], ["y"])],
                          ["N", 2, 2], {"w": w, "minus": np.array([-1, 4 if kind == "bool" else 1])})
            typed.graph.initializer.append(tensor)
            yield f"{form}_{kind}", typed
    yield "image", model(
        [helper.make_node("Pad", ["x", "p"], ["a"]),
         helper.make_node("Conv", ["a", "k"], ["b"], strides=[2, 2], group=2),
         helper.make_node("BatchNormalization", ["b", "one", "one", "one", "one"], ["c"]),
         helper.make_node("Clip", ["c", "lo", "hi"], ["d"]),
         helper.make_node("GlobalAveragePool", ["d"], ["e"]),
         helper.make_node("Flatten", ["e"], ["f"]),
         helper.make_node("Softmax", ["f"], ["y"])],
        ["N", 2, 5, 5], {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1]),
                         "k": np.ones((2, 1, 3, 3), np.float32), "one": np.ones(2, np.float32),
                         "lo": np.float32(0), "hi": np.float32(6)})
    outside = network()
    tensor = outside.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in [("location", "weights.bin"), ("offset", "0"),
                       ("length", str(4 * int(np.prod(tensor.dims))))]:
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    yield "external", outside
    hostile = network()
    hostile.CopyFrom(outside)
    hostile.graph.initializer[0].external_data[0].value = "../../etc/passwd"
    yield "escape", hostile


def npz(arrays, compressed=False):
    file = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(file, **arrays)
    return file.getvalue()


def npy(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def two(first, second):
    """Two files, as fuzz_data.cpp takes them apart."""
    return struct.pack(">I", len(first)) + first + second


def made():
    """(target, name, bytes)"""
    for name, model in made_models():
        yield "onnx", name, model.SerializeToString()
    floats, pixels = samples(3), np.arange(3 * 48, dtype=np.uint8).reshape(3, 4, 4, 3)
    for number, choice in enumerate((0, 1, 2, 13, 16, 32, 64, 128 + 32)):
        head = bytes([choice, 0])
        images = {"x": pixels, "y": np.arange(3)}
        yield "npz", f"floats{number}", head + npz(floats)
        yield "npz", f"pixels{number}", head + npz(images, compressed=number % 2 == 0)
        yield "npy", f"floats{number}", head + npy(floats["x"])
        yield "npy", f"pixels{number}", head + npy(pixels[..., 0])
        pair = idx(pixels[..., 0]), idx(np.arange(3, dtype=np.uint8))
        yield "idx", f"images{number}", head + pair[0]
        yield "idx", f"packed{number}", head + zlib.compress(pair[0], wbits=31)
        if choice in (0, 13):
            for form in range(1, 6):
                yield "idx", f"pair{number}_{form}", bytes([choice, form]) + two(*pair)
            for kind, record in ("cifar10", b"\3"), ("cifar100", b"\3\4"):
                record += b"\x55" * 3072
                yield kind, f"one{number}", head + record
                for form in range(1, 4):
                    files = two(record, b"a\tb\r\nc\n")
                    yield kind, f"folder{number}_{form}", bytes([choice, form]) + files
        yield "images", f"grey{number}", head + png(pixels[0, ..., 0])
        yield "images", f"colour{number}", head + png(pixels[0])
        yield "images", f"jpeg{number}", head + jpeg()
    for fortran in (np.asfortranarray(floats["x"]), floats["x"].astype(">f4"),
                    floats["x"].astype(np.float64)):
        yield "npy", f"other{fortran.dtype.str[1:]}{fortran.flags.f_contiguous}", b"\0\0" + npy(fortran)
    for kind in ("u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8"):
        labelled = {"x": floats["x"], "y": np.arange(3).astype(kind)}
        yield "npz", f"labels_{kind}", b"\0\0" + npz(labelled)
    random = np.random.default_rng(0)
    for number in range(48):
        yield "run", f"changes{number}", bytes([number % 7 + 1]) + random.bytes(number * 3)
    yield "run", "cut", b"\0vigor run file\nbytes 100\n"
    yield "faults", "list", b"input,site,element,bit,value\n0,fc1,1,30,\n9,fc2,0,,1e30\n"
    yield "faults", "value", b"value,element,site,input\nnan,0,fc1,0\r\n-inf,3,\"fc1\",1\n"
    yield "faults", "wrong", b"input,site,element,bit\n10,fc1,0,1\n"
    yield "faults", "quotes", b"input,site,element,bit\n0,\"fc1,0,1\n"
    yield "faults", "escaped", b"input,\"site\",element,bit\n0,\"f\"\"c1\",0,1\n"
    yield "options", "all", b"\n".join([
        b"f1/255", b"n0.5,-1e3,1/3", b"s5%", b"s2", b"cpost-activation", b"clogits,nothing",
        b"cfc1.pre,fc2", b"mfloat16 flip", b"mint8-channel burst-3", b"mq3.4 random",
        b"mfloat8-e5m2 two-bits", b"mfloat32 stuck-1", b"mbfloat16 zero", b"mint16 stuck-0",
        b'v{"model":{"sha256":"00ff"},"layers":[{"rate":0.5}]}',
        b"g2%", b"g0.05", b"lconv1=1%", b"l0.5",
        b'a{"sites":"all","neurons":"","inputs":3,"search":"bisect","without":[],"prober":"exact",'
        b'"tolerance_bits":10,"per_class":true,"keep_thresholds":false,"audit":0.5}',
        b'a{"sites":"all","neurons":"","inputs":3,"search":"guided","without":["cut","far"],'
        b'"prober":"region","tolerance_bits":10,"per_class":false,"keep_thresholds":false,'
        b'"audit":0,"factors":"none","ranges":"inner"}',
        b'a{"sites":"fc1","neurons":"5%","inputs":1,"search":"guided","without":[],'
        b'"prober":"region","tolerance_bits":23,"per_class":false,"keep_thresholds":true,'
        b'"audit":0,"paper_init":"class"}',
        b'i{"plan":"layer","margin":0.1,"confidence":0.9,"sites":"all","neurons":"3","inputs":0,'
        b'"until_margin":true,"prober":"region"}',
        b'i{"plan":"list","margin":0.1,"confidence":0.9,"prober":"exact"}',
        b'o{"model":"net.onnx","faults":"","data":["--data=npz:x.npz","--scale=1/255"]}',
        b"-data --data=npz:x --scale=1/255 --crop=3x4 --mean=1,2 --std=3 --layout=nhwc --pad=2",
        b"---data=idx:a,b --resize=7 --channels=bgr --label-offset=-1 --split=train"])


def with_constants(path):
    """A node test's model; what its first input does not give is a constant of the test's data."""
    model = onnx.load(path)
    for number, given in enumerate(list(model.graph.input)[1:], 1):
        data = path.parent / "test_data_set_0" / f"input_{number}.pb"
        tensor = onnx.TensorProto()
        try:
            tensor.ParseFromString(data.read_bytes())
        except (OSError, DecodeError):
            continue  # a sequence or an optional
        tensor.name = given.name
        model.graph.initializer.append(tensor)
        model.graph.input.remove(given)
    return model.SerializeToString()


def real():
    for path in sorted(NODE_TESTS.glob("*/model.onnx")):
        yield "onnx", path.parent.name, with_constants(path)
    for path in sorted(DATA.glob("models/*/*.onnx")):
        yield "onnx", path.stem, path.read_bytes()
    for path in DATA.glob("mnist/*"):
        yield "idx", path.name, b"\0\0" + path.read_bytes()[:20000]
    for kind in ("cifar10", "cifar100"):
        for path in DATA.glob(f"{kind}/*.bin"):
            yield kind, path.name, b"\0\0" + path.read_bytes()[:2 * (3073 + (kind == "cifar100"))]


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--small", action="store_true")
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    for target, name, content in [*made(), *([] if given.small else real())]:
        if len(content) > MOST:
            continue
        folder = given.out / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


if __name__ == "__main__":
    main()
