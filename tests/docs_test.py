#!/usr/bin/env python3
"""Runs every command in the documents' ```console blocks and compares what it prints with what stands there.

  docs_test.py GLASSPOST [--update]

A line that begins with "$ " is a command (a shell's, in the project's root, with glasspost on the path); the lines up to the next one are
its output, to the letter. --update writes the real output in its place.
"""
import difflib
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DOCUMENTS = ["README.md", "README.zh.md", "docs/experiment.md", "docs/experiment.zh.md", "docs/agent.md"]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)


def run(command, glasspost):
    environment = dict(os.environ, PATH=f"{pathlib.Path(glasspost).resolve().parent}:{os.environ['PATH']}", LANG="C.UTF-8", NO_COLOR="1")
    environment.pop("LC_ALL", None)
    # A reader waits a second for a server; a machine that is busy with other tests needs longer.
    patient = "sleep() { command sleep $(($1 * 3)); }; " + command
    done = subprocess.run(["bash", "-c", patient], cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
    return [line.rstrip() for line in done.stdout.splitlines()]


def check(block, glasspost):
    """the block with real output, and the differences"""
    lines, told, differences = block.splitlines(), [], []
    assert lines and lines[0].startswith("$ "), f"a console block must begin with a command: {lines[:1]}"
    i = 0
    while i < len(lines):
        command = lines[i][2:]
        told.append(lines[i])
        i += 1
        expected = []
        while i < len(lines) and not lines[i].startswith("$ "):
            expected.append(lines[i])
            i += 1
        real = run(command, glasspost)
        differences += list(difflib.unified_diff(expected, real, f"document: {command}", "told", lineterm=""))
        told += real
    return "".join(line + "\n" for line in told), differences


def main():
    glasspost, update = sys.argv[1], "--update" in sys.argv
    commands = faults = 0
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text()

        def replace(match):
            nonlocal commands, faults
            new, differences = check(match[1], glasspost)
            commands += sum(line.startswith("$ ") for line in new.splitlines())
            if differences and not update:
                print(f"{name}:", *differences, sep="\n")
                faults += 1
            return f"```console\n{new}```"

        new_text = BLOCK.sub(replace, text)
        if update:
            path.write_text(new_text)
    print(f"{commands} commands in {len(DOCUMENTS)} documents, {faults} blocks differ")
    return 1 if faults or not commands else 0


sys.exit(main())
