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
# Of the largest logit, or slope, of the fault. (1 - y of a sigmoid near 1 loses digits in float32.)
TOLERANCE = 1e-3


def faulty_logits(model, golden, tensor, element, value, sample):
    """Logits with `value` (a scalar with gradient) at an element of a tensor, for one input."""
    row = golden[tensor][sample:sample + 1].clone().reshape(-1)
    row = torch.cat([row[:element], value.reshape(1), row[element + 1:]])
    values = {tensor: row.reshape(golden[tensor][sample:sample + 1].shape)}
    for node, attributes in model.nodes:
        if not set(node.input) & set(values):
            continue
        inputs = [values[n] if n in values else model.weights[n] if n in model.weights
                  else golden[n][sample:sample + 1] if n else None for n in node.input]
        values[node.output[0]] = OPS[node.op_type](attributes, *inputs)
    return values[model.logits].reshape(-1)


def compare(program, name):
    network = NETWORKS[name]
    model = load(network.path)
    images = network.preprocess(network.raw()[0][:INPUTS])
    golden = {k: v.clone() for k, v in model(images).items()}
    with tempfile.NamedTemporaryFile("r") as file:
        subprocess.run([program, network.path, file.name, "--inputs", str(INPUTS), "--neurons",
                        str(NEURONS), *network.options()], check=True)
        rows = [line.split() for line in file]
    worst, nonzero, compared = [0.0, 0.0], 0, 0
    for tensor, element, sample, value, *numbers in rows:
        if tensor not in golden:
            continue  # folded into another by vigor
        x = torch.tensor(float(value), requires_grad=True)
        logits = faulty_logits(model, golden, tensor, int(element), x, int(sample))
        slopes = [torch.autograd.grad(e, x, retain_graph=True)[0].item() for e in logits]
        ours = np.array(numbers, float).reshape(2, -1)
        for i, theirs in enumerate((logits.detach().numpy(), np.array(slopes))):
            scale = max(np.abs(theirs).max(), 1e-3)
            worst[i] = max(worst[i], np.abs(ours[i] - theirs).max() / scale)
        nonzero += np.any(ours[1] != 0)
        compared += 1
    good = compared > 20 and nonzero > compared / 4 and max(worst) <= TOLERANCE
    print(f"{name:30} {'ok' if good else 'WRONG'}: {compared} faults, {nonzero} with slopes, logits "
          f"within {worst[0]:.1e}, slopes within {worst[1]:.1e}", flush=True)
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
