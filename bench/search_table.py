#!/usr/bin/python3
"""What the searches cost and whether they agree: bisection, the default, the paper's method, and
the default without each of its shortcuts.

    bench/search_table.py [NETWORK ...] [--inputs 100] [--neurons SAMPLE] [--only bisect,default]
                          [--exhaustive]

NETWORK is a name of tests/python/networks.py (default: lenet5_fashion_mnist); others than that one
lie in VIGOR_DATA. One thread. Per search: probes per neuron and input, and per cut and input;
forward-equivalents (multiply-accumulates of all probes, in forward passes per neuron and input);
milliseconds of one core per input, all told; pairs (neuron, input, side) whose threshold is bisection's, and those whose
deviation differs from it by at most 0.05 and a lattice step; MVF in %. For the paper's method the
first figure is its forward passes (the probes that only count its failures are in the time alone).

--exhaustive injects every bit flip too: a last column says by how much the LVF of a site differs
from what that finds, at most, in percentage points, and a last row gives its MVF and time.
"""
import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
SHORTCUTS = ["guide", "cut", "domain", "far"]


def arguments_of(name):
    """Model file and vigor's options for its data."""
    if name == "lenet5_fashion_mnist":
        return [str(ROOT / "models" / f"{name}.onnx"), "--data", "fashion-mnist", "--scale", "1/255"]
    where = ROOT / "tests/python/networks.py"
    spec = importlib.util.spec_from_file_location("networks", where)
    networks = importlib.util.module_from_spec(spec)
    sys.modules["networks"] = networks
    spec.loader.exec_module(networks)
    network = networks.NETWORKS[name]
    return [str(network.path), *network.options()]


class Result:
    def __init__(self, path):
        with h5py.File(path) as file:
            sites = [file["sites"][s] for s in sorted(file["sites"])]
            self.inputs = int((file["inputs/golden_class"][:] >= 0).sum())
            self.neurons = sum(len(s["neuron"]) for s in sites)
            self.cuts = sum(int(s.attrs["cuts"]) for s in sites)
            self.probes = int(file["model"].attrs["probes"])
            if file.attrs["method"] in ("paper", b"paper"):
                self.probes = sum(int(s["paper/passes"][:].sum()) for s in sites)
            self.lvf = np.array([float(s.attrs["lvf"]) for s in sites])
            self.forward = float(file["model"].attrs["forward_equivalents"])
            self.mvf = float(file["model"].attrs["mvf"])
            self.thresholds = [s["thresholds"][:] for s in sites]  # [inputs, neurons, side, 2]


def agreement(result, oracle):
    """Shares of the pairs with the same threshold, and with one that is near."""
    same = near = total = 0
    for ours, theirs in zip(result.thresholds, oracle.thresholds):
        ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
        valid = ~np.isnan(theirs[..., 0])
        equal = (ours == theirs).all(-1)
        with np.errstate(invalid="ignore"):
            step = np.abs(theirs[..., 1] - theirs[..., 0])
            close = equal | (np.abs(ours[..., 1] - theirs[..., 1]) <= 0.05 + step)
        same += (equal & valid).sum()
        near += (close & valid).sum()
        total += valid.sum()
    return same / total, near / total


def timed(command):
    """Runs it; its seconds of processor time."""
    before = os.times().children_user
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return os.times().children_user - before


def inject_all(name, options, folder):
    """Every flip injected: rates of the sites, their weighted mean, seconds."""
    path = pathlib.Path(folder) / "all.h5"
    seconds = timed([options.vigor, "inject", *arguments_of(name), "--inputs", str(options.inputs),
                     "--threads", "1", "--exhaustive", "-o", str(path)])
    with h5py.File(path) as file:
        sites = [file["sites"][s] for s in sorted(file["sites"])]
        rates = np.array([float(s.attrs["critical_rate"]) for s in sites])
        weights = np.array([float(s.attrs["population"]) for s in sites])
    return rates, float((rates * weights).sum() / weights.sum()), seconds


def measure(name, options, searches):
    print(f"\n{name}, {options.inputs} inputs" + (f", --neurons {options.neurons}" if options.neurons else ""))
    print("\n| search | probes per neuron | per cut | forward-equivalents | ms per input |"
          " same threshold | near | MVF % |" + " LVF off by |" * options.exhaustive +
          "\n|---|---:|---:|---:|---:|---:|---:|---:|" + "---:|" * options.exhaustive)
    oracle = None
    with tempfile.TemporaryDirectory() as folder:
        if options.exhaustive:
            rates, rate, all_seconds = inject_all(name, options, folder)
        for label, extra in searches:
            path = pathlib.Path(folder) / "run.h5"
            command = [options.vigor, "analyze", *arguments_of(name), "--inputs", str(options.inputs),
                       "--threads", "1", "--keep-thresholds", "-o", str(path), *extra]
            if options.neurons:
                command += ["--neurons", options.neurons]
            seconds = timed(command)
            result = Result(path)
            oracle = oracle or result
            same, near = agreement(result, oracle)
            pairs = result.neurons * result.inputs
            print(f"| {label} | {result.probes / pairs:.2f} |"
                  f" {result.probes / (result.cuts * result.inputs):.2f} | {result.forward:.4f} |"
                  f" {1000 * seconds / result.inputs:.1f} | {100 * same:.3f} % |"
                  f" {100 * near:.3f} % | {100 * result.mvf:.4f} |" +
                  (f" {100 * np.abs(result.lvf - rates).max():.4f} |" if options.exhaustive else ""),
                  flush=True)
        if options.exhaustive:
            print(f"| every flip injected | 32 | | | {1000 * all_seconds / options.inputs:.1f} | | |"
                  f" {100 * rate:.4f} | 0 |")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["lenet5_fashion_mnist"])
    parser.add_argument("--inputs", type=int, default=100)
    parser.add_argument("--neurons", default="", help="sample of each site, as in vigor analyze")
    parser.add_argument("--only", default="", help="bisect,default,cut,...: some of the rows")
    parser.add_argument("--exhaustive", action="store_true", help="inject every flip beside it")
    parser.add_argument("--vigor", default=str(ROOT / "build/release/vigor"))
    options = parser.parse_args()
    searches = [("bisect", ["--search", "bisect"]), ("default", []),
                ("paper", ["--method", "paper"]),
                ("paper-class", ["--method", "paper", "--paper-init", "class"])]
    searches += [(f"without {name}", ["--without", name]) for name in SHORTCUTS]
    if options.only:
        wanted = options.only.split(",")
        searches = [row for row in searches if row[0].removeprefix("without ") in wanted]
    if options.exhaustive and options.neurons:
        parser.error("--exhaustive takes all neurons")
    for name in options.networks:
        measure(name, options, searches)


if __name__ == "__main__":
    main()
