#!/usr/bin/env python3
"""The experiment with our own server, line by line: what `glasspost lab --once` tells, in both languages; and tshark opens its captures.

  lab_test.py GLASSPOST [--update]     --update writes the expected texts anew; read the difference before you keep it
"""
import difflib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
# What is another each time; all else is the same to the letter.
VARIES = [
    (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
    (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000", "DATE"),
    (r"\d{4}-\d\d-\d\d \(UTC\)", "DAY (UTC)"),
    (r"(?m)^  \d\d:\d\d:\d\d\.\d{6}", "  CLOCK"),
    (r"\+?\d+(?:\.\d+)? (?:ms|s)\b", "DURATION"),
    (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
    (r"\b2[0-9A-Z]{10}\b", "QUEUE-ID"),
    (r"\b\d{10}\.(\d)\b", r"UIDVALIDITY.\1"),
    (r"\b[0-9a-f]{16}…", "DIGEST…"),
]


def told(glasspost, language, folder):
    run = subprocess.run([glasspost, "lab", "--once", "--dir", folder, "--lang", language, "--color", "never"], capture_output=True, text=True, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == "", run.stderr
    text = run.stdout.replace(folder, "FOLDER")
    for pattern, word in VARIES:
        text = re.sub(pattern, word, text)
    return text


def opened_by_tshark(folder):
    """what is wrong with the captures, as tshark sees them"""
    for name, protocol, first in (("send", "smtp", "EHLO"), ("login", "pop", "USER")):
        capture = os.path.join(folder, name + ".pcapng")
        assert os.stat(capture).st_mode & 0o777 == 0o600, capture
        ports = subprocess.run(["tshark", "-r", capture, "-T", "fields", "-e", "tcp.dstport", "-c", "1"], capture_output=True, text=True, timeout=60)
        decode = ["-d", f"tcp.port=={ports.stdout.strip()},{protocol}"]
        run = subprocess.run(["tshark", "-r", capture, *decode, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE", "-V"], capture_output=True, text=True, timeout=60)
        assert run.returncode == 0, run.stderr
        for complaint in ("Malformed", "[Bad", "incorrect", "Retransmission", "Previous segment", "unseen segment"):
            if complaint in run.stdout:
                yield f"{capture}: tshark says {complaint}"
        commands = subprocess.run(["tshark", "-r", capture, *decode, "-T", "fields", "-e", f"{protocol}.re{'q.command' if protocol == 'smtp' else 'quest.command'}"],
                                  capture_output=True, text=True, timeout=60).stdout.split()
        if not commands or commands[0] != first or commands[-1] != "QUIT":
            yield f"{capture}: tshark reads the commands {commands}"


def main():
    glasspost, update = sys.argv[1], "--update" in sys.argv
    faults = []
    with tempfile.TemporaryDirectory() as folder:
        for language in ("en", "zh"):
            expected = HERE / "experiment" / f"lab.{language}.txt"
            text = told(glasspost, language, folder)
            if update:
                expected.write_text(text)
                continue
            faults += difflib.unified_diff(expected.read_text().splitlines(), text.splitlines(), str(expected), "told", lineterm="")
        if shutil.which("tshark"):
            faults += opened_by_tshark(folder)
        else:
            print("tshark is not installed: whether it opens the captures was not looked at")
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


sys.exit(main())
