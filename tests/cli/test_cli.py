#!/usr/bin/python3
"""The command as its user sees it: options, results, messages.

    VIGOR=build/release/vigor tests/cli/test_cli.py [Class[.test]...]
"""
import csv
import io
import json
import signal
import subprocess
import time
import unittest

import h5py
import numpy as np

from case import CLASSES, HOSTILE, SHAPE, VIGOR, Case, idx, images, network, samples


class Usage(Case):
    def wrong(self, *arguments, naming):
        before = self.files()
        result = self.vigor(*arguments, code=2)
        self.assertEqual(self.files(), before)
        self.assertEqual(result.stdout, "")
        self.assertIn(naming, result.stderr)
        self.assertLess(len(result.stderr), 300, "too long to be read")

    def test_wrong_usage(self):
        self.wrong(naming="subcommand")
        self.wrong("nope", naming="unknown command 'nope'")
        self.wrong("inspect", "--colour", "net.onnx", naming="--colour")
        self.wrong("inspect", naming="MODEL")
        self.wrong("show", naming="run")
        self.wrong("show", "run.h5", "--top", "-1", naming="--top")
        self.wrong("report", "run.h5", naming="--output")
        for command in ("map", "merge", "validate"):
            self.wrong(command, "run.h5", "--scale", "1/2", "-o", "x.h5", naming="--data")
        self.wrong("analyze", "net.onnx", "-o", "run.h5", naming="--data")
        self.wrong("analyze", "net.onnx", "--data", "npz:data.npz", naming="--output")

    def test_wrong_values(self):
        for option, value in [("--classes", "some"), ("--prober", "magic"), ("--threads", "0"),
                              ("--threads", "many"), ("--inputs", "0"), ("--inputs", "-3"),
                              ("--tolerance-bits", "24"), ("--split", "other"), ("--seed", "x"),
                              ("--neurons", "none"), ("--neurons", "0"), ("--neurons", "101%"),
                              ("--audit", "a lot"), ("--audit", "101"), ("--batch", "17"),
                              ("--memory", "much"), ("--memory", "-1"),
                              ("--batch", "0"), ("--scale", "1/0"), ("--scale", "x"),
                              ("--crop", "3y"), ("--resize", "0x4"), ("--mean", "1,,2")]:
            with self.subTest(option=option, value=value):
                self.wrong("analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
                           option, value, naming=option.lstrip("-"))

    def test_wrong_values_of_injections(self):
        inject = ["inject", "net.onnx", "--data", "npz:data.npz", "-o", "fi.h5"]
        for option, value in [("--margin", "0"), ("--margin", "nan"), ("--margin", "1"),
                              ("--confidence", "1"), ("--batch", "17"), ("--neurons", "0"),
                              ("--inputs", "0"), ("--inputs", "9" * 20), ("--threads", "0"),
                              ("--scale", "x"), ("--save-every", "-1"), ("--save-every", "nan"),
                              ("--save-every", "inf")]:
            with self.subTest(option=option, value=value):
                self.wrong(*inject, option, value, naming=option.lstrip("-"))
        self.wrong(*inject, "--shard", "1/2", "--until-margin", naming="--until-margin")

    def test_wrong_values_elsewhere(self):
        for arguments in (["validate", "run.h5", "--margin", "0"],
                          ["validate", "run.h5", "--require", "nan"],
                          ["bench", "--signature", "--batch", "7"],
                          ["map", "run.h5", "-o", "map.h5", "--threads", "0"]):
            with self.subTest(arguments):
                self.wrong(*arguments, naming=arguments[-2])

    def test_numbers_are_taken_as_given(self):
        analyze = ["analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5"]
        for command in (analyze, ["inject", *analyze[1:]], ["validate", "run.h5"]):
            for value in (str(2 ** 64), "-1", "", "0x10", "1.5", " 1"):
                with self.subTest(command=command[0], value=value):
                    self.wrong(*command, "--seed", value, naming="--seed")
        for option in ("--inputs", "--pad", "--label-offset", "--threads"):
            self.wrong(*analyze, option, "9" * 20, naming=option)
        self.vigor(*analyze, "--seed", str(2 ** 64 - 1), "--inputs", "010")
        with h5py.File(self.folder / "run.h5") as run:
            self.assertEqual(run.attrs["seed"], 2 ** 64 - 1)
            self.assertEqual(len(run["inputs/index"]), 10)

    def test_expected_numbers_are_named(self):
        inject = ["inject", "net.onnx", "--data", "npz:data.npz", "-o", "fi.h5"]
        self.wrong(*inject, "--inputs", "0", naming="got '0', expected a number from 1 on")
        self.wrong(*inject, "--save-every", "-1", naming="got '-1', expected seconds from 0 on")

    def test_hostile_values(self):
        analyze = ["analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5"]
        inject = ["inject", *analyze[1:]]
        hostile = "a" + HOSTILE
        for arguments in (*([*analyze, option] for option in
                            ("--threads", "--memory", "--scale", "--classes", "--seed", "--batch",
                             "--neurons", "--audit", "--crop")),
                          *([*inject, option] for option in
                            ("--shard", "--save-every", "--format", "--margin")),
                          ["help"], ["completion"], ["show", "run.h5"]):
            with self.subTest(arguments):
                text = self.vigor(*arguments, hostile, code=2).stderr
                self.assert_harmless(text)
                self.assertLessEqual(text.count("\n"), 2, text)

    def test_help(self):
        for command in ([], ["inspect"], ["analyze"], ["show"], ["report"], ["bench"]):
            text = self.vigor(*command, "--help").stdout
            self.assertRegex(text, "Examples?:\n +vigor " + (command or ["analyze"])[0])

    def test_version(self):
        self.assertRegex(self.vigor("--version").stdout, r"\Avigor \d+\.\d+\.\d+.*\n\Z")


class RangesAlone(Case):
    def test_both(self):
        self.analyze(output="full.h5")
        self.analyze("--factors", "none")
        with h5py.File(self.folder / "full.h5") as full, h5py.File(self.folder / "run.h5") as run:
            for name, site in run["sites"].items():
                for array in site:
                    # A side of a neuron of the first site may have several crossings.
                    if array != "probes" and name != "0000":
                        np.testing.assert_array_equal(site[array], full["sites"][name][array])
                self.assertLessEqual(
                    {"nonvulnerable", "vulnerable", "vulnerable_finite", "finite_share", "golden"},
                    set(site))
                for absent in ("count", "count_high", "bvf", "nvf", "threshold_histogram"):
                    self.assertNotIn(absent, site)
                self.assertNotIn("lvf", site.attrs)
            self.assertNotIn("mvf", run["model"].attrs)
        self.vigor("map", "run.h5", "--format", "int8", "-o", "map.h5")

    def test_inner(self):
        self.analyze("--factors", "none", "--ranges", "inner")
        with h5py.File(self.folder / "run.h5") as run:
            site = run["sites/0000"]
            self.assertIn("nonvulnerable", site)
            for absent in ("vulnerable", "vulnerable_finite", "finite", "finite_share", "count"):
                self.assertNotIn(absent, site)
        self.refuses(self.vigor, "map", "run.h5", "-o", "map.h5", naming=["--ranges inner"])

    def test_shown(self):
        for ranges in ("both", "inner"):
            self.analyze("--factors", "none", "--ranges", ranges)
            text = self.vigor("show", "run.h5").stdout
            self.assertIn("ranges alone", text)
            self.assertNotIn("nan", text)
            self.assertEqual("critical up to" in text, ranges == "both")
            shown = json.loads(self.vigor("show", "run.h5", "--json").stdout)
            self.assertIsNone(shown["model"]["mvf"])
            self.assertEqual([site["lvf"] for site in shown["sites"]], [None] * 3)
            self.vigor("show", "run.h5", "--csv", "tables")
            with open(self.folder / "tables/neurons.csv", newline="") as file:
                rows = list(csv.DictReader(file))
            self.assertEqual({(row["nvf"], row["worst_bit"]) for row in rows}, {("nan", "-1")})
            self.assertEqual({row["vulnerable_upper"] == "nan" for row in rows}, {ranges == "inner"})
            self.assertNotIn("nan", {row["nonvulnerable_upper"] for row in rows})
            self.assertEqual(len((self.folder / "tables/bits.csv").read_text().splitlines()), 1)
            self.refuses(self.vigor, "report", "run.h5", "-o", "run.html", naming=["report"])
            self.vigor("validate", "run.h5", "--plan", "layer", "-o", "v.json")
            sites = json.loads((self.folder / "v.json").read_text())["sets"][0]["layers"]
            self.assertEqual({site["lvf"]["resolved"] for site in sites}, {None})

    def test_wrong_usage(self):
        for arguments, naming in ((("--ranges", "inner"), "factors none"),
                                  (("--factors", "none", "--keep-thresholds"), "thresholds"),
                                  (("--factors", "none", "--audit", "1%"), "audit"),
                                  (("--factors", "none", "--search", "bisect"), "bisect"),
                                  (("--factors", "none", "--method", "paper"), "paper"),
                                  (("--factors", "some"), "--factors")):
            self.assertIn(naming, self.analyze(*arguments, code=2).stderr)


class Inspect(Case):
    def test_text(self):
        text = self.vigor("inspect", "net.onnx").stdout
        for part in ("conv1", "fc1", "fc2", "Conv", "MaxPool", "3 classes", "forecast"):
            self.assertIn(part, text)

    def test_json(self):
        result = json.loads(self.vigor("inspect", "net.onnx", "--json").stdout)
        self.assertEqual(result["classes"], CLASSES)
        self.assertEqual(result["input"]["shape"], [1, *SHAPE])
        self.assertEqual([(s["name"], s["neurons"]) for s in result["sites"]],
                         [("conv1", 32), ("fc1", 5), ("fc2", 3)])

    def test_hostile_names(self):
        self.save("odd.onnx", network(node_names=[HOSTILE + n for n in "abc"],
                                      tensor_prefix=HOSTILE))
        for more in ([], ["--json"]):
            self.assert_harmless(self.vigor("inspect", "odd.onnx", *more).stdout)
        self.assert_harmless(self.analyze(model="odd.onnx").stderr)
        for more in ([], ["--json"], ["--site", "conv1"]):
            self.assert_harmless(self.vigor("show", "run.h5", *more).stdout)
        result = json.loads(self.vigor("show", "run.h5", "--json").stdout)
        self.assertIn("<script>", result["sites"][0]["tensor"])  # for a page to escape
        self.refuses(self.vigor, "show", "run.h5", "--site", HOSTILE, naming=["conv1"])


class Analyze(Case):
    def assert_same(self, *arguments, base=(), without=(), env=None):
        self.analyze("--keep-thresholds", *base, output="one.h5")
        self.analyze("--keep-thresholds", *arguments, output="two.h5", env=env)
        one, two = self.content("one.h5"), self.content("two.h5")
        for key in without:
            one.pop(key), two.pop(key)
        self.assertEqual(one, two)

    def json(self, *arguments):
        return json.loads(self.vigor("show", "run.h5", "--json", *arguments).stdout)

    def sites(self, *arguments):
        self.analyze(*arguments)
        return {site["name"]: site for site in self.json()["sites"]}

    def test_threads(self):
        for count in "124":
            self.assert_same("--threads", count)

    def test_batches(self):
        for size in ("16", "64"):
            self.assert_same("--batch", size, "--prober", "suffix", base=("--prober", "suffix"))
            self.assert_same("--batch", size)

    def test_stats(self):
        text = self.analyze("--stats").stdout
        for word in ("Phases:", "Probers:", "Batches:", "conv1", "MACs/probe"):
            self.assertIn(word, text)

    def test_memory(self):
        self.assert_same("--memory", "3M", "--threads", "2")
        self.refuses(self.analyze, "--memory", "1k", naming=["memory", "0 MiB", "expected"])

    def test_probers(self):
        # What a prober executes is its own; what it finds is not.
        self.analyze(output="one.h5")
        macs = {key for key in self.content("one.h5")
                if key.endswith(("@macs", "@forward_equivalents"))}
        self.assert_same("--prober", "reference", base=("--prober", "suffix"), without=macs)

    def test_region_prober_agrees(self):
        # Its sums start from golden ones: thresholds may differ by a step where a margin is tiny.
        exact = self.sites("--prober", "suffix")
        for name, site in self.sites().items():
            for reading in ("low", "resolved", "high"):
                self.assertAlmostEqual(site["lvf"][reading], exact[name]["lvf"][reading], 3)

    def test_instruction_sets(self):
        with open("/proc/cpuinfo") as file:
            flags = file.read().split()
        for isa, flag in [("generic", None), ("avx2", "avx2"), ("avx512", "avx512bw")]:
            if flag is None or flag in flags:
                with self.subTest(isa):
                    self.assert_same(env={"VIGOR_ISA": isa}, without=["@isa"])

    def test_unknown_instruction_set(self):
        for call in (self.analyze, lambda **o: self.vigor("--version", **o)):
            result = call(code=1, env={"VIGOR_ISA": "mmx"})
            self.assertRegex(result.stderr, r"\Avigor: .*VIGOR_ISA.*mmx.*generic.*\n\Z")
        self.assertFalse((self.folder / "run.h5").exists())

    def test_sites(self):
        self.assertEqual(list(self.sites()), ["conv1", "fc1", "fc2"])
        self.assertEqual(list(self.sites("--sites", "fc1,logits")), ["fc1", "fc2"])
        self.assertEqual(list(self.sites("--sites", "logits")), ["fc2"])

    def test_sites_before_the_activation(self):
        pre = self.sites("--sites", "pre-activation")
        self.assertEqual([(name, site["kind"]) for name, site in pre.items()],
                         [("conv1.pre", "pre-activation"), ("fc1.pre", "pre-activation"),
                          ("fc2", "logits")])

    def test_thresholds(self):
        self.analyze()
        self.assertNotIn("sites/0000/thresholds", self.content())
        self.analyze("--keep-thresholds")
        self.assertEqual(self.content()["sites/0000/thresholds"][1], (12, 32, 2, 2))

    def test_classes(self):
        for choice, rows in [("auto", CLASSES + 1), ("all", CLASSES + 1), ("none", 1)]:
            self.analyze("--classes", choice)
            self.assertEqual(self.content()["sites/0000/nonvulnerable"][1], (rows, 32, 2))

    def test_inputs(self):
        self.analyze("--inputs", "5")
        self.assertEqual(self.content()["inputs/index"][1], (5,))

    def test_sample(self):
        for sample, counts in [("3", [3, 3, 3]), ("5%", [2, 1, 1])]:
            sites = self.sites("--neurons", sample)
            self.assertEqual([site["neurons"] for site in sites.values()], counts)
            self.assertEqual([site["population"] for site in sites.values()], [32, 5, 3])
            low, high = sites["conv1"]["lvf"]["interval"]
            self.assertLessEqual(low, sites["conv1"]["lvf"]["resolved"])
            self.assertGreaterEqual(high, sites["conv1"]["lvf"]["resolved"])
            text = self.vigor("show", "run.h5").stdout
            self.assertIn("Not every neuron was analysed", text)
            self.assertIn("95 % interval", text)
            self.assertIn(f"{counts[0]} of 32", text)

    def test_dry_run(self):
        before = self.files()
        text = self.vigor("analyze", "net.onnx", "--data", "npz:data.npz", "--dry-run").stdout
        self.assertRegex(text, r"\A40 neurons, 12 inputs: about [\d,]+ probes, .*\n\Z")
        text = self.analyze("--dry-run", "--neurons", "3").stdout
        self.assertTrue(text.startswith("9 neurons"), text)
        self.assertEqual(self.files(), before)

    def test_other_formats(self):
        self.save("images", idx(images()))
        self.save("labels", idx(np.array([0, 1, 2, 0], np.uint8)))
        self.analyze("--scale", "1/255", data="idx:images,labels")
        np.save(self.folder / "x.npy", samples()["x"])
        self.analyze(data="npy:x.npy")

    def test_killed(self):
        np.savez(self.folder / "data.npz", **samples(60000))
        for delay in (0.05, 0.2, 0.4):
            process = subprocess.Popen(
                [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
                 "--prober", "reference", "--threads", "1", "--tolerance-bits", "23"],
                cwd=self.folder, stderr=subprocess.DEVNULL)
            time.sleep(delay)
            process.kill()
            self.assertEqual(process.wait(), -signal.SIGKILL, "done before it was killed")
            self.assertFalse((self.folder / "run.h5").exists())


class Show(Case):
    def setUp(self):
        super().setUp()
        self.analyze()

    def test_text(self):
        text = self.vigor("show", "run.h5").stdout
        for part in ("net.onnx", "npz:data.npz", "conv1", "fc2", "LVF", "NVF", "Audit: none"):
            self.assertIn(part, text)
        self.assertNotIn("Not every neuron", text)
        self.assertNotIn("fc2", self.vigor("show", "run.h5", "--site", "conv1").stdout)
        self.assertLess(len(self.vigor("show", "run.h5", "--top", "0").stdout), len(text))

    def test_json(self):
        result = json.loads(self.vigor("show", "run.h5", "--json").stdout)
        self.assertIsInstance(result["model"], dict)
        for site, neurons in zip(result["sites"], [32, 5, 3], strict=True):
            self.assertEqual(site["neurons"], neurons)
            self.assertIsInstance(site["name"] + site["tensor"] + site["kind"], str)
            lvf = site["lvf"]
            self.assertTrue(0 <= lvf["low"] <= lvf["resolved"] <= lvf["high"] <= 1, lvf)

    def test_csv(self):
        self.assertEqual(self.vigor("show", "run.h5", "--csv", "tables").stdout, "")
        rows = {}
        for name in ("sites", "bits", "neurons"):
            text = (self.folder / f"tables/{name}.csv").read_text()
            rows[name] = list(csv.DictReader(io.StringIO(text)))
        self.assertEqual([len(rows[name]) for name in ("sites", "bits", "neurons")],
                         [3, 3 * 32, 40])
        self.assertEqual([row["site"] for row in rows["sites"]], ["conv1", "fc1", "fc2"])
        known = json.loads(self.vigor("show", "run.h5", "--json").stdout)["sites"]
        for row, site in zip(rows["sites"], known):
            self.assertAlmostEqual(float(row["lvf"]), site["lvf"]["resolved"])


class Report(Case):
    """The page itself: tests/report."""

    def setUp(self):
        super().setUp()
        self.analyze()
        self.vigor("inject", "net.onnx", "--data", "npz:data.npz", "--plan", "layer", "--margin",
                   "0.2", "-o", "fi.h5")

    def report(self, *arguments, **options):
        return self.vigor("report", "run.h5", "-o", "report.html", *arguments, **options)

    def test_written_or_said_why_not(self):
        found = subprocess.run([VIGOR, "report", "run.h5", "-o", "report.html"], cwd=self.folder,
                               capture_output=True)
        if found.returncode:
            self.assertRegex(found.stderr.decode(), r"\Avigor: \[report\].*Node\.js.*make deps.*\n\Z")
            self.assertFalse((self.folder / "report.html").exists())
            self.skipTest("built without the page")
        once = (self.folder / "report.html").read_bytes()
        self.assertTrue(once.startswith(b"<!DOCTYPE html>"))
        self.report()
        self.assertEqual((self.folder / "report.html").read_bytes(), once)
        for more in (["--injection", "fi.h5"], ["--detail", "conv1,fc2"], ["--detail", "all"]):
            self.report(*more)

    def test_refusals(self):
        if "Node.js" in subprocess.run([VIGOR, "report", "run.h5", "-o", "x.html"], cwd=self.folder,
                                       capture_output=True).stderr.decode():
            self.skipTest("built without the page")
        (self.folder / "x.html").unlink()
        self.save("other.onnx", network(weights={"b1": np.zeros(2)}))
        self.vigor("inject", "other.onnx", "--data", "npz:data.npz", "--plan", "layer", "--margin",
                   "0.2", "-o", "other.h5")
        self.save("list.json", b"[1, 2]")
        self.save("deep.json", b'{"a":' + b"[" * 300000 + b"]" * 300000 + b"}")
        self.save("other.json", b'{"model": {"sha256": "00"}}')
        for arguments, naming in [
                (["--detail", "conv9"], ["conv9", "conv1"]),
                (["--injection", "other.h5"], ["injection", "other.onnx", "net.onnx"]),
                (["--injection", "run.h5"], ["run.h5", "analysis"]),
                (["--injection", "none.h5"], ["none.h5"]),
                (["--validation", "none.json"], ["none.json"]),
                (["--validation", "list.json"], ["validation", "no JSON object"]),
                (["--validation", "deep.json"], ["validation", "no JSON object"]),
                (["--validation", "other.json"], ["validation", "00"])]:
            with self.subTest(arguments):
                self.refuses(self.report, *arguments, naming=naming)
        for output in ("run.h5", "none/report.html", "."):
            self.refuses(self.vigor, "report", "run.h5", "-o", output, naming=[output])
        self.refuses(self.vigor, "report", "fi.h5", "-o", "x.html", naming=["fi.h5", "injection"])


class ListedFaults(Case):
    def test_faults_on_inputs_that_are_not_finite(self):
        data = samples()
        data["x"][2] = np.nan
        np.savez(self.folder / "nan.npz", **data)
        inject = ["inject", "net.onnx", "--data", "npz:nan.npz", "--faults", "list.csv"]
        head, faults = "input,site,element,bit\n", [f"{i},fc1,0,31\n" for i in (0, 2, 2, 3)]
        self.save("list.csv", (head + "".join(faults)).encode())
        text = self.vigor(*inject, "-o", "fi.h5").stderr
        self.assertIn("2 faults on", text)
        self.assertIn("2 of 4 listed faults left out", text)
        self.vigor(*inject, "--shard", "1/1", "-o", "part.h5")
        self.assertIn("2 of 4 listed faults left out",
                      self.vigor("merge", "part.h5", "-o", "fi.h5").stderr)
        self.save("list.csv", (head + faults[0]).encode())
        self.assertNotIn("left out", self.vigor(*inject, "-o", "fi.h5").stderr)


class Validate(Case):
    def setUp(self):
        super().setUp()
        self.analyze("--inputs", "8", "--keep-thresholds")
        np.savez(self.folder / "more.npz", **{
            key: value[::-1] for key, value in samples(30).items()})

    def validate(self, *arguments, **options):
        return self.vigor("validate", "run.h5", "--plan", "layer", *arguments, **options)

    def result(self, *arguments):
        self.validate("-o", "v.json", *arguments)
        return json.loads((self.folder / "v.json").read_text())

    def test_set_1(self):
        text = self.validate().stdout
        for part in ("set 1", "npz:data.npz", "8 used", "conv1", "all sites", "thresholds"):
            self.assertIn(part, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 98)
        result = self.result()
        self.assertEqual(result["run"]["inputs"], 8)
        only, = result["sets"]
        self.assertTrue(only["seen"])
        self.assertEqual([layer["name"] for layer in only["layers"]], ["conv1", "fc1", "fc2"])
        for layer in (*only["layers"], only["total"]):
            for name in ("true_noncritical", "coverage", "recall", "base_rate", "nan_share"):
                share = layer[name]
                self.assertLessEqual(share["low"], share["share"])
                self.assertLessEqual(share["share"], share["high"])
                self.assertLessEqual(share["k"], share["n"])
            self.assertGreaterEqual(layer["own_thresholds"]["coverage"]["share"],
                                    layer["coverage"]["share"])

    def test_both_sets(self):
        first, second = self.result("--data", "npz:more.npz", "--inputs", "20")["sets"]
        self.assertEqual((first["seen"], first["data"]["inputs"]), (True, 8))
        self.assertEqual((second["seen"], second["data"]["inputs"]), (False, 20))
        self.assertIsNone(second["layers"][0]["own_thresholds"])
        only, = self.result("--data", "npz:more.npz", "--inputs", "20", "--unseen-only")["sets"]
        self.assertEqual(only, second)

    def test_same_for_any_threads(self):
        results = [self.result("--data", "npz:more.npz", "--threads", str(threads))
                   for threads in (1, 3)]
        self.assertEqual(*results)
        self.assertNotEqual(results[0], self.result("--data", "npz:more.npz", "--seed", "1"))

    def test_moved(self):
        for old, new in (("net.onnx", "moved.onnx"), ("data.npz", "moved.npz")):
            (self.folder / old).rename(self.folder / new)
        self.refuses(self.validate, naming=["net.onnx"])
        self.refuses(self.validate, "--model", "moved.onnx", naming=["data.npz"])
        only, = self.result("--model", "moved.onnx", "--data", "npz:moved.npz")["sets"]
        self.assertTrue(only["seen"])

    def test_require(self):
        self.validate("--require", "0.2")
        shares = {**samples(8)}
        shares["x"] = 1000 * shares["x"]
        np.savez(self.folder / "far.npz", **shares)
        result = self.validate("--data", "npz:far.npz", "--unseen-only", "--require", "1", "-o",
                               "v.json", code=1)
        self.assertIn("below --require: set 2, ", result.stdout)
        self.assertRegex(result.stderr, r"vigor: \[require\] \d+ of the shares fall short\n\Z")
        self.assertTrue((self.folder / "v.json").exists())

    def test_of_merged_parts(self):
        for part in (1, 2):
            self.analyze("--shard", f"{part}/2", output=f"{part}.h5")
        self.vigor("merge", "1.h5", "2.h5", "-o", "run.h5")
        self.assertEqual(self.result()["run"]["inputs"], 12)

    def test_report_shows_it(self):
        self.result("--data", "npz:more.npz")
        done = subprocess.run([VIGOR, "report", "run.h5", "--validation", "v.json", "-o", "r.html"],
                              cwd=self.folder, capture_output=True)
        if b"Node.js" in done.stderr:
            self.skipTest("built without the page")
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_refusals(self):
        self.save("other.onnx", network(weights={"b1": np.zeros(2)}))
        np.savez(self.folder / "small.npz", x=np.zeros((4, 5), np.float32))
        for arguments, naming in [
                (["--model", "other.onnx"], ["model", "other.onnx", "net.onnx"]),
                (["--model", "none.onnx"], ["none.onnx"]),
                (["--data", "npz:none.npz"], ["none.npz"]),
                (["--data", "npz:small.npz"], ["data", "expected 1x6x6"]),
                (["--data", "npz:data.npz", "--unseen-only"], ["data.npz", "unseen"]),
                (["-o", "none/v.json"], ["none"]),
                (["-o", "run.h5"], ["run.h5"])]:
            with self.subTest(arguments):
                self.refuses(self.validate, *arguments, naming=naming)
        self.vigor("inject", "net.onnx", "--data", "npz:data.npz", "--plan", "layer", "-o", "fi.h5")
        self.refuses(self.vigor, "validate", "fi.h5", naming=["fi.h5", "injection"])
        np.savez(self.folder / "data.npz", x=samples()["x"] + 1)
        self.refuses(self.validate, naming=["data.npz", "SHA-256"])

    def test_usage(self):
        for arguments in (["--plan", "model"], ["--require", "2"], ["--margin", "2"], ["--threads", "0"],
                          ["--unseen-only"], ["--scale", "1/255"], ["--inputs", "0"]):
            with self.subTest(arguments):
                self.vigor("validate", "run.h5", *arguments, code=2)


if __name__ == "__main__":
    unittest.main()
