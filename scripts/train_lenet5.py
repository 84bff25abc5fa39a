#!/usr/bin/python3
"""Trains models/lenet5_fashion_mnist.onnx: a LeNet-5 (3 conv, 2 max-pool, 2 FC; ReLU).

    scripts/train_lenet5.py [--epochs 12] [-o models/lenet5_fashion_mnist.onnx]

Needs Debian's python3-torch, python3-onnx and dataset-fashion-mnist. Preprocessing is x/255.
Reaches 90.71 % on the 10,000 test images in about three minutes on one thread. Same machine and
library versions: same file, byte for byte; otherwise rounding may differ.
"""
import argparse
import gzip
import pathlib

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import TensorProto, helper, numpy_helper

DATA = pathlib.Path("/usr/share/datasets/fashion-mnist")
MODELS = pathlib.Path(__file__).resolve().parent.parent / "models"


def load_split(prefix):
    """Images float32 [N,1,28,28] in 0..1 and labels int64 [N]."""
    with gzip.open(DATA / f"{prefix}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(DATA / f"{prefix}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.from_numpy(images.astype(np.float32) / 255), torch.from_numpy(labels.astype(int))


class LeNet5(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 6, 5, padding=2)
        self.conv2 = torch.nn.Conv2d(6, 16, 5)
        self.conv3 = torch.nn.Conv2d(16, 120, 5)
        self.fc1 = torch.nn.Linear(120, 84)
        self.fc2 = torch.nn.Linear(84, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.conv3(x)).flatten(1)
        return self.fc2(F.relu(self.fc1(x)))


def train(net, images, labels, epochs, batch=128):
    optimizer = torch.optim.Adam(net.parameters())
    steps = epochs * -(-len(images) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=4e-3, total_steps=steps)
    for epoch in range(epochs):
        total = 0.0
        for index in torch.randperm(len(images)).split(batch):
            loss = F.cross_entropy(net(images[index]), labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(index)
        print(f"epoch {epoch + 1:2}: loss {total / len(images):.4f}", flush=True)


def accuracy(net, images, labels):
    """In percent."""
    with torch.inference_mode():
        hits = sum((net(x).argmax(1) == y).sum().item()
                   for x, y in zip(images.split(1000), labels.split(1000)))
    return 100 * hits / len(labels)


def to_onnx(net):
    """The network as an ONNX model, written by hand so that names and order are ours."""
    nodes = []

    def node(op, name, source, output=None, parameters=False, **attributes):
        inputs = [source] + [f"{name}.weight", f"{name}.bias"] * parameters
        nodes.append(helper.make_node(op, inputs, [output or name], name=name, **attributes))
        return output or name

    x = "image"
    for i, padding in (1, 2), (2, 0), (3, 0):
        x = node("Conv", f"conv{i}", x, parameters=True, kernel_shape=[5, 5], strides=[1, 1],
                 pads=[padding] * 4, dilations=[1, 1], group=1)
        x = node("Relu", f"relu{i}", x)
        if i < 3:
            x = node("MaxPool", f"pool{i}", x, kernel_shape=[2, 2], strides=[2, 2])
    x = node("Flatten", "flatten", x, axis=1)
    x = node("Gemm", "fc1", x, parameters=True, transB=1)
    x = node("Relu", "relu4", x)
    node("Gemm", "fc2", x, output="logits", parameters=True, transB=1)

    parameters = [numpy_helper.from_array(value.detach().numpy(), name)
                  for name, value in net.named_parameters()]
    graph = helper.make_graph(
        nodes, "lenet5_fashion_mnist",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 1, 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])], parameters)
    model = helper.make_model(graph, producer_name="vigor scripts/train_lenet5.py",
                              ir_version=7, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("-o", "--output", default=MODELS / "lenet5_fashion_mnist.onnx")
    options = parser.parse_args()

    torch.manual_seed(1)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    net = LeNet5()
    train(net, *load_split("train"), options.epochs)
    print(f"test accuracy: {accuracy(net, *load_split('t10k')):.2f} %")
    onnx.save(to_onnx(net), options.output)


if __name__ == "__main__":
    main()
