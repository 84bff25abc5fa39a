#!/usr/bin/python3
"""A small network whose names try to leave their place, and data for it: fixture.py make FOLDER.
What its run file holds, read by h5py: fixture.py read RUN.h5.
"""
import json
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "cli"))
from case import CLASSES, network, samples  # noqa: E402

BAD = "</script><img src=x onerror=alert(1)>{b|\u202e&amp;\"'"


def make(folder):
    model = network(node_names=[BAD + name for name in ("conv", "one", "two")], tensor_prefix=BAD)
    (folder / "net.onnx").write_bytes(model.SerializeToString())
    np.savez(folder / "data.npz", **samples(40))
    (folder / "names.txt").write_text("".join(f"{BAD}{i}\n" for i in range(CLASSES)))


def plain(value):
    """JSON has no infinities and no NaN."""
    if isinstance(value, list):
        return [plain(v) for v in value]
    return value if np.isfinite(value) else str(value)


def read(file):
    with h5py.File(file) as run:
        sites = [{
            "name": site.attrs["name"].decode().rstrip("\0"),
            "lvf": float(site.attrs["lvf"]),
            "neuron": site["neuron"][()].tolist(),
            "nvf": (site["count"][()].sum(1) / 32 / (run["inputs/golden_class"][()] >= 0).sum()).tolist(),
            **{key: plain(site[key][()].astype(float).tolist())
               for key in ("nonvulnerable", "vulnerable", "golden", "bvf")},
        } for site in run["sites"].values()]
        return {"mvf": float(run["model"].attrs["mvf"]), "sites": sites}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        print(json.dumps(read(sys.argv[2])))
