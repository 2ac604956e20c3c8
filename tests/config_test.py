#!/usr/bin/env python3
"""`glasspost config`: what it shows is a file that it finds no mistakes in; mistakes are told with their places, and the exit status says so.

  config_test.py GLASSPOST
"""
import os
import subprocess
import sys
import tempfile
import tomllib
import unittest

GLASSPOST = ""
DONE, MISTAKES, USAGE, CANNOT_READ = 0, 1, 2, 3


class Config(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "mail.toml")

    def run_it(self, *words):
        run = subprocess.run([GLASSPOST, "config", *words], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, text=True)
        return run.returncode, run.stdout, run.stderr

    def check(self, text):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write(text)
        return self.run_it("check", self.path)

    def test_show(self):
        status, shown, err = self.run_it("show")
        self.assertEqual((status, err), (DONE, ""))
        self.assertEqual(self.check(shown), (DONE, f"{self.path}: no mistakes\n", ""))
        # Another reader of TOML sees the same.
        table = tomllib.loads(shown)
        self.assertEqual(table["listen"]["smtp"], ["127.0.0.1:1025"])
        self.assertEqual(table["retry"], {"first": "5 min", "growth": 2.0, "maximum": "4 h", "give_up": "5 d", "delay_notice": "4 h"})
        self.assertTrue(all(len(line) <= 110 for line in shown.splitlines()))
        # Each setting stands under a comment of its own.
        lines = shown.splitlines()
        for before, line in zip(lines, lines[1:]):
            if " = " in line and not line.startswith("#"):
                self.assertTrue(before.startswith("# "), line)

    def test_forms_of_rows(self):
        """what stands there as a comment is a row to be filled in"""
        shown = self.run_it("show")[1].splitlines()
        row = [line[2:] for line in shown if line.startswith(("# [[relay.route]]", "# domain =", "# host ="))]
        self.assertEqual(row[0], "[[relay.route]]")
        status, _, err = self.check("\n".join(row))
        self.assertEqual((status, err), (MISTAKES, f"{self.path}:2:10: relay.route[0].domain: must not be empty\n"))
        self.assertEqual(self.check("\n".join(row).replace('domain = ""', 'domain = "example.org"'))[0], DONE)

    def test_mistakes(self):
        status, out, err = self.check('[limits]\nmesage = "1 MiB"\nrecipients = 5\n\n[lisen]\n')
        self.assertEqual((status, out), (MISTAKES, ""))
        self.assertEqual(err.splitlines(), [
            f"{self.path}:2:1: limits.mesage: there is no such setting (did you mean limits.message?)",
            f"{self.path}:3:14: limits.recipients: must be from 100 to 100000",
            f"{self.path}:5:2: lisen: there is no such section (did you mean [listen]?)"])
        status, _, err = self.check("[limits]\nmessage = \n")
        self.assertEqual(status, MISTAKES)
        self.assertTrue(err.startswith(f"{self.path}:2:"), err)
        self.assertEqual(err.count("\n"), 1)

    def test_escapes(self):
        err = self.check('[server]\n"\\u001b[31m\\n" = 1\nhost = "\\u001b[31m"\n')[2]
        self.assertEqual(err.count("\n"), 2)
        self.assertNotIn("\x1b", err)

    def test_cannot_read(self):
        for path, why in ((self.path, "No such file or directory"), (os.path.dirname(self.path), "Is a directory")):
            self.assertEqual(self.run_it("check", path), (CANNOT_READ, "", f"{path}: cannot be read: {why}\n"))
        with open("/dev/full", "w", encoding="utf-8") as full:
            run = subprocess.run([GLASSPOST, "config", "show"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
        self.assertEqual((run.returncode, run.stderr), (CANNOT_READ, "glasspost: standard output: cannot be written\n"))

    def test_much_that_cannot_be_written(self):
        """more than one buffer of standard output"""
        for words in (["providers", "--json"], ["help"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                run = subprocess.run([GLASSPOST, *words], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
            self.assertEqual((run.returncode, run.stderr), (CANNOT_READ, "glasspost: standard output: cannot be written\n"), words)

    def test_usage(self):
        for words in ((), ("shw",), ("show", "x"), ("check",), ("check", "a", "b"), ("show", "--x")):
            status, out, err = self.run_it(*words)
            self.assertEqual((status, out), (USAGE, ""), words)
            self.assertIn("glasspost: config: ", err)
        self.assertIn("did you mean show?", self.run_it("shw")[2])

    def test_help(self):
        for words, word in ((("--help",), "config check FILE"), (("--lang", "zh", "-h"), "退出状态")):
            status, out, err = self.run_it(*words)
            self.assertEqual((status, err), (DONE, ""))
            self.assertIn(word, out)


if __name__ == "__main__":
    GLASSPOST = sys.argv.pop(1)
    unittest.main()
