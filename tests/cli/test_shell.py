#!/usr/bin/python3
"""vigor help, the manual page, completion, the version.

    VIGOR=build/release/vigor tests/cli/test_shell.py [Class[.test]...]
"""
import os
import pty
import re
import select
import shutil
import subprocess
import unittest

from case import VIGOR, Case

COMMANDS = ("inspect analyze inject map merge show diff gate validate report overlay bench "
            "completion help").split()


class Help(Case):
    def test_is_that_of_the_command(self):
        self.assertEqual(self.vigor("help").stdout, self.vigor("--help").stdout)
        for command in COMMANDS:
            text = self.vigor("help", command).stdout
            self.assertEqual(text, self.vigor(command, "--help").stdout)
            self.assertRegex(text, r"(?s)Examples?:\n.* (source <\()?vigor " + command)

    def test_lists_every_command(self):
        found = re.findall(r"^  (\w+) {3,}", self.vigor("help").stdout.split("Subcommands:")[1],
                           re.MULTILINE)
        self.assertEqual([name for name in found if not name.isdigit()], COMMANDS)

    def test_unknown_command(self):
        self.assertIn("nope", self.vigor("help", "nope", code=2).stderr)

    def test_exit_codes(self):
        text = self.vigor("--help").stdout
        for code in ("0", "1", "2", "3", "130"):
            self.assertRegex(text, rf"\n  {code} +\w")

    def test_version(self):
        self.assertRegex(self.vigor("--version").stdout,
                         r"\Avigor \S+ \(own kernels, oneDNN not used, instruction set \w+\)\n\Z")


class ManualPage(Case):
    def setUp(self):
        super().setUp()
        self.page = self.vigor("help", "--man").stdout

    def test_names_every_command_and_option(self):
        for command in COMMANDS:
            self.assertIn(f".SS vigor {command}\n", self.page)
            options = set(re.findall(r"(?<=[ ,])--[a-z-]+(?=[ ,])",
                                     self.vigor(command, "--help").stdout)) - {"--help"}
            section = self.page.split(f".SS vigor {command}\n")[1].split("\n.S")[0]
            for option in options:
                self.assertIn(option.replace("-", r"\-"), section)

    def test_renders_without_warnings(self):
        if not shutil.which("groff"):
            self.skipTest("no groff")
        self.save("vigor.1", self.page.encode())
        result = subprocess.run(["groff", "-man", "-ww", "-Tutf8", self.folder / "vigor.1"],
                                capture_output=True, text=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        for title in ("NAME", "SYNOPSIS", "COMMANDS", "EXIT STATUS"):
            self.assertIn(f"\n{title}\n", re.sub(".\b", "", result.stdout))
        if shutil.which("man"):
            result = subprocess.run(["man", "-l", self.folder / "vigor.1"], capture_output=True,
                                    text=True, env={**os.environ, "MAN_KEEP_STDERR": "1"})
            self.assertEqual((result.returncode, result.stderr), (0, ""))


CASES = [(["ana"], {"analyze"}), (["help", "val"], {"validate"}),
         (["analyze", "--keep-th"], {"--keep-thresholds"}), (["analyze", "--classes", "no"], {"none"}),
         (["completion", "z"], {"zsh"}), (["show", "da"], {"data.npz"})]


class Completion(Case):
    def test_bash(self):
        self.save("vigor.bash", self.vigor("completion", "bash").stdout.encode())
        for words, expected in CASES:
            quoted = " ".join(f"'{word}'" for word in ["vigor", *words])
            # Bash itself adds the files where the function leaves COMPREPLY empty.
            script = (f"set -u; . ./vigor.bash; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; "
                      f"_vigor; ((${{#COMPREPLY[@]}})) || COMPREPLY=($(compgen -f '{words[-1]}'));"
                      " printf '%s\\n' \"${COMPREPLY[@]}\"")
            result = subprocess.run(["bash", "-c", script], cwd=self.folder, capture_output=True,
                                    text=True, check=True)
            self.assertEqual(set(result.stdout.split()), expected, words)
            self.assertEqual(result.stderr, "")

    def test_zsh(self):
        if not shutil.which("zsh"):
            self.skipTest("no zsh")
        self.save("_vigor", self.vigor("completion", "zsh").stdout.encode())
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.folder)
            os.environ.update(TERM="dumb", PATH=f"{VIGOR.parent}:{os.environ['PATH']}")
            os.execvp("zsh", ["zsh", "-f", "-i"])
        self.addCleanup(os.waitpid, process, 0)
        self.addCleanup(os.close, terminal)

        def read_until(text):
            seen = ""
            while text not in seen and select.select([terminal], [], [], 20)[0]:
                seen += os.read(terminal, 4096).decode(errors="replace").replace("\a", "")
            self.assertIn(text, seen)

        os.write(terminal, b"fpath=($PWD $fpath); autoload -U compinit; compinit -u -D; echo rea''dy\n")
        read_until("ready")
        for words, (expected,) in CASES:
            os.write(terminal, " ".join(["vigor", *words]).encode() + b"\t")
            read_until(" ".join(["vigor", *words[:-1], expected]))
            os.write(terminal, b"\x15")

    def test_usage(self):
        self.vigor("completion", code=2)
        self.vigor("completion", "fish", code=2)


if __name__ == "__main__":
    unittest.main()
