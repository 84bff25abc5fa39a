#!/usr/bin/python3
"""Measures the figures of docs/performance.md and writes the page.

    bench/performance.py --build build/release [--write docs/performance.md] [--quick]

Everything runs on one core unless said otherwise, one thing after the other; rates that are compared
come from the same run. AlexNet and VGG-16 need the folder VIGOR_DATA. --quick leaves them out.
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

import h5py

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "python"))
from networks import NETWORKS  # noqa: E402

LENET = "lenet5_fashion_mnist"
TITLES = {LENET: "LeNet-5, Fashion-MNIST", "alexnet_cifar10": "AlexNet, CIFAR-10",
          "vgg16_cifar100": "VGG-16, CIFAR-100", "resnet20_cifar10_bn": "ResNet-20, CIFAR-10"}
# Network, neurons of each site ("": all) and inputs of the table of searches.
SEARCHES = [(LENET, "", 256), ("alexnet_cifar10", "40", 100), ("vgg16_cifar100", "2", 100),
            ("resnet20_cifar10_bn", "4", 100)]


class Bench:
    def __init__(self, build):
        self.build = build

    def text(self, *command):
        done = subprocess.run([str(c) for c in command], cwd=ROOT, check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.stdout

    def model(self, name):
        return [NETWORKS[name].path, *NETWORKS[name].options()]

    def dense_rate(self):
        return float(re.search(r"([\d.]+) GFLOP/s", self.text(self.build / "bench/dense_rate"))[1])

    def prober(self, name, kind, faults, rounds, *more):
        path, *options = self.model(name)
        out = self.text(self.build / "bench/prober_rate", path, kind, faults, rounds, *options,
                        *more)
        return {"rate": float(re.search(r"([\d.]+) faults/s", out)[1]),
                "masked": float(re.search(r"([\d.]+) % masked", out)[1]),
                "macs": float(re.search(r"([\d.]+) macs/fault", out)[1]),
                "gflops": float(re.search(r"([\d.]+) GFLOP/s", out)[1])}

    def suffix_loop(self, name):
        """The better of PyTorch's usual functions and the fastest that we found."""
        loop = [ROOT / "bench/suffix_loop.py", name, "--seconds", "5"]
        return max(float(re.search(r"([\d.]+) faults/s", self.text(*loop, *more))[1])
                   for more in ([], ["--tuned"]))

    def start_analyze(self, name, folder, number, *more):
        path, *options = self.model(name)
        return subprocess.Popen(
            [str(c) for c in (self.build / "vigor", "analyze", path, *options, *more, "-o",
                              folder / f"{number}.h5")],
            cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def analyze(self, name, *more, at_once=1):
        """Seconds until the last of some equal runs ends."""
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            runs = [self.start_analyze(name, pathlib.Path(folder), n, *more)
                    for n in range(at_once)]
            if any(run.wait() for run in runs):
                sys.exit(f"analyze {name} {more} failed")
            return time.perf_counter() - begin

    def peak(self, name, *more, seconds):
        """GiB that an analysis took, stopped after so long."""
        with tempfile.TemporaryDirectory() as folder:
            run = self.start_analyze(name, pathlib.Path(folder), 0, *more)
            time.sleep(seconds)
            run.send_signal(signal.SIGINT)
            return os.wait4(run.pid, 0)[2].ru_maxrss / 2**20


def search_row(bench, title, name, neurons, inputs, *more):
    """One analysis of one thread, by what its file says."""
    path, *options = bench.model(name)
    sample = ["--neurons", neurons] if neurons else []
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "run.h5"
        before = os.times().children_user
        bench.text(bench.build / "vigor", "analyze", path, *options, *sample, "--inputs", inputs,
                   "--threads", 1, *more, "-o", run)
        seconds = os.times().children_user - before
        with h5py.File(run) as file:
            sites = [file["sites"][key] for key in file["sites"]]
            count = sum(len(site["neuron"]) for site in sites)
            cuts = sum(int(site.attrs["cuts"]) for site in sites)
            model = file["model"].attrs
            probes, forward = int(model["probes"]), float(model["forward_equivalents"])
    return (f"| {title} | {thousands(count)} | {thousands(inputs)} | "
            f"{probes / (count * inputs):.2f} | {probes / (cuts * inputs):.2f} | {forward:.3f} | "
            f"{1000 * seconds / inputs:.1f} |")


def searches(bench, names):
    rows = ["| analysis | neurons | inputs | probes per neuron and input | per cut and input | "
            "forward-equivalents per neuron and input | ms of processor time per input |",
            "|---|---|---|---|---|---|---|"]
    for name, neurons, inputs in SEARCHES:
        if name in names:
            rows.append(search_row(bench, TITLES[name], name, neurons, inputs))
    ranges = ["--ranges", "inner", "--factors", "none"]
    rows.append(search_row(bench, "LeNet-5, non-vulnerable ranges alone", LENET, "", 1000, *ranges))
    rows.append(search_row(bench, "the same, `--without cut`", LENET, "", 1000, *ranges,
                           "--without", "cut"))
    return rows


def thousands(value):
    return f"{value:,.0f}"


def prober_table(bench, names):
    rows = ["| network | vigor, faults/s | PyTorch suffix loop | ratio | masked | "
            "share of the dense suffix's work |",
            "|---|---|---|---|---|---|"]
    for name in names:
        few = name != LENET
        one = bench.prober(name, "region", 20000 if few else 1000000, 3)
        loop = bench.suffix_loop(name)
        dense = bench.prober(name, "suffix", 200 if few else 20000, 1)
        rows.append(f"| {TITLES[name]} | {thousands(one['rate'])} | {thousands(loop)} | "
                    f"{one['rate'] / loop:.1f} | {one['masked']:.1f} % | "
                    f"{100 * one['macs'] / dense['macs']:.1f} % |")
    return rows


def block_table(bench, names):
    rate = bench.dense_rate()
    rows = [f"oneDNN's dense rate: {rate:.0f} GFLOP/s.", "",
            "| network | sites | faults/s | GFLOP/s | share of the dense rate |",
            "|---|---|---|---|---|"]
    for name in names:
        few = name == "vgg16_cifar100"
        for kind, title in (("region", "region"), ("suffix", "suffix, every layer whole")):
            if kind == "suffix" and name != LENET:
                continue
            neurons = 3 if few else 10 if name != LENET else 300
            b = bench.prober(name, kind, 8 if kind == "region" else 1, 1, "--neurons", neurons,
                             "--inputs", 64)
            rows.append(f"| {TITLES[name]} | {title} | {thousands(b['rate'])} | "
                        f"{b['gflops']:.1f} | {100 * b['gflops'] / rate:.0f} % |")
    return rows


def scaling(bench, names):
    per_image = bench.analyze(LENET, "--inputs", 256, "--threads", 1) / 256
    both = bench.analyze(LENET, "--inputs", 1000, "--threads", 2)
    processes = bench.analyze(LENET, "--inputs", 1000, "--threads", 1, at_once=2)
    few = bench.analyze(LENET, "--inputs", 100, "--neurons", "10%", "--threads", 1) / 100
    many = bench.analyze(LENET, "--inputs", 10000, "--neurons", "10%", "--threads", 1) / 10000
    rows = ["| figure | measured |", "|---|---|",
            f"| LeNet-5, full analysis (every neuron, class and bit), 256 images, per image | "
            f"{1000 * per_image:.1f} ms |",
            f"| two threads against two single-threaded processes at once, 1,000 images each | "
            f"{processes / 2 / both:.2f} of their sum |",
            f"| time per neuron and input, 10,000 inputs against 100 (10 % of the neurons) | "
            f"{many / few:.2f} |"]
    if "vgg16_cifar100" in names:
        peak = bench.peak("vgg16_cifar100", "--inputs", 1000, seconds=120)
        rows.append(f"| VGG-16, 1,000 inputs, all neurons, default options: peak memory of the first "
                    f"two minutes | {peak:.2f} GiB |")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/release")
    parser.add_argument("--write", type=pathlib.Path, help="write the page here")
    parser.add_argument("--quick", action="store_true", help="LeNet-5 only")
    options = parser.parse_args()
    options.build = options.build.resolve()
    bench = Bench(options.build)
    names = [LENET] if options.quick else list(TITLES)
    probed = names[:3]
    missing = [n for n in names if not NETWORKS[n].path.exists()]
    if missing:
        sys.exit(f"no {', '.join(missing)}: set VIGOR_DATA, or use --quick")
    load = os.getloadavg()[0]
    cpu = next(line.split(":")[1].strip() for line in open("/proc/cpuinfo")
               if line.startswith("model name"))
    page = [
        "# Performance", "",
        "Written by `bench/performance.py --write docs/performance.md` (`make bench`). One core of "
        f"{cpu} unless said otherwise; load average at the start {load:.1f}. Absolute figures vary "
        "with the machine and what else runs on it; ratios are from one run.", "",
        "## Faults per second", "",
        "Random single bit flips of random neurons of one image (post-activation sites, neurons and "
        "bits uniform), every one run, median of three images; the loop in PyTorch computes the "
        "layers after the fault for 256 faults at a time (`bench/suffix_loop.py`, the faster of its "
        "two variants).", "", *prober_table(bench, probed), "",
        "## Rate of the arithmetic", "",
        "As an analysis asks: flips of a sample of neurons of every site and of 64 images. "
        "Multiply-accumulates that a changed value needs count, padding and copies do not.", "",
        *block_table(bench, probed), "", "## Searches", "",
        "Full analyses (ranges of every class, every bit resolved) of all neurons or of a seeded "
        "sample of each site. Sampled neurons seldom share a cut, so that whole networks need fewer "
        "probes per neuron.", "", *searches(bench, names), "", "## Analyses", "",
        *scaling(bench, names), ""]
    text = "\n".join(page)
    print(text)
    if options.write:
        options.write.write_text(text)


if __name__ == "__main__":
    main()
