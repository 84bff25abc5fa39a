#!/usr/bin/python3
"""The network of docs/tutorial.md: a small CNN, trained on Fashion-MNIST for a minute at most.

    docs/tutorial.py     writes net.onnx, and clipped.onnx: the same, its activations limited

Needs Debian's python3-torch and dataset-fashion-mnist.
"""
import gzip
from pathlib import Path

import numpy as np
import torch
from torch import nn

DATA = Path("/usr/share/datasets/fashion-mnist")


def load(split):
    with gzip.open(DATA / f"{split}-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(DATA / f"{split}-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return torch.tensor(images / 255, dtype=torch.float32), torch.tensor(labels, dtype=torch.long)


class Activation(nn.Module):
    """A ReLU. What reads its output may limit it to the greatest one that was watched."""

    def __init__(self):
        super().__init__()
        self.largest, self.watching, self.clips = 0.0, False, False

    def forward(self, x):
        x = x.relu()
        if self.watching:
            self.largest = max(self.largest, x.max().item())
        return x.clamp(0, self.largest) if self.clips else x


def network():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2), nn.BatchNorm2d(8), Activation(), nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 5), nn.BatchNorm2d(16), Activation(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(400, 64), Activation(), nn.Linear(64, 10))


def train(net, images, labels):
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for index in torch.randperm(len(images)).split(100):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(images[index]), labels[index]).backward()
        optimizer.step()


def accuracy(net, images, labels):
    with torch.inference_mode():
        return (net(images).argmax(1) == labels).float().mean().item()


def export(net, name):
    torch.onnx.export(net, torch.zeros(1, 1, 28, 28), name, opset_version=13,
                      input_names=["image"], output_names=["logits"],
                      dynamic_axes={"image": {0: "N"}, "logits": {0: "N"}})


def main():
    torch.manual_seed(1)
    images, labels = load("train")
    net = network()
    train(net, images, labels)
    net.eval()
    print(f"accuracy on the test images: {accuracy(net, *load('t10k')):.2%}")
    export(net, "net.onnx")

    # Hardening: no activation is taken for more than the greatest one of 10,000 training images.
    activations = [layer for layer in net if isinstance(layer, Activation)]
    for layer in activations:
        layer.watching = True
    accuracy(net, images[:10000], labels[:10000])
    for layer in activations:
        layer.watching, layer.clips = False, True
    print(f"with limited activations:    {accuracy(net, *load('t10k')):.2%}")
    export(net, "clipped.onnx")


if __name__ == "__main__":
    main()
