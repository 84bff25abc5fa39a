#!/usr/bin/python3
"""The suffix-only fault-injection loop in PyTorch: what vigor is compared with.

    bench/suffix_loop.py [NETWORK] [--tuned] [--seconds 10] [--batch 256] [--image 0]

NETWORK is a sequential network of tests/python/networks.py, by default lenet5_fashion_mnist; the
others lie in the folder VIGOR_DATA. The loop flips one random bit of one random neuron of one image
and computes only the layers after it, on one thread, 256 faults of one layer at a time. A site is a
layer's output after its activation and before pooling. Faults are uniform over all neurons and
bits: batches are dealt out to the sites in proportion to their neurons.

Without --tuned the layers are PyTorch's usual functions. With it they are the fastest PyTorch that
we found with Debian's build: pooling as maxima of slices, matrix products as 1x1 convolutions, which
oneDNN computes and not the reference BLAS. Results agree to rounding; quote both.
"""
import argparse
import pathlib
import sys
import time

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "python"))
from networks import NETWORKS  # noqa: E402
from onnx_torch import OPS, load  # noqa: E402

ACTIVATIONS = {"Relu", "Sigmoid", "Clip"}
PARAMETRIC = {"Conv", "Gemm", "MatMul", "BatchNormalization", "Add"}
JOINED = {"BatchNormalization", "Add"} | ACTIVATIONS  # belong to the layer before them


def linear(weight, bias):
    """F.linear on [N,C] as a 1x1 convolution."""
    weight = weight.reshape(len(weight), -1, 1, 1)
    return lambda x: F.conv2d(x.reshape(len(x), -1, 1, 1), weight, bias).flatten(1)


def max_pool(kernel, stride):
    """Unpadded max-pooling by halves: rows, then columns."""
    def along(x, dim, size, step):
        count = (x.shape[dim] - size) // step + 1
        ahead = [slice(None)] * dim
        parts = [x[(*ahead, slice(i, i + (count - 1) * step + 1, step))] for i in range(size)]
        result = parts[0]
        for part in parts[1:]:
            result = torch.maximum(result, part)
        return result

    return lambda x: along(along(x, 2, kernel[0], stride[0]), 3, kernel[1], stride[1])


def make_step(node, attributes, inputs, output, tuned):
    """f(batch) -> batch for one node; `inputs` and `output` are its tensors for one image."""
    op, parameters = node.op_type, inputs[1:]
    if op in ("Flatten", "Reshape", "Squeeze", "Unsqueeze"):
        shape = output.shape[1:]
        return lambda x: x.reshape(len(x), *shape)
    if op in ("Dropout", "Identity"):
        return lambda x: x
    if op == "Relu":
        return F.relu
    if op == "Gemm" and not attributes.get("transA") and len(parameters) == 2:
        weight, bias = parameters
        weight = attributes.get("alpha", 1.0) * (weight if attributes.get("transB") else weight.T)
        bias = attributes.get("beta", 1.0) * bias
        return linear(weight, bias) if tuned else lambda x: F.linear(x, weight, bias)
    pads = any(attributes.get("pads", [])) or attributes.get("auto_pad", "NOTSET") != "NOTSET"
    if tuned and not pads:
        if op == "MaxPool" and not attributes.get("ceil_mode") and "dilations" not in attributes:
            return max_pool(attributes["kernel_shape"], attributes["strides"])
        if op == "Conv" and inputs[0].shape[1:] == parameters[0].shape[1:]:  # one position only
            convolve = linear(parameters[0], *parameters[1:])
            return lambda x: convolve(x)[:, :, None, None]
    return lambda x: OPS[op](attributes, x, *parameters)


def unroll(model, image, tuned):
    """The chain from image to logits: [(op, its output for the image, step)]."""
    golden = model(image)
    values = {**model.weights, **golden}
    chain, name = [], model.input
    while name != model.logits:
        users = [(n, a) for n, a in model.nodes if name in n.input and n.op_type != "Shape"]
        if len(users) != 1:
            sys.exit(f"{name} has {len(users)} users; only sequential networks can run")
        node, attributes = users[0]
        inputs = [values[i] for i in sorted(node.input, key=lambda i: i != name)]
        name = node.output[0]
        chain.append((node.op_type, golden[name],
                      make_step(node, attributes, inputs, golden[name], tuned)))
    return chain


class Site:
    """Faults in one layer's output: a batch of golden copies and the layers after it."""

    def __init__(self, golden, suffix, batch):
        self.neurons = golden.numel()
        self.suffix = suffix
        self.buffer = golden.repeat(batch, *[1] * (golden.dim() - 1))
        self.bits = self.buffer.view(torch.int32).view(-1)
        self.rows = torch.arange(batch) * self.neurons
        self.masks = torch.ones(32, dtype=torch.int32) << torch.arange(32, dtype=torch.int32)
        self.batches = 0

    def inject(self):
        """The classes of one batch of random faults; a NaN counts as the largest logit."""
        batch = len(self.rows)
        index = self.rows + torch.randint(self.neurons, (batch,))
        golden = self.bits[index]
        self.bits[index] = golden ^ self.masks[torch.randint(32, (batch,))]
        x = self.buffer
        for step in self.suffix:
            x = step(x)
        classes = x.argmax(1)
        self.bits[index] = golden  # cheaper than a fresh copy
        self.batches += 1
        return classes


def make_sites(chain, batch):
    sites = []
    for i, (op, golden, _) in enumerate(chain):
        following = chain[i + 1][0] if i + 1 < len(chain) else None
        if op in ACTIVATIONS or (op in PARAMETRIC and following not in JOINED):
            sites.append(Site(golden, [step for _, _, step in chain[i + 1:]], batch))
    return sites


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("network", nargs="?", default="lenet5_fashion_mnist", choices=NETWORKS,
                        metavar="NETWORK")
    parser.add_argument("--tuned", action="store_true", help="work around slow PyTorch functions")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--image", type=int, default=0, help="index in the test set")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)

    network = NETWORKS[options.network]
    image = network.preprocess(network.raw()[0][options.image:options.image + 1])
    with torch.inference_mode():
        chain = unroll(load(network.path), image, options.tuned)
        golden_class = chain[-1][1].argmax(1)
        sites = make_sites(chain, options.batch)
        neurons = sum(site.neurons for site in sites)
        for site in sites:  # warm-up
            site.inject()
            site.batches = 0

        batches = changed = 0
        start = time.perf_counter()
        while (elapsed := time.perf_counter() - start) < options.seconds:
            # The site that lags most behind its share goes next.
            site = max(sites, key=lambda s: s.neurons / neurons * (batches + 1) - s.batches)
            changed += (site.inject() != golden_class).sum().item()
            batches += 1

    faults = batches * options.batch
    print(f"{options.network}{' (tuned)' if options.tuned else ''}: {neurons} neurons at "
          f"{len(sites)} sites, {faults} faults in {elapsed:.1f} s, "
          f"{faults / elapsed:.0f} faults/s, {100 * changed / faults:.2f} % change the class")


if __name__ == "__main__":
    main()
