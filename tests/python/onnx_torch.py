#!/usr/bin/python3
"""Runs ONNX networks (opsets 7 to 17) in PyTorch: the tests' reference, independent of vigor.

    onnx_torch.py MODEL --data NPZ -o OUT.npz   reads x float32 [N,...], writes logits and classes
    onnx_torch.py --check VIGOR_DATA [-n 1000] [NAME...]
                                                compares the data folder's networks (networks.py)
                                                with their stored outputs and prints accuracies

    tensors = load("net.onnx")(batch)           every tensor of the network by name

Networks whose file fixes the batch to 1 take any batch: a leading 1 to which image data is
reshaped becomes the batch.
"""
import argparse
import os
import sys

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import helper, numpy_helper


def load(path):
    return Model(onnx.load(path))


class Model:
    def __init__(self, model):
        graph = model.graph
        self.opset = next(o.version for o in model.opset_import if o.domain in ("", "ai.onnx"))
        self.weights = {i.name: _tensor(i) for i in graph.initializer}
        image, = (i for i in graph.input if i.name not in self.weights)
        self.input = image.name
        self.input_shape = [d.dim_value for d in image.type.tensor_type.shape.dim]  # 0: free
        self.output = graph.output[0].name
        self.nodes = [(n, _attributes(n, self.opset)) for n in graph.node]
        self.logits = self.output  # what goes into a final softmax or argmax
        maker = {name: n for n in graph.node for name in n.output}
        while maker[self.logits].op_type in ("Softmax", "LogSoftmax", "ArgMax"):
            self.logits = maker[self.logits].input[0]

    def __call__(self, batch, keep=None):
        """The tensors named in `keep`, by default all but weights. `batch` is [N,...]."""
        batch = torch.as_tensor(batch)
        size = len(batch)
        values = {self.input: batch.reshape([size, *self.input_shape[1:]])}
        from_image = {self.input}
        last_use = {name: i for i, (node, _) in enumerate(self.nodes) for name in node.input}
        with torch.inference_mode():
            for i, (node, attributes) in enumerate(self.nodes):
                inputs = [values.get(name, self.weights.get(name)) for name in node.input]
                if from_image & set(node.input) and node.op_type != "Shape":
                    from_image |= set(node.output)
                if (node.op_type == "Reshape" and node.input[0] in from_image
                        and self.input_shape[0] == 1 and inputs[1][0] == 1):
                    inputs[1] = torch.cat([torch.tensor([size]), inputs[1][1:]])
                values[node.output[0]] = OPS[node.op_type](attributes, *inputs)
                if keep is not None:
                    for name in node.input:
                        if last_use[name] == i and name not in keep:
                            values.pop(name, None)
        return values if keep is None else {name: values[name] for name in keep}

    def run(self, x, names, batch=100):
        """The tensors named, as numpy arrays of the whole of `x`, computed in batches."""
        parts = [self(x[i:i + batch], names) for i in range(0, len(x), batch)]
        return [np.concatenate([part[name].numpy() for part in parts]) for name in names]


def _tensor(proto):
    return torch.from_numpy(numpy_helper.to_array(proto).copy())


def _attributes(node, opset):
    values = {"opset": opset}
    for attribute in node.attribute:
        value = helper.get_attribute_value(attribute)
        values[attribute.name] = (value.decode() if isinstance(value, bytes) else
                                  _tensor(value) if isinstance(value, onnx.TensorProto) else value)
    return values


# Operators: f(attributes, *inputs) -> first output. Values that moved from attributes to inputs
# with the opset are looked up in both.

def _list(a, name, value):
    return a.get(name) if value is None else value.tolist()


def _pads(a, x, kernel):
    """Padding of the spatial dimensions as ONNX has it, [begin..., end...]."""
    mode = a.get("auto_pad", "NOTSET")
    if mode == "NOTSET":
        return list(a.get("pads", [0] * 2 * len(kernel)))
    if mode == "VALID":
        return [0] * 2 * len(kernel)
    strides, dilations = _spatial(a, "strides", kernel), _spatial(a, "dilations", kernel)
    total = [max((-(-size // s) - 1) * s + (k - 1) * d + 1 - size, 0)
             for size, k, s, d in zip(x.shape[2:], kernel, strides, dilations)]
    small, large = [t // 2 for t in total], [t - t // 2 for t in total]
    return small + large if mode == "SAME_UPPER" else large + small


def _spatial(a, name, kernel):
    return list(a.get(name, [1] * len(kernel)))


def _pad(x, pads, mode="constant", value=0.0):
    """Pads the last len(pads) / 2 dimensions; `pads` in ONNX order."""
    half = len(pads) // 2
    pairs = [p for i in reversed(range(half)) for p in (pads[i], pads[half + i])]
    if mode == "constant":
        return F.pad(x, pairs, value=value)
    return F.pad(x, pairs[:2 * (x.dim() - 2)], mode)  # PyTorch takes spatial dimensions only


def _symmetric(x, pads, kernel, value):
    """x and what is left to pad; PyTorch pads both sides alike, pools by half a kernel at most."""
    half = len(pads) // 2
    if pads[:half] == pads[half:] and all(2 * p <= k for p, k in zip(pads, kernel)):
        return x, pads[:half]
    return _pad(x, pads, value=value), [0] * half


def conv(a, x, w, b=None):
    kernel = w.shape[2:]
    x, padding = _symmetric(x, _pads(a, x, kernel), kernel, 0.0)
    function = (F.conv1d, F.conv2d, F.conv3d)[len(kernel) - 1]
    return function(x, w, b, _spatial(a, "strides", kernel), padding,
                    _spatial(a, "dilations", kernel), a.get("group", 1))


def max_pool(a, x):
    kernel = a["kernel_shape"]
    x, padding = _symmetric(x, _pads(a, x, kernel), kernel, -torch.inf)
    function = (F.max_pool1d, F.max_pool2d, F.max_pool3d)[len(kernel) - 1]
    return function(x, kernel, _spatial(a, "strides", kernel), padding,
                    _spatial(a, "dilations", kernel), bool(a.get("ceil_mode", 0)))


def average_pool(a, x):
    kernel, include = a["kernel_shape"], bool(a.get("count_include_pad", 0))
    function = (F.avg_pool1d, F.avg_pool2d, F.avg_pool3d)[len(kernel) - 1]
    pads, inside = _pads(a, x, kernel), torch.ones_like(x)
    x, padding = _symmetric(x, pads, kernel, 0.0)
    pool = lambda t: function(t, kernel, _spatial(a, "strides", kernel), padding,
                              bool(a.get("ceil_mode", 0)), include)
    if include or x.shape == inside.shape:
        return pool(x)
    return pool(x) / pool(_pad(inside, pads))


def batch_norm(a, x, scale, bias, mean, var):
    return F.batch_norm(x, mean, var, scale, bias, eps=a.get("epsilon", 1e-5))


def gemm(a, x, w, c=None):
    y = a.get("alpha", 1.0) * ((x.T if a.get("transA") else x) @ (w.T if a.get("transB") else w))
    return y if c is None else y + a.get("beta", 1.0) * c


def clip(a, x, low=None, high=None):
    low = a.get("min") if low is None else low.item()
    high = a.get("max") if high is None else high.item()
    return x if low is None and high is None else torch.clamp(x, low, high)


def softmax(a, x, function=F.softmax):
    if a["opset"] >= 13:
        return function(x, a.get("axis", -1))
    return function(flatten(a, x), 1).reshape(x.shape)


def flatten(a, x):
    return x.reshape(int(np.prod(x.shape[:a.get("axis", 1)])), -1)


def reshape(a, x, shape):
    return x.reshape([x.shape[i] if size == 0 and not a.get("allowzero") else size
                      for i, size in enumerate(shape.tolist())])


def slice_(a, x, starts=None, ends=None, axes=None, steps=None):
    starts, ends = _list(a, "starts", starts), _list(a, "ends", ends)
    axes = _list(a, "axes", axes) or list(range(len(starts)))
    steps = _list(a, "steps", steps) or [1] * len(starts)
    for start, end, axis, step in zip(starts, ends, axes, steps):
        indices = range(x.shape[axis])[start:end:step]
        x = x.index_select(axis, torch.tensor(indices, dtype=torch.int64))
    return x


def pad(a, x, pads=None, value=None):
    value = a.get("value", 0.0) if value is None else value.item()
    return _pad(x, _list(a, "pads", pads), a.get("mode", "constant").replace("edge", "replicate"),
                value)


def unsqueeze(a, x, axes=None):
    axes = _list(a, "axes", axes)
    for axis in sorted(axis % (x.dim() + len(axes)) for axis in axes):
        x = x.unsqueeze(axis)
    return x


def squeeze(a, x, axes=None):
    axes = _list(a, "axes", axes) or [i for i, size in enumerate(x.shape) if size == 1]
    return x.reshape([size for i, size in enumerate(x.shape)
                      if i not in [axis % x.dim() for axis in axes]])


def constant(a):
    return next(value if torch.is_tensor(value) else torch.tensor(value)
                for name, value in a.items() if name.startswith("value"))


def gather(a, x, indices):
    axis = a.get("axis", 0) % x.dim()
    picked = x.index_select(axis, indices.reshape(-1) % x.shape[axis])
    return picked.reshape(x.shape[:axis] + indices.shape + x.shape[axis + 1:])


def div(a, x, y):
    return torch.div(x, y, rounding_mode=None if x.is_floating_point() else "trunc")


def argmax(a, x):
    return torch.argmax(x, a.get("axis", 0), bool(a.get("keepdims", 1)))


OPS = {
    "Add": lambda a, x, y: x + y,
    "ArgMax": argmax,
    "AveragePool": average_pool,
    "BatchNormalization": batch_norm,
    "Clip": clip,
    "Concat": lambda a, *xs: torch.cat(xs, a["axis"]),
    "Constant": constant,
    "Conv": conv,
    "Div": div,
    "Dropout": lambda a, x, *_: x,
    "Flatten": flatten,
    "Gather": gather,
    "Gemm": gemm,
    "GlobalAveragePool": lambda a, x: x.mean(list(range(2, x.dim())), keepdim=True),
    "Identity": lambda a, x: x,
    "LogSoftmax": lambda a, x: softmax(a, x, F.log_softmax),
    "MatMul": lambda a, x, y: x @ y,
    "MaxPool": max_pool,
    "Mul": lambda a, x, y: x * y,
    "Pad": pad,
    "Relu": lambda a, x: F.relu(x),
    "Reshape": reshape,
    "Shape": lambda a, x: torch.tensor(x.shape)[a.get("start", 0):a.get("end")],
    "Sigmoid": lambda a, x: torch.sigmoid(x),
    "Slice": slice_,
    "Softmax": softmax,
    "Squeeze": squeeze,
    "Sub": lambda a, x, y: x - y,
    "Transpose": lambda a, x: x.permute(a.get("perm", list(reversed(range(x.dim()))))),
    "Unsqueeze": unsqueeze,
}


def check(names, count):
    """True when all networks reproduce their stored outputs."""
    from networks import NETWORKS  # after VIGOR_DATA is set

    good = True
    for name in names or NETWORKS:
        network = NETWORKS[name]
        model = load(network.path)
        images, labels = network.raw()
        (logits,) = model.run(network.preprocess(images[:count]), [model.logits])
        labels = labels[:len(logits)]
        accuracy = 100 * (logits.argmax(1) == labels).mean()
        note = "no stored outputs"
        stored = network.stored()
        if stored is not None:
            (outputs,) = model.run(stored[0], [model.output])
            error = np.abs(outputs - stored[1]).max() / np.abs(stored[1]).max()
            note = f"stored outputs within {error:.1e} of the largest"
            good &= bool(error < 1e-5)
        print(f"{name:30} {accuracy:6.2f} % of {len(labels)}, all: {network.accuracy} %; {note}",
              flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", nargs="*", help="an ONNX file; with --check names of networks")
    parser.add_argument("--data", help="npz file with x, float32 [N,...]")
    parser.add_argument("-o", "--output", help="npz file to write")
    parser.add_argument("--check", metavar="VIGOR_DATA", help="folder of data and networks")
    parser.add_argument("-n", type=int, default=1000, help="test images for the accuracy")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.check:
        os.environ["VIGOR_DATA"] = options.check
        sys.exit(0 if check(options.model, options.n) else 1)
    if len(options.model) != 1 or not options.data or not options.output:
        parser.error("give one MODEL, --data and -o")
    model = load(options.model[0])
    (logits,) = model.run(np.load(options.data)["x"], [model.logits])
    np.savez(options.output, logits=logits, classes=logits.argmax(1))


if __name__ == "__main__":
    main()
