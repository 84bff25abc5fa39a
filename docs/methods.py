"""The paper's own method against the default one on the same neurons and images, for
docs/validation.py: what each costs, where their thresholds differ, and who is right by brute force.
"""
import csv
import random

import h5py
import numpy as np

DOMAIN = 2e5  # the paper's largest deviation
EXAMINED = 200  # differing pairs of a network that are looked at
GRID = 64  # points from the fault-free values to 1.2 times as far as the further claim


class Thresholds:
    """Of a run with --keep-thresholds, by site."""

    def __init__(self, path):
        with h5py.File(path) as file:
            self.sites = [file["sites"][key] for key in sorted(file["sites"])]
            self.names = [site.attrs["name"] for site in self.sites]
            self.names = [n.decode() if isinstance(n, bytes) else n for n in self.names]
            self.inputs = file["inputs/index"][:]
            self.used = file["inputs/golden_class"][:] >= 0
            self.neurons = [site["neuron"][:] for site in self.sites]
            self.golden = [site["golden"][-1] for site in self.sites]  # [neurons, least and greatest]
            # [inputs, neurons, side, (safe, unsafe)]
            self.values = [site["thresholds"][:].astype(np.float64) for site in self.sites]
            pairs = self.used.sum() * sum(len(n) for n in self.neurons)
            self.forward = float(file["model"].attrs["forward_equivalents"])
            self.passes = self.left_out = None
            if "paper" in self.sites[0]:
                self.passes = sum(int(s["paper/passes"][:].sum()) for s in self.sites) / pairs
                left = [int(s["paper/left_out"][:].sum()) for s in self.sites]
                self.left_out = sum(left) / sum(len(n) for n in self.neurons)


def disputes(ours, theirs):
    """Pairs (site, input, neuron, side) whose thresholds differ by more than 0.05 and a lattice
    step, where at least one lies in the paper's domain; and how many pairs there are."""
    found, total = [], 0
    for site, (mine, paper) in enumerate(zip(ours.values, theirs.values)):
        for side in (0, 1):
            a, b = mine[:, :, side, :], paper[:, :, side, :]
            near = np.minimum(np.abs(a[..., 1]), np.abs(b[..., 1])) <= DOMAIN
            with np.errstate(invalid="ignore"):
                step = np.where(np.isfinite(a[..., 1]), np.abs(a[..., 1] - a[..., 0]), 0)
                same = (a[..., 1] == b[..., 1]) | (np.abs(a[..., 1] - b[..., 1]) <= 0.05 + step)
            known = ours.used[:, None] & ~np.isnan(a[..., 0]) & ~np.isnan(b[..., 0])
            total += int(known.sum())
            found += [(site, i, k, side) for i, k in zip(*np.nonzero(known & near & ~same))]
    return found, total


def grid(claims, golden, side):
    """Values on the side out to beyond both claims, those of the claims themselves among them.
    They start at the last fault-free value of any image, or at a claim that is nearer."""
    sign = 1 if side else -1
    finite = [claim for claim in claims if np.isfinite(claim[1])]
    ends = [value for claim in finite for value in claim]
    start = sign * min(sign * value for value in [*ends, golden[side]])
    reach = 1.2 * max(abs(claim[1] - start) for claim in finite)
    return ends + [start + sign * reach * (i + 1) / GRID for i in range(GRID)]


def right(claim, probed, side):
    """Whether all that is before the safe end is non-critical and the unsafe end is critical."""
    sign = 1 if side else -1
    before = [critical for value, critical in probed
              if not np.isfinite(claim[1]) or sign * value <= sign * np.float32(claim[0])]
    at = [critical for value, critical in probed if value == np.float32(claim[1])]
    return not any(before) and (not np.isfinite(claim[1]) or all(at))


def settle(found, ours, theirs, inject, folder):
    """Injects the grids of a sample of the differing pairs: (examined, ours right, paper right)."""
    sample = random.Random(0).sample(found, min(EXAMINED, len(found)))
    if not sample:
        return 0, 0, 0
    rows, owners = [], []
    for number, (site, i, k, side) in enumerate(sample):
        claims = [t.values[site][i, k, side] for t in (ours, theirs)]
        for value in grid(claims, ours.golden[site][k], side):
            rows.append([ours.inputs[i], ours.names[site], ours.neurons[site][k], "",
                         repr(float(np.float32(value)))])
            owners.append(number)
    listed, outcomes = folder / "disputes.csv", folder / "outcomes.csv"
    with open(listed, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["input", "site", "element", "bit", "value"])
        writer.writerows(rows)
    inject(listed, outcomes)
    probed = [[] for _ in sample]
    with open(outcomes, newline="") as file:
        results = list(csv.DictReader(file))
    asked = {}
    for number, row in zip(owners, rows):
        asked.setdefault((str(row[0]), row[1], str(row[2]), np.float32(row[4])), []).append(number)
    for row in results:
        key = (row["input"], row["site"], row["element"], np.float32(row["value"]))
        critical = row["outcome"] in ("critical", "nan")
        for number in asked[key]:
            probed[number].append((key[3], critical))
    good = [[right(t.values[site][i, k, side], probed[number], side) for t in (ours, theirs)]
            for number, (site, i, k, side) in enumerate(sample)]
    return len(sample), sum(g[0] for g in good), sum(g[1] for g in good)
