#!/usr/bin/python3
"""The trained networks that tests and benchmarks use, and how each takes its data.

The networks and data sets lie in the folder VIGOR_DATA (default: ../shared/data beside the
repository). Only lenet5_fashion_mnist is the repository's own.

    networks.py [NAME...]     prints for each network its file and vigor's options
"""
import dataclasses
import gzip
import os
import pathlib
import shlex
import sys
from fractions import Fraction

import numpy as np
import torch

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DATA = pathlib.Path(os.environ.get("VIGOR_DATA", REPOSITORY.parent / "shared" / "data"))
FASHION_MNIST = pathlib.Path("/usr/share/datasets/fashion-mnist")


@dataclasses.dataclass(frozen=True)
class Network:
    """Steps in order: crop, resize, pad, channels, (x * scale - mean) / std, layout."""
    folder: str  # under DATA/models; empty: the repository's models/
    name: str
    data: str  # key of DATA_FILES
    accuracy: float  # in % on all test images; imagenet: on 1000 photographs, of which 100 here
    crop: tuple = None
    resize: tuple = None
    pad: int = 0
    channels: str = "rgb"
    scale: str = "1"
    mean: tuple = ()
    std: tuple = ()
    layout: str = "nchw"
    label_offset: int = 0
    stored_whole_pixels: bool = False  # the stored outputs' resize rounded to whole pixels

    @property
    def path(self):
        parent = DATA / "models" / self.folder if self.folder else REPOSITORY / "models"
        return parent / f"{self.name}.onnx"

    def options(self):
        """vigor's command-line options for data and preprocessing, as a list."""
        numbers = lambda values: ",".join(map(str, values))
        size = lambda sides: sides and f"{sides[0]}x{sides[1]}"
        values = {"data": DATA_FILES[self.data][0], "crop": size(self.crop),
                  "resize": size(self.resize), "pad": self.pad, "channels": self.channels,
                  "scale": self.scale, "mean": numbers(self.mean), "std": numbers(self.std),
                  "layout": self.layout, "label-offset": self.label_offset}
        usual = {"channels": "rgb", "scale": "1", "layout": "nchw"}
        return [word for key, value in values.items() if value and value != usual.get(key)
                for word in (f"--{key}", str(value))]

    def stored(self):
        """Input of the first 16 test images and the stored outputs [16,M] for it, or None."""
        path = DATA / "models" / "expected" / f"{self.name}.f32"
        if not path.exists():
            return None
        x = self.preprocess(self.raw()[0][:16], self.stored_whole_pixels)
        return x, np.fromfile(path, "<f4").reshape(16, -1)

    def raw(self):
        """The test set: uint8 [N,C,H,W] in RGB and int64 labels with the offset added."""
        x, y = DATA_FILES[self.data][1]()
        return x, y.astype(np.int64) + self.label_offset

    def preprocess(self, images, whole_pixels=False):
        """float32 tensor [N,...] of the network's input from images as raw() gives them."""
        x = torch.from_numpy(images.astype(np.float32))
        if self.crop:
            top, left = ((x.shape[2 + i] - self.crop[i]) // 2 for i in (0, 1))
            x = x[:, :, top:top + self.crop[0], left:left + self.crop[1]]
        if self.resize:
            x = torch.nn.functional.interpolate(x, self.resize, mode="bilinear")
        x = torch.nn.functional.pad(x.round() if whole_pixels else x, [self.pad] * 4)
        if self.channels == "bgr":
            x = x.flip(1)
        scale = Fraction(self.scale)
        x = x * scale.numerator / scale.denominator
        if self.mean:
            x = x - torch.tensor(self.mean).view(-1, 1, 1)
        if self.std:
            x = x / torch.tensor(self.std).view(-1, 1, 1)
        return x.permute(0, 2, 3, 1) if self.layout == "nhwc" else x


def _idx(images, labels):
    opener = gzip.open if images.suffix == ".gz" else open
    with opener(images, "rb") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with opener(labels, "rb") as file:
        return x, np.frombuffer(file.read(), np.uint8, offset=8)


def _cifar(path, label_bytes):
    rows = np.fromfile(path, np.uint8).reshape(-1, label_bytes + 3072)
    return rows[:, label_bytes:].reshape(-1, 3, 32, 32), rows[:, label_bytes - 1]


def _npz(path):
    with np.load(path) as file:
        return file["x"].transpose(0, 3, 1, 2), file["y"]


# vigor's --data and a reader of the same images.
DATA_FILES = {
    "fashion-mnist": ("fashion-mnist", lambda: _idx(
        FASHION_MNIST / "t10k-images-idx3-ubyte.gz", FASHION_MNIST / "t10k-labels-idx1-ubyte.gz")),
    "mnist": (f"mnist:{DATA}/mnist", lambda: _idx(
        DATA / "mnist/t10k-images-idx3-ubyte", DATA / "mnist/t10k-labels-idx1-ubyte")),
    "cifar10": (f"cifar10:{DATA}/cifar10/test_batch.bin",
                lambda: _cifar(DATA / "cifar10/test_batch.bin", 1)),
    "cifar100": (f"cifar100:{DATA}/cifar100/test.bin",
                 lambda: _cifar(DATA / "cifar100/test.bin", 2)),
    "imagenet": (f"npz:{DATA}/imagenet-sample/images.npz",
                 lambda: _npz(DATA / "imagenet-sample/images.npz")),
}

UNIT = {"scale": "1/255"}
HALF = {"scale": "1/255", "mean": (0.5,), "std": (0.5,)}
QUARTER = {"scale": "1/255", "mean": (0.5,), "std": (0.25,)}

NETWORKS = {network.name: network for network in [
    Network("", "lenet5_fashion_mnist", "fashion-mnist", 90.71, **UNIT),
    Network("mnist", "colt_mnist_0.1", "mnist", 99.16, scale="1/255", mean=(0.1307,),
            std=(0.3081,)),
    Network("mnist", "conv_maxpool_mnist", "mnist", 98.64, **HALF),
    Network("mnist", "lenet5_mnist_jinsoo", "mnist", 98.74, resize=(32, 32),
            stored_whole_pixels=True, **UNIT),
    Network("mnist", "mlp5_sigmoid_mnist_gemm", "mnist", 94.74),
    Network("mnist", "mlp_relu_mnist_256x4", "mnist", 97.64, **UNIT),
    Network("mnist", "mlp_relu_mnist_5_100", "mnist", 97.77, **UNIT),
    Network("mnist", "mnist-8_cntk", "mnist", 98.91),
    Network("cifar10", "alexnet_cifar10", "cifar10", 76.96, **QUARTER),
    Network("cifar10", "lenet5_cifar10_tensorfi2", "cifar10", 63.41, **UNIT),
    Network("cifar10", "resnet20_cifar10_bn", "cifar10", 91.73, scale="1/255",
            mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)),
    Network("cifar10", "resnet8_cifar10", "cifar10", 87.19),
    Network("cifar100", "resnet32_cifar100", "cifar100", 69.51, scale="1/255",
            mean=(0.5071, 0.4867, 0.4408), std=(0.2675, 0.2565, 0.2761)),
    Network("cifar100", "vgg16_cifar100", "cifar100", 59.02, **QUARTER),
    Network("imagenet", "mobilenet_v2_1.0_224_imagenet", "imagenet", 88.9, crop=(224, 224),
            mean=(127.5,), std=(127.5,), label_offset=1),
    Network("imagenet", "squeezenet1.0_imagenet", "imagenet", 61.8, crop=(227, 227),
            channels="bgr", mean=(104, 117, 123)),
]}


if __name__ == "__main__":
    for name in sys.argv[1:] or NETWORKS:
        print(shlex.join([str(NETWORKS[name].path), *NETWORKS[name].options()]))
