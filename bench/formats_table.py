#!/usr/bin/python3
"""The tables of docs/formats.md: LVF per layer in every number format, from one analysis, and the time
of `vigor map` against that of injecting each format.

    bench/formats_table.py [NETWORK ...] [--inputs 10] [--fault flip]

NETWORK is a name of tests/python/networks.py (they lie in VIGOR_DATA) or lenet5_fashion_mnist. Per
format: LVF in % as mapped (low to high where that leaves something open); MVF; share of (neuron,
input) pairs critical by encoding alone; the model's rate when every fault is injected (--exhaustive);
seconds of both commands, from start to end.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile
import time

import h5py

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from search_table import ROOT, arguments_of

FORMATS = ["float32", "float16", "bfloat16", "float8-e4m3", "float8-e5m2", "int16", "int16-channel",
           "int8", "int8-channel", "q7.8", "q3.4"]


def run(*command):
    """Seconds that the command took, from start to end."""
    begin = time.monotonic()
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    return time.monotonic() - begin


def percent(low, point, high):
    text, least, most = (f"{100 * share:.2f}" for share in (point, low, high))
    return text if least == most else f"{text} ({least} to {most})"


def measure(name, options, folder):
    model, *data = arguments_of(name)
    run_file, mapped, injected = (folder / f"{part}.h5" for part in ("run", "map", "inject"))
    inputs = ["--inputs", options.inputs]
    seconds = run(options.vigor, "analyze", model, *data, *inputs, "--keep-thresholds", "-o", run_file)
    with h5py.File(run_file) as file:
        names = [file["sites"][s].attrs["name"] for s in sorted(file["sites"])]
        names = [n.decode() if isinstance(n, bytes) else n for n in names]
    print(f"\n{name}, {options.inputs} inputs, fault {options.fault}; the analysis took {seconds:.1f} s\n")
    print("| format | " + " | ".join(names) + " | MVF | encoding | injected | map s | inject s |")
    print("|---|" + "---:|" * (len(names) + 5))
    total = [0.0, 0.0]
    for form in FORMATS:
        kind = ["--format", form, "--fault", options.fault]
        times = [run(options.vigor, "map", run_file, *kind, "-o", mapped),
                 run(options.vigor, "inject", model, *data, *inputs, "--exhaustive", *kind, "-o",
                     injected)]
        with h5py.File(mapped) as file, h5py.File(injected) as other:
            cells = [percent(*(float(s.attrs[a]) for a in ("lvf_low", "lvf", "lvf_high")))
                     for s in (file["sites"][n] for n in sorted(file["sites"]))]
            whole = file["model"].attrs
            cells += [percent(*(float(whole[a]) for a in ("mvf_low", "mvf", "mvf_high"))),
                      f"{100 * float(whole['encoded_high_share']):.3f}",
                      f"{100 * float(other['model'].attrs['critical_rate']):.2f}",
                      f"{times[0]:.2f}", f"{times[1]:.2f}"]
        total = [t + s for t, s in zip(total, times)]
        print(f"| {form} | " + " | ".join(cells) + " |", flush=True)
    print(f"\nAll {len(FORMATS)} formats: map {total[0]:.1f} s, inject {total[1]:.1f} s.")


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("networks", nargs="*", default=["lenet5_mnist_jinsoo", "mlp_relu_mnist_256x4"])
    parser.add_argument("--inputs", type=int, default=10)
    parser.add_argument("--fault", default="flip")
    parser.add_argument("--vigor", default=str(ROOT / "build/release/vigor"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in options.networks:
            measure(name, options, pathlib.Path(folder))


if __name__ == "__main__":
    main()
