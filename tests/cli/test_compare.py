#!/usr/bin/python3
"""vigor diff, gate and overlay.

    VIGOR=build/release/vigor tests/cli/test_compare.py [Class[.test]...]
"""
import json
import unittest

import numpy as np
import onnx
from onnx import helper

from case import HOSTILE, Case, network, samples


class Compare(Case):
    """before.h5, and after.h5 of the same network with the convolution's weights cut by ten."""

    def setUp(self):
        super().setUp()
        first = onnx.numpy_helper.to_array(network().graph.initializer[0])
        self.save("hard.onnx", network(weights={"w1": first / 10}))
        self.analyze(output="before.h5")
        self.analyze(model="hard.onnx", output="after.h5")


class Diff(Compare):
    def diff(self, *arguments, before="before.h5", after="after.h5", **options):
        return self.vigor("diff", before, after, *arguments, **options)

    def json(self, *arguments, **options):
        return json.loads(self.diff("--json", *arguments, **options).stdout)

    def test_text(self):
        text = self.diff().stdout
        for part in ("net.onnx", "hard.onnx", "conv1", "fc2", "all sites (MVF)", "moved most"):
            self.assertIn(part, text)
        self.assertLessEqual(max(map(len, text.splitlines())), 98)
        self.assertNotIn("Warning", text)
        self.assertNotIn("Neurons", self.diff("--top", "0").stdout)

    def test_json_holds_what_show_says(self):
        found = self.json("--top", "3")
        for side in ("before", "after"):
            shown = json.loads(self.vigor("show", f"{side}.h5", "--json").stdout)
            self.assertEqual(found[side]["sha256"], shown["model"]["sha256"])
            self.assertAlmostEqual(found["mvf"][side]["value"], shown["model"]["mvf"]["resolved"])
            for site, known in zip(found["sites"], shown["sites"], strict=True):
                self.assertEqual(site["name"], known["name"])
                for name, reading in (("value", "resolved"), ("low", "low"), ("high", "high")):
                    self.assertAlmostEqual(site["lvf"][side][name], known["lvf"][reading])
        self.assertEqual(len(found["neurons"]), 3)
        moved = [abs(neuron["change"]) for neuron in found["neurons"]]
        self.assertEqual(moved, sorted(moved, reverse=True))

    def test_samples(self):
        for name, model, more in (("a", "net.onnx", []), ("b", "hard.onnx", []),
                                  ("c", "net.onnx", ["--seed", "5"])):
            self.analyze("--neurons", "8", *more, model=model, output=f"{name}.h5")
        paired = self.json(before="a.h5", after="b.h5")
        low, high = paired["mvf"]["interval"]
        self.assertLessEqual(low, paired["mvf"]["change"])
        self.assertLessEqual(paired["mvf"]["change"], high)
        self.assertEqual(paired["sites"][0]["compared"], 8)
        other = self.json(before="a.h5", after="c.h5")
        self.assertLess(other["sites"][0]["compared"], 8)
        low, high = other["sites"][0]["lvf"]["interval"]
        self.assertTrue(low <= 0 <= high, "the same network")
        self.assertFalse(other["sites"][0]["lvf"]["beyond"])
        self.assertIn("Not every neuron", self.diff(before="a.h5", after="c.h5").stdout)

    def test_other_sites_and_data(self):
        np.savez(self.folder / "more.npz", **samples(20))
        self.analyze("--sites", "conv1,conv1.pre", data="npz:more.npz", output="other.h5")
        found = self.json(after="other.h5")
        self.assertEqual(found["only_before"], ["fc1", "fc2"])
        self.assertEqual(found["only_after"], ["conv1.pre"])
        text = self.diff(after="other.h5").stdout
        for part in ("Other inputs (12 before, 20 after)", "Only before: fc1, fc2"):
            self.assertIn(part, text)
        self.analyze("--sites", "fc1", output="one.h5")
        self.refuses(self.diff, after="one.h5", before="other.h5", naming=["in common"])

    def test_maps(self):
        self.analyze("--keep-thresholds", output="kept.h5")
        for name, of in (("int8", "kept"), ("float16", "kept"), ("ranges", "before")):
            self.vigor("map", f"{of}.h5", "-o", f"{name}.h5", "--format",
                       "int8" if name == "int8" else "float16")
        found = self.json(before="before.h5", after="int8.h5")
        self.assertEqual((found["after"]["format"], found["reading"]), ("int8", "resolved"))
        self.assertTrue(any("8 after" in warning for warning in found["warnings"]))
        self.assertEqual(self.json(before="float16.h5", after="int8.h5")["reading"], "resolved")
        self.assertEqual(self.json(before="float16.h5", after="ranges.h5")["reading"], "high")

    def test_refusals(self):
        self.vigor("inject", "net.onnx", "--data", "npz:data.npz", "--plan", "layer", "-o", "fi.h5")
        self.refuses(self.diff, after="fi.h5", naming=["fi.h5", "injection"])
        self.refuses(self.diff, before="none.h5", naming=["none.h5"])
        self.vigor("diff", "before.h5", code=2)

    def test_hostile_names(self):
        self.save("odd.onnx", network(node_names=[HOSTILE + n for n in "abc"],
                                      tensor_prefix=HOSTILE))
        self.analyze(model="odd.onnx", output="odd.h5")
        self.assert_harmless(self.diff(after="odd.h5").stdout)
        self.assert_harmless(self.diff("--json", after="odd.h5").stdout)


class Gate(Compare):
    def gate(self, *arguments, run="before.h5", **options):
        return self.vigor("gate", run, *arguments, **options)

    def setUp(self):
        super().setUp()
        self.model = json.loads(self.vigor("show", "before.h5", "--json").stdout)
        self.lvf = {site["name"]: site["lvf"]["resolved"] for site in self.model["sites"]}

    def test_passes_and_fails(self):
        mvf = self.model["model"]["mvf"]["resolved"]
        self.assertIn("Passed", self.gate("--max-mvf", f"{mvf + 1e-6}").stdout)
        result = self.gate("--max-mvf", f"{mvf - 1e-6}", "--max-lvf", "1", code=3)
        self.assertRegex(result.stdout, r"(?s)Failed: 1 of 4.*MVF .*OVER\n.*LVF conv1 .*ok\n")
        self.assertEqual(result.stderr, "")

    def test_named_sites(self):
        worst = max(self.lvf, key=self.lvf.get)
        self.gate("--max-lvf", "100%", "--max-lvf", f"{worst}={self.lvf[worst] + 1e-9}")
        found = json.loads(self.gate("--json", "--max-lvf", f"{worst}=0", code=3).stdout)
        self.assertFalse(found["passed"])
        only, = found["checks"]
        self.assertEqual((only["site"], only["over"], only["limit"]), (worst, True, 0))
        self.assertAlmostEqual(only["value"], self.lvf[worst])

    def test_samples_are_judged_by_the_upper_end(self):
        self.analyze("--neurons", "8", output="sample.h5")
        found = json.loads(self.gate("--json", "--max-lvf", "1", run="sample.h5").stdout)
        check = found["checks"][0]
        self.assertGreater(check["judged"], check["value"])
        self.gate("--max-lvf", f"conv1={(check['judged'] + check['value']) / 2}", run="sample.h5",
                  code=3)

    def test_maps(self):
        self.vigor("map", "before.h5", "--format", "int8", "-o", "int8.h5")
        found = json.loads(self.gate("--json", "--max-mvf", "1", run="int8.h5").stdout)
        self.assertEqual((found["format"], found["reading"]), ("int8", "high"))

    def test_refusals(self):
        self.refuses(self.gate, "--max-lvf", "conv9=1", naming=["conv9", "conv1"])
        self.refuses(self.gate, "--max-mvf", "1", run="none.h5", naming=["none.h5"])

    def test_usage(self):
        for arguments in ([], ["--max-mvf", "2"], ["--max-mvf", "x"], ["--max-lvf", "conv1="],
                          ["--max-lvf", "1", "--max-lvf", "0.5"]):
            with self.subTest(arguments):
                self.gate(*arguments, code=2)


class Overlay(Case):
    def setUp(self):
        super().setUp()
        self.analyze("--keep-thresholds")

    def overlay(self, *arguments, model="net.onnx", **options):
        return self.vigor("overlay", "run.h5", model, *arguments, **options)

    def test_node_data(self):
        self.assertEqual(self.overlay("-o", "factors.json").stdout, "")
        graph = json.loads((self.folder / "factors.json").read_text())["net"]
        shown = json.loads(self.vigor("show", "run.h5", "--json").stdout)["sites"]
        # The activation has no name: it goes by its output.
        for site, nodes in zip(shown, (["conv1", "b"], ["fc1", "f"], ["fc2"]), strict=True):
            for node in nodes:
                self.assertAlmostEqual(graph["results"][node]["value"],
                                       100 * site["lvf"]["resolved"], 5)
        self.assertEqual(len(graph["results"]), 5)
        self.assertEqual([item["stop"] for item in graph["gradient"]], [0, 1])

    def test_copy_computes_the_same(self):
        self.overlay("-o", "copy.onnx")
        old, new = (onnx.load(self.folder / name) for name in ("net.onnx", "copy.onnx"))
        onnx.checker.check_model(new)
        self.assertEqual(list(new.graph.initializer), list(old.graph.initializer))
        for before, after in zip(old.graph.node, new.graph.node, strict=True):
            after.ClearField("doc_string")
            self.assertEqual(before, after)
        self.assertEqual(old.graph, new.graph)
        self.analyze("--keep-thresholds", model="copy.onnx", output="copy.h5")
        of_run, of_copy = self.content(), self.content("copy.h5")
        for content in (of_run, of_copy):
            del content["@model"], content["@model_sha256"]
        self.assertEqual(of_run, of_copy)

    def test_figures_in_the_copy(self):
        self.overlay("-o", "copy.onnx")
        model = onnx.load(self.folder / "copy.onnx")
        figures = {entry.key: entry.value for entry in model.metadata_props}
        shown = json.loads(self.vigor("show", "run.h5", "--json").stdout)
        self.assertAlmostEqual(float(figures["vigor.mvf"]), shown["model"]["mvf"]["resolved"])
        self.assertAlmostEqual(float(figures["vigor.lvf_low.fc1"]),
                               shown["sites"][1]["lvf"]["low"])
        self.assertEqual(figures["vigor.model_sha256"], shown["model"]["sha256"])
        self.assertTrue(model.graph.node[0].doc_string.startswith("vigor: conv1: "))

    def test_as(self):
        self.overlay("-o", "factors.txt", "--as", "node-data")
        self.overlay("-o", "factors.json", "--as", "onnx")
        self.assertIn("net", json.loads((self.folder / "factors.txt").read_text()))
        onnx.checker.check_model(onnx.load(self.folder / "factors.json"))
        self.overlay("-o", "factors.txt", code=2)
        self.overlay(code=2)

    def test_maps(self):
        self.vigor("map", "run.h5", "--format", "int8", "-o", "int8.h5")
        self.vigor("overlay", "int8.h5", "net.onnx", "-o", "copy.onnx")
        model = onnx.load(self.folder / "copy.onnx")
        self.assertIn(("vigor.format", "int8"),
                      [(entry.key, entry.value) for entry in model.metadata_props])
        self.assertIn("faults (flip, int8)", model.graph.node[0].doc_string)

    def test_refusals(self):
        self.save("other.onnx", network(weights={"b1": np.zeros(2)}))
        for arguments, model, naming in [
                (["-o", "x.onnx"], "other.onnx", ["other.onnx", "net.onnx"]),
                (["-o", "x.json"], "other.onnx", ["other.onnx", "net.onnx"]),
                (["-o", "x.json"], "none.onnx", ["none.onnx"]),
                (["-o", "net.onnx"], "net.onnx", ["destroy"]),
                (["-o", "run.h5", "--as", "onnx"], "net.onnx", ["run.h5"]),
                (["-o", "none/x.json"], "net.onnx", ["none/x.json"])]:
            with self.subTest(arguments=arguments, model=model):
                self.refuses(self.overlay, *arguments, model=model, naming=naming)

    def test_hostile_names(self):
        def doubled(first, last):
            return [helper.make_node("Identity", [first], [last], "same")]
        self.save("net.onnx", network(node_names=[HOSTILE + n for n in "abc"], nodes=doubled,
                                      tensor_prefix=HOSTILE))
        self.analyze()
        self.overlay("-o", "factors.json")
        results = json.loads((self.folder / "factors.json").read_text())["net"]["results"]
        self.assertIn(HOSTILE + "a", results)
        self.overlay("-o", "copy.onnx")
        for node in onnx.load(self.folder / "copy.onnx").graph.node:
            self.assert_harmless(node.doc_string)


if __name__ == "__main__":
    unittest.main()
