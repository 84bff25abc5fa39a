#!/usr/bin/python3
"""mpirun vigor: any number of ranks gives the bits of one process, and failures are told by name.

    VIGOR=build/release/vigor tests/cli/test_ranks.py [Class[.test]...]

Exit code 77: there is no mpirun, or vigor is built without MPI.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import unittest

import h5py
import numpy as np

from case import VIGOR
from test_durable import ANALYZE, FAILING, INJECT, LONG, SLOW, Durable

MPIRUN = ("mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none")
HOST = socket.gethostname()


def have_mpi():
    if not shutil.which("mpirun"):
        return False
    alone = subprocess.run([*MPIRUN, "-n", "2", VIGOR, "show", "x.h5"], capture_output=True, text=True)
    return "built without MPI" not in alone.stderr


class Ranks(Durable):
    def mpirun(self, *programs, code=0, timeout=120):
        """Each program: (ranks, environment, arguments)."""
        command = list(MPIRUN)
        for ranks, env, arguments in programs:
            command += [":"] if len(command) > len(MPIRUN) else []
            command += ["-n", str(ranks)]
            for name, value in env.items():
                command += ["-x", f"{name}={value}"]
            command += [VIGOR, *arguments]
        result = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=timeout)
        self.assertEqual(result.returncode, code, result.stdout + result.stderr)
        return result

    def ranks(self, count, *arguments, **options):
        return self.mpirun((count, {}, arguments), **options)

    def said(self, result):
        return [line for line in result.stderr.splitlines() if line.startswith("vigor: ")]


class SameBits(Ranks):
    def check(self, *job):
        self.vigor(*job, "-o", "whole.h5")
        for count in (1, 2, 3, 4):
            self.ranks(count, *job, "-o", "run.h5")
            with self.subTest(count=count):
                self.assert_equal_files("whole.h5", "run.h5")
                self.assert_clean()
        # Ranks with other numbers of threads.
        self.mpirun(*[(1, {}, (*job, "--threads", threads, "-o", "run.h5")) for threads in "312"])
        self.assert_equal_files("whole.h5", "run.h5")

    def test_analyze(self):
        self.check(*ANALYZE, "--keep-thresholds", "--audit", "2%")

    def test_analyze_samples(self):
        self.check(*ANALYZE, "--classes", "none", "--neurons", "30%", "--sites", "all", "--inputs",
                   "100", "--seed", "5", "--prober", "suffix")

    def test_method_paper(self):
        self.check(*ANALYZE, "--inputs", "1000", "--method", "paper")

    def test_inject(self):
        self.check(*INJECT, "--plan", "layer")
        self.check(*INJECT, "--exhaustive", "--inputs", "80", "--format", "int8")

    def test_inject_until_margin(self):
        self.check(*INJECT, "--until-margin", "--plan", "input", "--margin", "0.02", "--inputs", "500")
        self.check(*INJECT, "--until-margin", "--plan", "model", "--margin", "0.01")

    def test_list_of_faults(self):
        job = (*INJECT, "--exhaustive", "--inputs", "200")
        self.vigor(*job, "--save-faults", "one.csv", "-o", "one.h5")
        self.ranks(3, *job, "--save-faults", "three.csv", "-o", "three.h5")
        self.assertEqual((self.folder / "one.csv").read_bytes(),
                         (self.folder / "three.csv").read_bytes())
        self.check(*INJECT, "--faults", "one.csv")

    def test_validate(self):
        self.vigor(*ANALYZE, "--inputs", "200", "-o", "run.h5")
        data = dict(np.load(self.folder / "data.npz"))
        np.savez(self.folder / "more.npz", x=data["x"][::-1], y=data["y"][::-1])
        for more in (("--plan", "exhaustive"), ("--data", "npz:more.npz", "--plan", "layer")):
            one = self.vigor("validate", "run.h5", *more, "-o", "one.json").stdout
            three = self.ranks(3, "validate", "run.h5", *more, "-o", "three.json").stdout
            self.assertEqual((self.folder / "one.json").read_bytes(),
                             (self.folder / "three.json").read_bytes())
            seconds = re.compile(r"[\d.]+ m?s\b")
            self.assertEqual(seconds.sub("", one), seconds.sub("", three))
            self.assert_clean("three.json")

    def test_shards(self):
        self.vigor(*ANALYZE, "-o", "whole.h5")
        self.ranks(2, *ANALYZE, "--shard", "1/2", "-o", "1.h5")
        self.ranks(3, *ANALYZE, "--shard", "2/2", "-o", "2.h5")
        self.vigor("merge", "1.h5", "2.h5", "-o", "run.h5")
        self.assert_equal_files("whole.h5", "run.h5")

    def test_provenance(self):
        self.ranks(3, *ANALYZE, "--threads", "2", "-o", "run.h5")
        with h5py.File(self.folder / "run.h5") as file:
            self.assertEqual(file["provenance"].attrs["ranks"], 3)
            self.assertEqual(file["provenance"].attrs["threads"], 6)


class Threads(Ranks):
    def threads(self, *mpirun):
        subprocess.run([*mpirun, VIGOR, *ANALYZE, "--inputs", "70", "-o", "run.h5"], cwd=self.folder,
                       check=True, capture_output=True)
        with h5py.File(self.folder / "run.h5") as file:
            return file["provenance"].attrs["threads"]

    def test_no_more_than_cores(self):
        cores = len(os.sched_getaffinity(0))
        for ranks in (1, 2, 3):
            self.assertEqual(self.threads(*MPIRUN, "-n", str(ranks)), max(cores, ranks))

    def test_bound_to_cores(self):
        if len(os.sched_getaffinity(0)) < 2:
            self.skipTest("needs two cores")
        bound = ("mpirun", "--allow-run-as-root", "--bind-to", "hwthread", "-n", "2")
        self.assertEqual(self.threads(*bound), 2)


class Ends(Ranks):
    def start_ranks(self, count, *arguments):
        """Slow ones, of one thread each: mpirun takes a second to pass a signal on."""
        command = list(MPIRUN)
        for name, value in SLOW.items():
            command += ["-x", f"{name}={value}"]
        process = subprocess.Popen([*command, "-n", str(count), VIGOR, *arguments, "--threads", "1"],
                                   cwd=self.folder, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        return process

    def ranks_of(self, process):
        """Processes of its ranks, by number."""
        found = {}
        for child in subprocess.run(["ps", "-o", "pid=", "--ppid", str(process.pid)],
                                    capture_output=True, text=True).stdout.split():
            try:
                with open(f"/proc/{child}/environ", "rb") as file:
                    rank = re.search(rb"OMPI_COMM_WORLD_RANK=(\d+)", file.read())
            except OSError:
                continue
            if rank:
                found[int(rank[1])] = int(child)
        return found

    def test_killed_ranks(self):
        """One rank after the other dies; the job goes on each time with another number of ranks."""
        self.vigor(*LONG, "-o", "whole.h5")
        reused = 0
        for count, dies in ((3, 1), (2, 0), (4, 3)):
            process = self.start_ranks(count, *LONG, "-o", "run.h5")
            self.wait_for_parts(process, least=len(self.parts()) + 2)
            os.kill(self.ranks_of(process)[dies], signal.SIGKILL)
            self.assertNotEqual(process.wait(30), 0)
            text = process.stderr.read()
            found = re.search(r"(\d+) of \d+ units reused", text)
            self.assertGreaterEqual(int(found[1]) if found else 0, reused)
            reused = int(found[1]) if found else 0
            self.assertFalse((self.folder / "run.h5").exists())
        result = self.ranks(2, *LONG, "-o", "run.h5")
        self.assertGreater(int(re.search(r"(\d+) of \d+ units reused", result.stderr)[1]), reused)
        self.assert_equal_files("whole.h5", "run.h5")
        self.assert_clean()

    def test_goes_on_alone_and_the_other_way_round(self):
        self.vigor(*LONG, "-o", "whole.h5")
        process = self.start_ranks(2, *LONG, "-o", "run.h5")
        self.wait_for_parts(process)
        process.send_signal(signal.SIGTERM)
        self.assertNotEqual(process.wait(30), 0)
        kept = len(self.parts())
        self.assertGreater(kept, 0)
        code, text, _ = self.interrupted(*LONG, least=kept + 2)
        self.assertEqual(code, -signal.SIGKILL)
        self.assertIn("units reused", text)
        self.assertIn("units reused", self.ranks(3, *LONG, "-o", "run.h5").stderr)
        self.assert_equal_files("whole.h5", "run.h5")
        self.assert_clean()

    def test_failing_rank_is_named(self):
        job = (*LONG, "-o", "run.h5")
        fails = {"LD_PRELOAD": FAILING, "FAIL_CALL": "fsync:3"}
        result = self.mpirun((1, {}, job), (1, fails, job), code=1)
        self.assertEqual(len(self.said(result)), 1, result.stderr)
        self.assertRegex(self.said(result)[0], rf"^vigor: \[rank 1 on {HOST}, unit \d+\] \[run.h5.parts/.*"
                                               "cannot be written")
        self.assertIn("units reused", self.ranks(2, *job).stderr)
        self.vigor(*LONG, "-o", "whole.h5")
        self.assert_equal_files("whole.h5", "run.h5")

    def test_what_fails_everywhere_is_said_once(self):
        for job in (("analyze", "none.onnx", "--data", "npz:data.npz", "-o", "x.h5"),
                    ("inject", "net.onnx", "--data", "npz:none.npz", "-o", "x.h5")):
            result = self.ranks(3, *job, code=1)
            self.assertEqual(len(self.said(result)), 1, result.stderr)
            self.assertIn("none.", self.said(result)[0])
        result = self.ranks(3, *ANALYZE, "--no-such-option", code=2)
        self.assertEqual(result.stderr.count("--no-such-option"), 1)

    def test_progress_is_of_all(self):
        result = self.ranks(3, *ANALYZE, "-o", "run.h5")
        self.assertEqual(len(re.findall(r"^conv1 .*probes$", result.stderr, re.M)), 1)
        self.assertEqual(result.stderr.count("-> run.h5"), 1)

    def test_interrupted_ranks_keep_what_is_finished(self):
        process = self.start_ranks(3, *LONG, "-o", "run.h5")
        self.wait_for_parts(process)
        begin = time.monotonic()
        process.send_signal(signal.SIGINT)
        self.assertNotEqual(process.wait(30), 0)
        self.assertLess(time.monotonic() - begin, 10)
        self.assertIn("units reused", self.ranks(2, *LONG, "-o", "run.h5").stderr)


class Refused(Ranks):
    def test_other_instruction_sets(self):
        if "generic" in self.vigor("--version").stdout:
            self.skipTest("this machine has one instruction set")
        job = (*ANALYZE, "--inputs", "70", "-o", "run.h5")
        result = self.mpirun((1, {}, job), (1, {"VIGOR_ISA": "generic"}, job), code=1)
        self.assertEqual(len(self.said(result)), 1)
        self.assertRegex(self.said(result)[0], rf"\[rank 1 on {HOST}\] .* instruction set: got generic, "
                                               "expected .*VIGOR_ISA")
        self.assertFalse((self.folder / "run.h5.parts").exists())
        self.mpirun(*[(1, {"VIGOR_ISA": "generic"}, job)] * 2)

    def test_other_runs(self):
        for more in (("--seed", "1"), ("--tolerance-bits", "8"), ("--inputs", "80")):
            job = (*ANALYZE, "-o", "run.h5")
            result = self.mpirun((1, {}, (*job, "--inputs", "70")), (1, {}, (*job, *more)), code=1)
            self.assertEqual(len(self.said(result)), 1, result.stderr)
            self.assertIn(f"[rank 1 on {HOST}] does not fit rank 0", self.said(result)[0])

    def test_folders_that_are_not_shared(self):
        (self.folder / "elsewhere").mkdir()
        for name in ("net.onnx", "data.npz"):
            shutil.copy(self.folder / name, self.folder / "elsewhere")
        job = (*ANALYZE, "--inputs", "70", "-o")
        result = self.mpirun((1, {}, (*job, "run.h5")), (1, {}, (*job, "elsewhere/run.h5")), code=1)
        self.assertRegex(self.said(result)[0], rf"\[rank 1 on {HOST}\] does not see .*all share")

    def test_commands_for_one_process(self):
        self.vigor(*ANALYZE, "--inputs", "70", "-o", "run.h5")
        for command in (("show", "run.h5"), ("merge", "run.h5", "-o", "x.h5"), ("inspect", "net.onnx")):
            result = self.ranks(2, *command, code=1)
            self.assertEqual(len(self.said(result)), 1)
            self.assertIn("not for several processes", self.said(result)[0])
        result = self.ranks(2, "validate", "run.h5", code=1)
        self.assertIn("--output", self.said(result)[0])


if __name__ == "__main__":
    if not have_mpi():
        print("no mpirun, or vigor is built without MPI")
        sys.exit(77)
    unittest.main()
