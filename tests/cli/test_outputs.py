#!/usr/bin/python3
"""Where results and messages go: files that cannot be written, full disks, closed streams.

    VIGOR=build/release/vigor tests/cli/test_outputs.py [Class[.test]...]
"""
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
import unittest
from pathlib import Path

import numpy as np
import onnx

from case import VIGOR, Case, limit_file_size, network, png, samples


class BadOutput(Case):
    def test_no_such_folder(self):
        self.refuses(self.analyze, output="no/run.h5", naming=["no/run.h5", "no folder"])

    def test_folder(self):
        (self.folder / "run.h5").mkdir()
        self.refuses(self.analyze, naming=["run.h5", "folder"])

    def test_model(self):
        (self.folder / "link.onnx").symlink_to("net.onnx")
        for name in ("net.onnx", "link.onnx"):
            self.refuses(self.analyze, output=name, naming=[name, "destroy", "net.onnx"])

    @unittest.skipIf(os.geteuid() == 0, "root may write everywhere")
    def test_no_permission(self):
        (self.folder / "locked").mkdir(mode=0o500)
        self.refuses(self.analyze, output="locked/run.h5", naming=["locked", "permission"])

    def test_file_size_limit(self):
        self.refuses(self.analyze, naming=["run.h5", "File too large"], late=True,
                     preexec_fn=limit_file_size)

    def test_file_size_limit_keeps_the_old_file(self):
        self.save("run.h5", b"precious")
        self.refuses(self.analyze, naming=["run.h5"], late=True, preexec_fn=limit_file_size)
        self.assertEqual((self.folder / "run.h5").read_bytes(), b"precious")

    def test_disk_full(self):
        small = self.small_disk("16k")
        self.refuses(self.analyze, output="small/run.h5", late=True,
                     naming=["small/run.h5", "No space left"])
        self.assertEqual(list(small.iterdir()), [])

    def test_tables_on_a_full_disk(self):
        self.analyze()
        result = self.vigor("show", "run.h5", "--csv", "tables", code=1,
                            preexec_fn=limit_file_size)
        self.assertRegex(result.stderr, r"\Avigor: \[tables/\w+\.csv\] cannot be written.*\n\Z")

    def test_standard_output_full(self):
        self.analyze()
        for arguments in (["inspect", "net.onnx"], ["inspect", "net.onnx", "--json"],
                          ["show", "run.h5"], ["show", "run.h5", "--json"],
                          ["analyze", "net.onnx", "--data", "npz:data.npz", "--dry-run"]):
            with self.subTest(arguments), open("/dev/full", "wb") as full:
                result = subprocess.run([VIGOR, *arguments], cwd=self.folder, stdout=full,
                                        stderr=subprocess.PIPE, text=True)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stderr, r"\Avigor: .*cannot (be )?writ.*\n\Z")

    def destroys(self, what, *arguments):
        with self.subTest(arguments):
            self.refuses(self.vigor, *arguments, naming=["destroy", what])

    def test_other_files_of_the_command(self):
        self.analyze()
        self.analyze("--shard", "1/1", output="part.h5")
        self.save("names.txt", b"a\nb\nc\n")
        self.save("list.csv", b"input,site,element,bit\n0,conv1,0,30\n")
        data = ["--data", "npz:data.npz"]
        inject = ["inject", "net.onnx", *data, "--faults", "list.csv"]
        for command in (["analyze", "net.onnx", *data], inject, ["map", "run.h5"],
                        ["report", "run.h5"], ["merge", "part.h5"], ["validate", "run.h5", "--plan", "layer"]):
            self.destroys("data.npz", *command, "-o", "data.npz")
            self.destroys("net.onnx", *command, "-o", "net.onnx")
        for command in (["map", "run.h5"], ["report", "run.h5"], ["validate", "run.h5"],
                        ["overlay", "run.h5", "net.onnx", "--as", "onnx"]):
            self.destroys("run.h5", *command, "-o", "run.h5")
        self.destroys("part.h5", "merge", "part.h5", "-o", "part.h5")
        self.destroys("names.txt", "analyze", "net.onnx", *data, "--class-names", "names.txt",
                      "-o", "names.txt")
        self.destroys("list.csv", *inject, "-o", "list.csv")
        self.destroys("list.csv", *inject, "-o", "x.h5", "--save-faults", "list.csv")
        self.destroys("x.h5", *inject, "-o", "x.h5", "--save-faults", "x.h5")
        for name in ("x.h5.partial", "x.h5.parts"):
            self.destroys(name, *inject, "-o", "x.h5", "--save-faults", name)
        os.rename(self.folder / "net.onnx", self.folder / "y.h5.partial")
        self.destroys("y.h5.partial", "analyze", "y.h5.partial", *data, "-o", "y.h5")

    def test_files_of_data_and_weights(self):
        """Those that the command line does not name."""
        model = network()
        onnx.external_data_helper.convert_model_to_external_data(model, location="weights.bin",
                                                                 size_threshold=0)
        onnx.save(model, str(self.folder / "net.onnx"))
        for label in range(3):
            (self.folder / f"images/{label}").mkdir(parents=True)
            self.save(f"images/{label}/0.png", png(np.full((6, 6), 80 * label, np.uint8)))
        data = ["--data", "images:images"]
        self.vigor("analyze", "net.onnx", *data, "-o", "run.h5")
        self.vigor("analyze", "net.onnx", *data, "--shard", "1/1", "-o", "part.h5")
        inject = ["inject", "net.onnx", *data]
        for command in (["analyze", "net.onnx", *data, "-o"], [*inject, "-o"], ["map", "run.h5", "-o"],
                        [*inject, "-o", "x.h5", "--save-faults"], ["merge", "part.h5", "-o"],
                        ["validate", "run.h5", "--plan", "layer", "-o"]):
            self.destroys("weights.bin", *command, "weights.bin")
            self.destroys("images", *command, "images/0/0.png")
        self.destroys("images", "report", "run.h5", "-o", "images/0/0.png")
        self.vigor("analyze", "net.onnx", *data, "-o", "images/run.h5")
        self.vigor("analyze", "net.onnx", *data, "-o", "images/run.h5")

    def test_long_name(self):
        self.analyze(output=247 * "a")
        self.refuses(self.analyze, output=248 * "a", naming=["longer than 255 bytes"])

    def test_parts_lie_beside_the_file(self):
        """And not beside a link that leads to it."""
        (self.folder / "there").mkdir()
        self.save("there/run.h5", b"")
        (self.folder / "link.h5").symlink_to("there/run.h5")
        (self.folder / "link.h5.parts").write_bytes(b"")  # no folder can be made here
        self.analyze(output="link.h5")
        self.vigor("show", "there/run.h5")

    def test_links(self):
        """Followed to a file, and nowhere else."""
        self.save("old.h5", b"")
        (self.folder / "link.h5").symlink_to("old.h5")
        self.analyze(output="link.h5")
        self.assertTrue((self.folder / "link.h5").is_symlink())
        self.vigor("show", "old.h5")
        (self.folder / "nowhere.h5").symlink_to("none/none.h5")
        result = self.analyze(output="nowhere.h5", code=1)
        self.assertIn("leads to no file", result.stderr)
        (self.folder / "nowhere.h5").unlink()
        (self.folder / "x.h5.partial").symlink_to("net.onnx")
        self.refuses(self.analyze, output="x.h5", naming=["x.h5.partial", "in the way"])
        for output in ("/dev/null", ""):
            self.refuses(self.analyze, output=output, naming=[output])
        with open(self.folder / "out.h5", "wb") as out:
            subprocess.run([VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o",
                            "/dev/stdout"], cwd=self.folder, stdout=out, stderr=subprocess.DEVNULL,
                           check=True)
        self.assertTrue(Path("/dev/stdout").is_symlink())
        self.vigor("show", "out.h5")


class Writers(Case):
    def test_one_at_a_time(self):
        self.analyze()
        with open(self.folder / "m.h5.partial", "wb") as other:
            fcntl.flock(other, fcntl.LOCK_EX)
            result = self.vigor("map", "run.h5", "--format", "int8", "-o", "m.h5", code=1)
            self.assertIn("another process is writing it", result.stderr)
            self.assertTrue((self.folder / "m.h5.partial").exists())
        self.vigor("map", "run.h5", "--format", "int8", "-o", "m.h5")
        self.assertFalse((self.folder / "m.h5.partial").exists())


class Streams(Case):
    """Nobody need read what a run says."""

    def test_standard_error(self):
        command = [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o"]
        self.analyze()
        for how in ("2>/dev/full", "2>&-", "2>&1 >/dev/null | true", ">&- 2>&- <&-"):
            with self.subTest(how):
                line = " ".join(map(str, command)) + ' "$0" ' + how
                subprocess.run(["bash", "-c", line, "x.h5"], cwd=self.folder, check=True)
                for _ in range(100):  # the pipe's writer may still be at work
                    if (self.folder / "x.h5").exists():
                        break
                    time.sleep(0.05)
                self.assertEqual(self.content("x.h5"), self.content())
                (self.folder / "x.h5").unlink()
        for how in ("2>/dev/full", "2>&-"):
            code = subprocess.run(["bash", "-c", f"{VIGOR} inspect none.onnx {how}"],
                                  cwd=self.folder).returncode
            self.assertEqual(code, 1)

    def test_standard_output(self):
        self.analyze()
        for command in ("show run.h5", "inspect net.onnx", "help", "--help", "--version",
                        "analyze --help"):
            for how in (">&-", ">/dev/full"):
                with self.subTest(command + how):
                    result = subprocess.run(["bash", "-c", f"{VIGOR} {command} {how}"],
                                            cwd=self.folder, capture_output=True)
                    self.assertEqual(result.returncode, 1)
                    self.assertIn(b"stdout", result.stderr)
            result = subprocess.run(
                ["bash", "-c", f"{VIGOR} {command} | true; echo ${{PIPESTATUS[0]}}"],
                cwd=self.folder, capture_output=True)
            self.assertEqual(result.stderr, b"")
            self.assertIn(result.stdout, (b"0\n", b"141\n"))

    def test_file_size_limit(self):
        """By itself it ends a process."""
        result = subprocess.run(
            ["bash", "-c", f"ulimit -f 1; {VIGOR} analyze net.onnx --data npz:data.npz -o x.h5"],
            cwd=self.folder, capture_output=True)
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"File too large", result.stderr)
        self.assertFalse(list(self.folder.glob("x.h5*.partial")))


class Progress(Case):
    def test_none_in_a_pipe(self):
        result = self.analyze()
        self.assertEqual(result.stdout, "")
        self.assert_harmless(result.stderr)
        for site in ("conv1", "fc1", "fc2"):
            self.assertIn(site, result.stderr)

    def test_bar_on_a_terminal(self):
        np.savez(self.folder / "data.npz", **samples(10000))  # seconds of work
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 25, 80, 0, 0))
        process = subprocess.Popen(
            [VIGOR, "analyze", "net.onnx", "--data", "npz:data.npz", "-o", "run.h5",
             "--prober", "reference"], cwd=self.folder, stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        text = b""
        try:
            while select.select([ours], [], [], 60)[0]:
                text += os.read(ours, 4096)
        except OSError:  # the other side was closed
            pass
        os.close(ours)
        self.assertEqual((process.communicate()[0], process.returncode), (b"", 0))
        self.assertRegex(text, rb"\r\033\[K\[#*\.*\] +[\d.]+ %")
        widest = max(len(part) for part in text.replace(b"\033[K", b"").replace(b"\n", b"\r")
                     .split(b"\r"))
        self.assertLess(widest, 80)


if __name__ == "__main__":
    unittest.main()
