#!/usr/bin/python3
"""Compares the slopes of vigor's prober with PyTorch's autograd on networks of networks.py.

    test_slopes.py --program build/release/tests/fault_slopes [NAME...]
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch

from networks import DATA, FASHION_MNIST, NETWORKS
from onnx_torch import OPS, load

NAMES = ["lenet5_fashion_mnist", "mlp5_sigmoid_mnist_gemm"]
INPUTS, NEURONS = 3, 4
# Errors are shares of a tensor's largest logit, or slope, by autograd in double precision. (Of single
# faults nothing is left behind a sigmoid near 1, in PyTorch's float32 either.) Ours may be as many
# times PyTorch's own in float32, and this much more.
TIMES, MORE = 4, 1e-6


def logits_and_slopes(model, golden, tensor, element, value, sample, dtype):
    """Logits, and their derivatives by the value at an element of a tensor, for one input."""
    def cast(array):
        return array.to(dtype) if array.is_floating_point() else array

    x = torch.tensor(value, dtype=dtype, requires_grad=True)
    row = cast(golden[tensor][sample:sample + 1])
    flat = row.reshape(-1)
    flat = torch.cat([flat[:element], x.reshape(1), flat[element + 1:]])
    values = {tensor: flat.reshape(row.shape)}
    for node, attributes in model.nodes:
        if not set(node.input) & set(values):
            continue
        inputs = [values[n] if n in values else cast(model.weights[n]) if n in model.weights
                  else cast(golden[n][sample:sample + 1]) if n else None for n in node.input]
        values[node.output[0]] = OPS[node.op_type](attributes, *inputs)
    logits = values[model.logits].reshape(-1)
    slopes = [torch.autograd.grad(e, x, retain_graph=True)[0].item() for e in logits]
    return np.array([logits.detach().numpy(), slopes], float)


def compare(program, name):
    network = NETWORKS[name]
    model = load(network.path)
    images = network.preprocess(network.raw()[0][:INPUTS])
    golden = {k: v.clone() for k, v in model(images).items()}
    with tempfile.NamedTemporaryFile("r") as file:
        subprocess.run([program, network.path, file.name, "--inputs", str(INPUTS), "--neurons",
                        str(NEURONS), *network.options()], check=True)
        rows = [line.split() for line in file]
    found, truth, single, tensors = [], [], [], []
    for tensor, element, sample, value, *numbers in rows:
        if tensor not in golden:
            continue  # folded into another by vigor
        fault = (model, golden, tensor, int(element), float(value), int(sample))
        found.append(np.array(numbers, float).reshape(2, -1))
        truth.append(logits_and_slopes(*fault, torch.float64))
        single.append(logits_and_slopes(*fault, torch.float32))
        tensors.append(tensor)
    found, truth, single, tensors = map(np.array, (found, truth, single, tensors))
    ours, theirs = np.zeros(2), np.zeros(2)
    for tensor in set(tensors):
        of = tensors == tensor
        scale = np.abs(truth[of]).max(axis=(0, 2))
        ours = np.maximum(ours, np.abs(found - truth)[of].max(axis=(0, 2)) / scale)
        theirs = np.maximum(theirs, np.abs(single - truth)[of].max(axis=(0, 2)) / scale)
    compared, nonzero = len(found), np.any(found[:, 1] != 0, axis=1).sum()
    good = compared > 20 and nonzero > compared / 4 and np.all(ours <= TIMES * theirs + MORE)
    print(f"{name:30} {'ok' if good else 'WRONG'}: {compared} faults, {nonzero} with slopes; logits "
          f"within {ours[0]:.1e} (PyTorch in float32: {theirs[0]:.1e}), slopes within "
          f"{ours[1]:.1e} ({theirs[1]:.1e})", flush=True)
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=NAMES)
    parser.add_argument("--program", required=True, help="the built fault_slopes")
    options = parser.parse_args()
    there = [n for n in options.names
             if NETWORKS[n].path.exists() and (DATA.exists() or not NETWORKS[n].folder)
             and (FASHION_MNIST.exists() or NETWORKS[n].folder)]
    for name in set(options.names) - set(there):
        print(f"{name:30} skipped: not there (see VIGOR_DATA in networks.py)")
    if not there:
        sys.exit(77)
    sys.exit(0 if all([compare(options.program, name) for name in there]) else 1)


if __name__ == "__main__":
    main()
