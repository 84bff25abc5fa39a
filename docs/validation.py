#!/usr/bin/python3
"""Repeats the paper's validation and its other findings on the networks of $VIGOR_DATA.

    VIGOR_DATA=DIR docs/validation.py [--share 0.1] [--vigor build/release/vigor] [--work out/validation]

Writes the measured part of docs/validation.md (what stands behind its mark), and the tables and
figures in docs/validation/. Analyses and validations of the same command that lie in --work are
used again. --share multiplies the numbers of images.
"""
import argparse
import csv
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import time

import matplotlib

import methods

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs/validation.md"
FOLDER = ROOT / "docs/validation"
MARK = "<!-- measured: what follows is written by docs/validation.py -->"

MNIST = (["--data", "mnist:{data}/mnist", "--split", "train"], ["--data", "mnist:{data}/mnist"])


def cifar(name, test):
    return (["--data", f"{name}:{{data}}/{name}/train_5000.bin"],
            ["--data", f"{name}:{{data}}/{name}/{test}"])


# Name, model, (data of set 1, of set 2), preprocessing, images per set, neurons of each site
# ("": all), plan, (neurons of each site, images) for the paper's method; minimum to maximum over layers in the paper's tables I and II in %: set 1 true
# non-critical, true critical, set 2 likewise.
NETWORKS = [
    ("MLP-5 sigmoid, MNIST", "mnist/mlp5_sigmoid_mnist_gemm", MNIST, [], 2000, "", "input", ("100", 20),
     ((99.985, 100), (100, 100), (99.985, 99.996), (99.911, 100))),
    ("MLP-5 ReLU, MNIST", "mnist/mlp_relu_mnist_256x4", MNIST, ["--scale", "1/255"], 1000, "",
     "input", ("100", 20), ((99.991, 100), (100, 100), (99.976, 100), (100, 100))),
    ("LeNet-5, MNIST", "mnist/lenet5_mnist_jinsoo", MNIST, ["--resize", "32", "--scale", "1/255"],
     1000, "", "input", ("100", 20), ((99.992, 100), (100, 100), (99.992, 100), (100, 100))),
    ("LeNet-5, CIFAR-10", "cifar10/lenet5_cifar10_tensorfi2", cifar("cifar10", "test_batch.bin"),
     ["--scale", "1/255"], 1000, "", "input", ("100", 20),
     ((99.956, 100), (100, 100), (99.952, 100), (99.970, 100))),
    ("AlexNet, CIFAR-10", "cifar10/alexnet_cifar10", cifar("cifar10", "test_batch.bin"),
     ["--scale", "1/255", "--mean", "0.5", "--std", "0.25"], 400, "20", "layer", ("10", 8),
     ((99.973, 100), (99.955, 100), (99.951, 99.997), (99.948, 99.998))),
    ("VGG-16, CIFAR-100", "cifar100/vgg16_cifar100", cifar("cifar100", "test.bin"),
     ["--scale", "1/255", "--mean", "0.5", "--std", "0.25"], 200, "2", "layer", ("1", 4),
     ((99.950, 100), (99.972, 100), (99.950, 99.983), (99.972, 99.998))),
]
# Shares beside each cell of the paper's tables: its vulnerable ranges have no end.
KEYS = {"true non-critical": "true_noncritical", "true critical, up to 2^100": "true_critical",
        "true critical, open": "true_critical_open"}


def vigor(*arguments):
    done = subprocess.run([OPTIONS.vigor, *arguments], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"vigor {' '.join(arguments)}: exit code {done.returncode}")


def once(command, output):
    """Runs `vigor COMMAND -o OUTPUT` unless its result lies there; returns the seconds it took."""
    stamp = output.with_suffix(output.suffix + ".command")
    hashed = hashlib.sha256(OPTIONS.vigor.read_bytes()).hexdigest() if OPTIONS.exact else ""
    text = json.dumps([command, hashed])
    if output.exists() and stamp.exists():
        known = json.loads(stamp.read_text())
        if known["command"] == text:
            return known["seconds"]
    begin = time.perf_counter()
    vigor(*command, "-o", str(output))
    seconds = time.perf_counter() - begin
    stamp.write_text(json.dumps({"command": text, "seconds": seconds}))
    return seconds


class Result:
    """One network: analysed on set 1, validated on both sets."""

    def __init__(self, network):
        (self.name, model, (data1, data2), preprocessing, images, self.neurons, self.plan,
         few, self.paper) = network
        self.short = model.split("/")[1]
        self.images = max(1, round(images * OPTIONS.share))
        path = f"{OPTIONS.data}/models/{model}.onnx"
        places = [[part.format(data=OPTIONS.data) for part in data] for data in (data1, data2)]
        inputs = ["--inputs", str(self.images)]
        sample = ["--neurons", self.neurons] if self.neurons else []
        run = OPTIONS.work / f"{self.short}.h5"
        out = OPTIONS.work / f"{self.short}.json"
        self.seconds = once(["analyze", path, *places[0], *preprocessing, *inputs, *sample,
                             "--keep-thresholds"], run)
        self.seconds += once(["validate", str(run), *places[1], *preprocessing, *inputs, "--plan",
                              self.plan], out)
        self.validation = json.loads(out.read_text())
        tables = OPTIONS.work / self.short
        vigor("show", str(run), "--csv", str(tables))
        self.sites = rows_of(tables / "sites.csv")
        self.bits = rows_of(tables / "bits.csv")
        self.units = rows_of(tables / "neurons.csv")
        self.methods = self.compare_methods([path, *places[0], *preprocessing], *few)

    def compare_methods(self, model, neurons, images):
        """The default and the paper's two on the same neurons and images (methods.py)."""
        sample = ["--neurons", neurons, "--inputs", str(images), "--keep-thresholds"]
        found = {}
        for label, extra in (("default", []), ("gradient", ["--method", "paper"]),
                             ("class", ["--method", "paper", "--paper-init", "class"])):
            run = OPTIONS.work / f"{self.short}-{label}.h5"
            self.seconds += once(["analyze", *model, *sample, *extra], run)
            found[label] = methods.Thresholds(run)

        def inject(faults, outcomes):
            vigor("inject", *model, "--faults", str(faults), "--save-faults", str(outcomes), "-o",
                  str(OPTIONS.work / "disputes.h5"))

        rows = []
        for label in ("gradient", "class"):
            differing, pairs = methods.disputes(found["default"], found[label])
            settled = methods.settle(differing, found["default"], found[label], inject,
                                     OPTIONS.work)
            rows.append([self.name, label, images, f"{found[label].passes:.1f}",
                         f"{found[label].forward:.2f}", f"{found['default'].forward:.2f}",
                         f"{100 * found[label].left_out:.1f}", f"{len(differing):,} of {pairs:,}",
                         *settled])
        return rows

    def layers(self, number):
        return self.validation["sets"][number]["layers"]


def rows_of(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def write_rows(name, columns, rows):
    with open(FOLDER / f"{name}.csv", "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def show(share):
    """Percent that never rounds up to 100."""
    text = f"{100 * share:.3f}"
    return "<100" if share < 1 and text == "100.000" else text.removesuffix(".000")


def verdict(shares, least):
    """Of layers against the least share in the paper: what their 95 % intervals can tell."""
    if any(share["high"] < least for share in shares):
        return "below"
    told = [share["low"] >= least or (least == 1 and share["k"] == share["n"])
            for share in shares]
    return "reached" if shares and all(told) else "n too small"


def cell(result, number, key):
    shares = [layer[key] for layer in result.layers(number) if layer[key]["n"] > 0]
    low, high = result.paper[2 * number + (key != "true_noncritical")]
    paper = f"{low:g}-{high:g}" if low < high else f"{low:g}"
    if not shares:
        return ["no faults", paper, "0", "n too small"]
    ours = [share["share"] for share in shares]
    counts = [share["n"] for share in shares]
    return [f"{show(min(ours))}-{show(max(ours))}" if min(ours) < max(ours) else show(min(ours)),
            paper, f"{min(counts):,}-{max(counts):,}", verdict(shares, low / 100)]


def markdown(columns, rows):
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join(lines + ["| " + " | ".join(map(str, row)) + " |" for row in rows])


def paper_tables(results):
    text = []
    everything = []
    for number, title in enumerate(("Table I: set 1, the images of the ranges",
                                    "Table II: set 2, unseen images")):
        rows = []
        for result in results:
            for label, key in KEYS.items():
                row = [result.name, label, *cell(result, number, key)]
                rows.append(row)
                everything.append([number + 1, *row])
        text.append(f"**{title}**, minimum to maximum over the layers, in %\n\n" + markdown(
            ["network", "share", "vigor", "paper", "faults per layer", "verdict"], rows))
    write_rows("tables", ["set", "network", "share", "vigor", "paper", "faults per layer",
                          "verdict"], everything)
    return "\n\n".join(text)


def own_table(results):
    rows = []
    for result in results:
        own = [layer["own_thresholds"] for layer in result.layers(0)]
        row = [result.name]
        for key in ("true_noncritical", "true_critical", "coverage"):
            found = [layer[key] for layer in own if layer[key]["n"] > 0]
            row += [f"{show(min(share['share'] for share in found))}-"
                    f"{show(max(share['share'] for share in found))}",
                    f"{min(share['n'] for share in found):,}-"
                    f"{max(share['n'] for share in found):,}"]
        rows.append(row)
    columns = ["network", "true non-critical", "faults", "true critical", "faults", "coverage",
               "faults"]
    write_rows("own_thresholds", columns, rows)
    return markdown(columns, rows)


def reach_table(results):
    rows = []
    for result in results:
        for number in (0, 1):
            total = result.validation["sets"][number]["total"]
            rows.append([result.name, number + 1] + [show(total[key]["share"] or 0) for key in (
                "true_noncritical", "true_critical", "true_critical_finite", "true_critical_open", "coverage", "recall",
                "recall_not_noncritical", "critical_beyond", "base_rate", "nan_share")])
    columns = ["network", "set", "true non-critical", "true critical", "finite-only", "open", "coverage",
               "recall", "not missed", "beyond", "base rate", "NaN"]
    write_rows("totals", columns, rows)
    return markdown(columns, rows)


def cause_table(results):
    rows = []
    for result in results:
        for number in (0, 1):
            for side in ("nonvulnerable", "vulnerable"):
                sums = {}
                for layer in result.layers(number):
                    for cause, count in layer["disagreements"][side].items():
                        sums[cause] = sums.get(cause, 0) + count
                rows.append([result.name, number + 1, side, *(f"{n:,}" for n in sums.values())])
    columns = ["network", "set", "range", *(cause.replace("_", " ") for cause in sums)]
    write_rows("causes", columns, rows)
    return markdown(columns, rows)


def size_table(results):
    rows = []
    for result in results:
        neurons = sum(layer["neurons"] for layer in result.layers(0))
        population = sum(layer["population"] for layer in result.layers(0))
        faults = [sum(layer["faults"] for layer in result.layers(number)) for number in (0, 1)]
        unseen = result.validation["sets"][1]["data"]["class_not_seen"]
        rows.append([result.name, f"`{result.short}`", f"{neurons:,} of {population:,}",
                     f"{result.images:,}", result.plan, f"{faults[0]:,}", f"{faults[1]:,}", unseen,
                     f"{result.seconds:.0f}"])
    return markdown(["network", "model", "neurons", "images per set", "plan", "faults set 1",
                     "faults set 2", "set 2 images of a class that set 1 lacks", "seconds"], rows)


def save(figure, name):
    figure.tight_layout()
    figure.savefig(FOLDER / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def tracking(results):
    """Fig. 5: LVF against the accuracy that faults cost."""
    rows, lines = [], []
    figure, axes = plt.subplots(2, 3, figsize=(11, 6))
    for result, axis in zip(results, axes.flat):
        layers = result.layers(1)
        names = [layer["name"] for layer in layers]
        lvf = [100 * layer["lvf"]["resolved"] for layer in layers]
        loss = [100 * layer["accuracy_loss"] for layer in layers]
        rows += [[result.name, *row] for row in zip(names, lvf, loss)]
        axis.plot(names, lvf, "o-", label="LVF (set 1)")
        axis.plot(names, loss, "s--", label="accuracy loss (set 2)")
        axis.set_title(result.name, fontsize=10)
        axis.tick_params(axis="x", rotation=90, labelsize=7)
        axis.set_ylabel("%")
        axis.set_ylim(bottom=0)
        found = [result.validation["sets"][n]["lvf_against_accuracy_loss"] for n in (0, 1)]
        lines.append([result.name, len(layers)] + [
            "-" if found[n][key] is None else f"{found[n][key]:.3f}" for n in (0, 1)
            for key in ("pearson", "spearman")])
    axes.flat[0].legend(fontsize=8)
    save(figure, "lvf_accuracy_loss")
    write_rows("lvf_accuracy_loss", ["network", "layer", "lvf_percent", "accuracy_loss_percent"],
               rows)
    return markdown(["network", "layers", "set 1 Pearson", "set 1 Spearman", "set 2 Pearson",
                     "set 2 Spearman"], lines), lines


def sorted_nvf(results):
    """Fig. 6: NVF of LeNet-5's third convolution, from the most to the least vulnerable neuron."""
    figure, axis = plt.subplots(figsize=(6, 3.5))
    rows, ranges = [], []
    for result in results:
        if not result.name.startswith("LeNet"):
            continue
        nvf = sorted((100 * float(unit["nvf"]) for unit in result.units if unit["site"] == "conv3"),
                     reverse=True)
        axis.plot([i / max(1, len(nvf) - 1) for i in range(len(nvf))], nvf,
                  label=f"{result.name}: {len(nvf)} neurons")
        rows += [[result.name, i, value] for i, value in enumerate(nvf)]
        ranges.append((result.name, nvf[0], nvf[-1]))
    axis.set_xlabel("neurons of conv3, sorted (share)")
    axis.set_ylabel("NVF %")
    axis.set_ylim(bottom=0)
    axis.legend(fontsize=8)
    save(figure, "sorted_nvf")
    write_rows("sorted_nvf", ["network", "rank", "nvf_percent"], rows)
    return ranges


def worst_bits(results):
    figure, axis = plt.subplots(figsize=(7, 3.5))
    rows, counts = [], []
    for result in results:
        weights = {site["site"]: int(site["population"]) for site in result.sites}
        bvf = [100 * sum(weights[row["site"]] * float(row["bvf"]) for row in result.bits
                         if int(row["bit"]) == bit) / sum(weights.values()) for bit in range(32)]
        rows += [[result.name, bit, value] for bit, value in enumerate(bvf)]
        axis.plot(range(32), bvf, "o-", markersize=3, label=result.name)
        worst = [int(unit["worst_bit"]) for unit in result.units if float(unit["nvf"]) > 0]
        best = max(range(32), key=lambda bit: bvf[bit])
        counts.append([result.name, best, f"{bvf[best]:.2f}",
                       f"{sum(bit == 30 for bit in worst):,} of {len(worst):,}"])
    axis.set_xlim(19.5, 31.5)  # below them hardly anything is critical: bits.csv
    axis.set_xlabel("bit (31: sign, 30: exponent's most significant)")
    axis.set_ylabel("mean BVF %")
    axis.legend(fontsize=7)
    save(figure, "bits")
    write_rows("bits", ["network", "bit", "bvf_percent"], rows)
    return markdown(["network", "worst bit", "its mean BVF %",
                     "neurons whose worst bit is 30 (of those with any critical flip)"],
                    counts), counts


def noncritical(results):
    rows = [[result.name, site["site"], 100 * (1 - float(site["lvf"]))] for result in results
            for site in result.sites]
    figure, axis = plt.subplots(figsize=(7, 3.5))
    for result in results:
        shares = [row[2] for row in rows if row[0] == result.name]
        axis.plot([i / max(1, len(shares) - 1) for i in range(len(shares))], shares, "o-",
                  markersize=3, label=result.name)
    axis.axhspan(66.63, 99.42, alpha=0.1, label="paper: 66.63 to 99.42")
    axis.set_xlabel("layer, first to last")
    axis.set_ylabel("non-critical flips %")
    axis.legend(fontsize=7)
    save(figure, "noncritical")
    write_rows("noncritical", ["network", "layer", "noncritical_percent"], rows)
    return min(rows, key=lambda row: row[2]), max(rows, key=lambda row: row[2])


def cost(results):
    rows = []
    for result in results:
        weights = [float(site["neurons"]) for site in result.sites]

        def mean(key):
            return sum(w * float(site[key]) for w, site in zip(weights, result.sites)) / sum(weights)
        passes = mean("forward_equivalents")
        rows.append([result.name, f"{mean('probes_per_pair'):.1f}", f"{passes:.2f}",
                     f"{32 / passes:.1f}"])
    write_rows("cost", ["network", "probes_per_neuron_and_image", "forward_passes",
                        "times_fewer_than_32"], rows)
    figure, axis = plt.subplots(figsize=(7, 3))
    axis.barh([row[0] for row in rows], [float(row[2]) for row in rows])
    axis.axvline(9.1, linestyle="--", color="black", label="paper: 9.1")
    axis.axvline(32, linestyle=":", color="black", label="exhaustive: 32")
    axis.set_xlabel("forward passes (multiply-accumulates) per neuron and image")
    axis.legend(fontsize=8)
    save(figure, "cost")
    return markdown(["network", "probes per neuron and image", "forward passes of work",
                     "times fewer than 32"], rows), rows


def method_table(results):
    columns = ["network", "paper's start by", "images", "passes of the paper's method",
               "its forward passes of work", "the default's", "neurons left out %",
               "pairs that differ", "examined", "default right", "paper right"]
    rows = [row for result in results for row in result.methods]
    write_rows("methods", columns, rows)
    return markdown(columns, rows)


def supported(share):
    return "supported" if share else "not supported"


def page(results):
    tables = paper_tables(results)
    lvf_text, lvf_rows = tracking(results)
    curves = sorted_nvf(results)
    bit_text, bit_rows = worst_bits(results)
    least, most = noncritical(results)
    cost_text, cost_rows = cost(results)
    steep = ["-" not in row[2:] and min(float(v) for v in row[2:]) > 0.8 for row in lvf_rows]
    at_30 = sum(row[1] == 30 for row in bit_rows)
    cheap = sum(float(row[2]) <= 9.1 for row in cost_rows)
    spread = "; ".join(f"{name} {first:.2f} % down to {last:.2f} %" for name, first, last in curves)
    share = "" if OPTIONS.share == 1 else f" --share {OPTIONS.share:g}"
    total = sum(result.seconds for result in results)
    return "\n\n".join([
        MARK,
        "## Measured",
        f"    VIGOR_DATA=DIR docs/validation.py{share}\n\n{total / 60:.0f} minutes of analyses and "
        f"validations on {os.cpu_count()} cores, shared with other work. Networks that are "
        "the paper's in kind, not its weights. A sample of neurons means that many of each site, "
        "seeded; faults are drawn among them.",
        size_table(results),
        "## Tables I and II of the paper",
        "*reached*: the lower ends of the 95 % intervals of all layers are not below the paper's "
        "minimum (or no fault disagrees where the paper has 100); *below*: a layer's whole "
        "interval is; *n too small*: neither can be told. Faults in the semi-vulnerable band are in "
        "no range, hence not in these tables. Our ranges end at 2^100; the paper's do not: *open* "
        "holds the faults beyond that, on a side that has a vulnerable range, against it as well.",
        tables,
        "All layers together, in %, and what the tables above leave out (columns as in "
        "[the output](#what-it-prints)):",
        reach_table(results),
        "Set 1 by each input's own thresholds instead of merged ranges, minimum to maximum over the "
        "layers, in %:",
        own_table(results),
        "Faults that came out otherwise than their range says, by cause. Each of them was run: "
        "the run is right, the range is not. On set 1 only a second crossing (METHOD section 2) "
        "can cause one; one threshold a side, the paper's as ours, is blind to it.",
        cause_table(results),
        "## The paper's other findings",
        f"**LVF tracks the accuracy loss of a layer (Fig. 5): {supported(all(steep))}"
        f"{'' if all(steep) else f' on all networks; on {sum(steep)} of {len(steep)}'}** "
        "(every correlation above 0.8). Few neurons of a layer, or images, blur it: see the sizes.",
        lvf_text,
        "![LVF and accuracy loss](validation/lvf_accuracy_loss.svg)",
        f"**Neurons of LeNet-5's conv3 differ in vulnerability (Fig. 6):** {spread}. "
        f"{supported(all(first > 1.2 * last for _, first, last in curves)).capitalize()} (the first "
        "at least 1.2 times the last).",
        "![sorted NVF](validation/sorted_nvf.svg)",
        f"**Bit 30 is the most vulnerable in most cases: {supported(2 * at_30 > len(bit_rows))}** "
        f"({at_30} of {len(bit_rows)} networks).",
        bit_text,
        "![bits](validation/bits.svg)",
        "**66.63 to 99.42 % of the faults of a layer are non-critical: "
        f"{supported(least[2] >= 66.63 and most[2] <= 99.42)} as a range;** here "
        f"{least[2]:.2f} % ({least[0]}, {least[1]}) to {most[2]:.2f} % ({most[0]}, {most[1]}). "
        "That most faults of every layer are non-critical holds.",
        "![non-critical](validation/noncritical.svg)",
        "**9.1 forward passes per neuron and image, 3.5 times fewer than exhaustive injection "
        f"(32):** vigor's default stays below 9.1 passes of work on {cheap} of {len(cost_rows)} "
        "networks; what the paper's own method takes here is in the table after the next.",
        cost_text,
        "![cost](validation/cost.svg)",
        "## Who is right where the methods differ",
        "`--method paper` beside the default on the same sample of neurons and images. Thresholds "
        "differ where they are further apart than 0.05 and a lattice step, one of them at most "
        "2e5 away. Up to "
        f"{methods.EXAMINED} differing pairs (neuron, image, side) of each row, drawn at random, "
        f"were settled by brute force: {methods.GRID} values out to beyond both claims, and the "
        "claims' own ends, were injected. A method is right when nothing up to its safe end is "
        "critical and its unsafe end is (no threshold: nothing is). Where neither is right there "
        "is a crossing before both.",
        method_table(results),
        "Tables behind the figures: `docs/validation/*.csv`.",
    ]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--share", type=float, default=1)
    parser.add_argument("--vigor", type=pathlib.Path, default=ROOT / "build/release/vigor")
    parser.add_argument("--work", type=pathlib.Path, default=ROOT / "out/validation")
    parser.add_argument("--exact", action="store_true",
                        help="use results again only if made by the same program file")
    global OPTIONS
    OPTIONS = parser.parse_args()
    if "VIGOR_DATA" not in os.environ:
        sys.exit("validation.py: VIGOR_DATA names no folder of data and networks")
    OPTIONS.data = pathlib.Path(os.environ["VIGOR_DATA"]).resolve()
    OPTIONS.work.mkdir(parents=True, exist_ok=True)
    FOLDER.mkdir(exist_ok=True)
    matplotlib.rcParams.update({"svg.hashsalt": "vigor", "svg.fonttype": "none"})
    prose = PAGE.read_text().split(MARK)[0]
    results = [Result(network) for network in NETWORKS]
    PAGE.write_text(prose + page(results))


if __name__ == "__main__":
    main()
