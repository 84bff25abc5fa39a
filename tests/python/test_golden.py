#!/usr/bin/python3
"""Compares vigor's fault-free logits and classes with PyTorch's on the networks of networks.py.

    test_golden.py --program build/release/tests/golden_logits [--full] [--write FILE] [NAME...]

LeNet-5 needs Debian's dataset-fashion-mnist alone, the others the folder VIGOR_DATA. Large networks
run 200 images, with --full all. Exits with 77 where there is nothing to compare with.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SKIP = 77
TOLERANCE = 1e-4  # of the image's largest logit
LARGE = {"vgg16_cifar100", "alexnet_cifar10", "resnet32_cifar100", "resnet20_cifar10_bn",
         "mobilenet_v2_1.0_224_imagenet", "squeezenet1.0_imagenet"}
LARGE_IMAGES = 200

KINDS = {  # kind, source
    "lenet5_fashion_mnist": ("LeNet-5", "this repository"),
    "colt_mnist_0.1": ("convolutional", "eth-sri/colt"),
    "conv_maxpool_mnist": ("convolutional, max-pool", "dlshriver/dnnv-benchmarks"),
    "lenet5_mnist_jinsoo": ("LeNet-5", "jinsoo9595/LeNet_5-pytorch"),
    "mlp5_sigmoid_mnist_gemm": ("MLP, sigmoid", "verivital/vnn-comp"),
    "mlp_relu_mnist_256x4": ("MLP, ReLU", "stanleybak/vnncomp2021"),
    "mlp_relu_mnist_5_100": ("MLP, ReLU", "dlshriver/dnnv-benchmarks"),
    "mnist-8_cntk": ("convolutional", "microsoft/onnxruntime-inference-examples"),
    "alexnet_cifar10": ("AlexNet", "trained for this project"),
    "lenet5_cifar10_tensorfi2": ("LeNet-5", "DependableSystemsLab/TensorFI2"),
    "resnet20_cifar10_bn": ("ResNet-20", "akamaster/pytorch_resnet_cifar10"),
    "resnet8_cifar10": ("ResNet-8", "mlcommons/tiny"),
    "resnet32_cifar100": ("ResNet-32", "snu-ccl/FHE-MP-CNN"),
    "vgg16_cifar100": ("VGG-16", "trained for this project"),
    "mobilenet_v2_1.0_224_imagenet": ("MobileNet v2", "google-coral/test_data"),
    "squeezenet1.0_imagenet": ("SqueezeNet 1.0", "songhan/SqueezeNet-Deep-Compression"),
}
DATA_NAMES = {"fashion-mnist": "Fashion-MNIST", "mnist": "MNIST", "cifar10": "CIFAR-10",
              "cifar100": "CIFAR-100", "imagenet": "ImageNet sample"}

PAGE = """# Networks

Trained networks on which vigor's fault-free run was compared with PyTorch, image by image. Made by

    VIGOR_DATA=... tests/python/test_golden.py {arguments}

`VIGOR_DATA` is a folder of public networks and data sets, which is no part of the repository
(`tests/python/networks.py` says what lies where). Operators are vigor's, after import; sites are
those of the default selection. Accuracy is vigor's in % on the images run: 10,000 test images (the
ImageNet sample: 100 photographs), of large networks 200 unless `--full` is given above. Then: images
to which both give the same class; images whose two best logits are closer than 1e-4 of the image's
largest, where classes need not agree; and the largest difference of a logit, as a part of the
image's largest (at most 1e-4).

| Network | Data | Source | Operators | Sites | Images | Accuracy | Same class | Too close | Logits differ by |
|---|---|---|---:|---:|---:|---:|---:|---:|---:|
"""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)


try:
    import numpy as np
    import torch

    import onnx_torch
    from networks import DATA, FASHION_MNIST, NETWORKS
except ImportError as error:
    skip(f"{error} (Debian: python3-torch python3-onnx python3-numpy)")


def missing(network):
    """What a network lacks to run, or None."""
    for path in [network.path, FASHION_MNIST if network.data == "fashion-mnist" else DATA]:
        if not path.exists():
            return path
    return None


def vigor_logits(program, network, count):
    """Logits [N,M], classes [N] and what the program says of the network."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "golden"
        command = [program, network.path, file, "--inputs", str(count), *network.options()]
        facts = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
        logits = np.fromfile(f"{file}.logits", np.float32).reshape(-1, facts["classes"])
        return logits, np.fromfile(f"{file}.classes", np.int32), facts


def torch_logits(network, images):
    """In batches from the pixels on: large images do not fit as floats all at once."""
    model = onnx_torch.load(network.path)
    parts = [model(network.preprocess(images[i:i + 100]), [model.logits])[model.logits].numpy()
             for i in range(0, len(images), 100)]
    return np.concatenate(parts).reshape(len(images), -1)


def compare(program, name, count):
    """Prints one line. Returns whether all agrees and the page's row."""
    network = NETWORKS[name]
    images, labels = network.raw()
    images, labels = images[:count], labels[:count]
    logits, classes, facts = vigor_logits(program, network, len(images))
    expected = torch_logits(network, images)
    if logits.shape != expected.shape:
        print(f"{name}: got logits {logits.shape}, expected {expected.shape}")
        return False, None
    largest = np.abs(expected).max(1)
    best = np.sort(expected, 1)[:, -2:]
    close = best[:, 1] - best[:, 0] <= TOLERANCE * largest
    same = classes == expected.argmax(1)
    error = float((np.abs(logits - expected).max(1) / largest).max())
    good = bool(same[~close].all() and error <= TOLERANCE)  # false for NaN
    accuracy = 100 * (classes == labels).mean()
    print(f"{name:30} {'ok' if good else 'WRONG'}: {same.sum()} of {len(same)} classes the same, "
          f"{close.sum()} too close to tell {np.flatnonzero(close).tolist()}; logits within "
          f"{error:.1e} of the largest; {accuracy:.2f} % right", flush=True)
    for i in np.flatnonzero(~same & ~close)[:10]:
        print(f"  image {i}: got class {classes[i]}, expected {expected[i].argmax()}")
    kind, source = KINDS[name]
    row = [kind, DATA_NAMES[network.data], source, facts["ops"], facts["sites"],
           f"{len(images):,}", f"{accuracy:.2f}", f"{same.sum():,}", int(close.sum()),
           f"{error:.1e}"]
    return good, "| " + " | ".join(map(str, row)) + " |\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all networks")
    parser.add_argument("--program", required=True, help="the built golden_logits")
    parser.add_argument("--full", action="store_true", help="all images of large networks too")
    parser.add_argument("--write", metavar="FILE", help="write the page docs/models.md")
    options = parser.parse_args()
    if options.write and (options.names or not DATA.exists()):
        parser.error("--write takes all networks, so VIGOR_DATA")
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    good, rows = True, []
    for name in options.names or NETWORKS:
        lacks = missing(NETWORKS[name])
        if lacks:
            print(f"{name:30} skipped: no {lacks} (see VIGOR_DATA in networks.py)")
            continue
        count = LARGE_IMAGES if name in LARGE and not options.full else 10000
        agrees, row = compare(options.program, name, count)
        good &= agrees
        rows.append(row)
    if not rows:
        skip("no network with its data; install dataset-fashion-mnist or set VIGOR_DATA")
    if options.write and good:
        arguments = " ".join(["--program build/release/tests/golden_logits",
                              *["--full"] * options.full, f"--write {options.write}"])
        pathlib.Path(options.write).write_text(PAGE.format(arguments=arguments) + "".join(rows))
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
