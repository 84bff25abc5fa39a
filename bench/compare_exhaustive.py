#!/usr/bin/python3
"""Resolved factors of `vigor analyze` against injecting every bit flip, fault by fault.

    bench/compare_exhaustive.py [MODEL --data SPEC ...] [--inputs 20] [--vigor build/release/vigor]

What stands behind MODEL goes to vigor as it is; without it, the LeNet-5 of models/ and
fashion-mnist. For every site: LVF of both, their difference, and what each differing fault is. A
flip that the thresholds of its input leave open (inside the bracket, or beyond the search domain)
is run by analyze as well and cannot differ. So each differing fault must be

    returned   beyond the unsafe point of its side, which is critical, yet not critical itself
    early      before the safe point of its side, which is not critical, yet critical itself

that is, past an even number of crossings where one threshold means one (METHOD section 2). Both
points are injected again to see that they are what analyze says. Exit code 3 if a fault remains
unexplained, or a count of analyze is not what its thresholds and the runs imply.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[1]
LENET = ["models/lenet5_fashion_mnist.onnx", "--data", "fashion-mnist", "--scale", "1/255"]
BITS = 32
MOST_PROBED = np.float32(2.0**100)


def vigor(*arguments):
    """Runs a command of vigor; returns its output and the seconds it took."""
    begin = time.perf_counter()
    done = subprocess.run([OPTIONS.vigor, *arguments], stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout, time.perf_counter() - begin


def read_faults(path, neurons):
    """Values and critical flags [inputs, neurons, bits] of an exhaustive list of one site."""
    table = np.loadtxt(path, delimiter=",", skiprows=1, usecols=(0, 2, 3, 4, 5),
                       dtype=[("input", "i8"), ("element", "i8"), ("bit", "i8"), ("value", "f4"),
                              ("outcome", "U8")])
    order = np.lexsort((table["bit"], table["element"], table["input"]))
    table = table[order]
    shape = (-1, neurons, BITS)
    critical = np.isin(table["outcome"], ("critical", "nan"))
    return (table["input"].reshape(shape)[:, 0, 0], table["value"].reshape(shape),
            critical.reshape(shape))


def check_points(model, site, points, folder):
    """Injects (input, element, value); returns how many of them are critical, in order."""
    if not points:
        return []
    listed, saved = folder / "points.csv", folder / "points_out.csv"
    with open(listed, "w") as out:
        out.write("input,site,element,value\n")
        for i, element, value in points:
            out.write(f"{i},{site},{element},{float(value)!r}\n")
    vigor("inject", *model, "--faults", listed, "--save-faults", saved, "-o", folder / "points.h5")
    critical = {}
    for line in open(saved).read().splitlines()[1:]:
        i, _, element, _, value, outcome = line.split(",")[:6]
        critical[int(i), int(element), np.float32(value)] = outcome in ("critical", "nan")
    return [critical[i, element, np.float32(value)] for i, element, value in points]


def compare(model, site, folder):
    """One row of the table; the number of unexplained faults."""
    name, elements = site.attrs["name"].decode(), site["neuron"][:]
    csv = folder / "faults.csv"
    extra = ["--inputs", str(OPTIONS.inputs), "--sites", name]
    _, seconds = vigor("inject", *model, *extra, "--exhaustive", "--save-faults", csv,
                       "-o", folder / "fi.h5")
    inputs, value, critical = read_faults(csv, len(elements))
    csv.unlink()
    (low_safe, low_unsafe), (high_safe, high_unsafe) = (
        site["thresholds"][:][inputs][:, :, side, :].transpose(2, 0, 1)[..., None]
        for side in range(2))

    golden = np.where(value[:, :, :1].view(np.uint32) & 1, value[:, :, :1].view(np.uint32) - 1,
                      value[:, :, :1].view(np.uint32) + 1).view(np.float32)  # bit 0 flipped back
    within = (np.abs(value) <= MOST_PROBED) & (value != golden)  # settled by thresholds, or a run
    beyond = within & ((value >= high_unsafe) | (value <= low_unsafe))
    inside = within & (value <= high_safe) & (value >= low_safe)
    resolved = np.where(beyond, True, np.where(inside, False, critical))
    wrong_counts = np.count_nonzero(resolved.sum(axis=0) != site["count"][:])

    returned, early = beyond & ~critical, inside & critical
    points, wanted = [], []
    for i, k, b in np.argwhere(returned | early):
        up = value[i, k, b] > golden[i, k, 0]
        unsafe, safe = (high_unsafe, high_safe) if up else (low_unsafe, low_safe)
        point = unsafe if returned[i, k, b] else safe
        points.append((inputs[i], elements[k], point[i, k, 0]))
        wanted.append(bool(returned[i, k, b]))
    got = check_points(model, name, points, folder)
    unexplained = sum(g != w for g, w in zip(got, wanted)) + np.count_nonzero(wrong_counts)
    left = np.count_nonzero((resolved != critical) & ~returned & ~early)
    analysed, injected = resolved.mean(), critical.mean()
    print(f"| {name} | {value.size:,} | {100 * analysed:.4f} | {100 * injected:.4f} | "
          f"{100 * (analysed - injected):+.4f} | {np.count_nonzero(returned)} | "
          f"{np.count_nonzero(early)} | {unexplained + left} |", flush=True)
    return unexplained + left, value.size, seconds


def main():
    model = OPTIONS.model or [str(ROOT / LENET[0]), *LENET[1:]]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        run_file = folder / "run.h5"
        _, seconds = vigor("analyze", *model, "--inputs", str(OPTIONS.inputs), "--keep-thresholds",
                           "-o", run_file)
        print(f"analyze: {seconds:.1f} s\n")
        print("| site | faults | LVF % | injected % | difference | returned | early | unexplained |")
        print("|---|---|---|---|---|---|---|---|")
        rows = []
        with h5py.File(run_file) as run:
            for site in run["sites"].values():
                rows.append(compare(model, site, folder))
        unexplained, faults, injecting = (sum(column) for column in zip(*rows))
        _, seconds = vigor("inject", *model, "--inputs", str(OPTIONS.inputs), "--exhaustive",
                           "--threads", "1", "-o", folder / "fi.h5")
        shown = json.loads(vigor("show", folder / "fi.h5", "--json")[0])["model"]
        print(f"\n{faults:,} faults, one thread: {faults / shown['seconds']:,.0f} faults per second "
              f"({shown['seconds']:.1f} s)")
    return 3 if unexplained else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=20)
    parser.add_argument("--vigor", default=str(ROOT / "build/release/vigor"))
    OPTIONS, rest = parser.parse_known_args()
    OPTIONS.model = rest
    sys.exit(main())
