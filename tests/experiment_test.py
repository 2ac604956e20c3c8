#!/usr/bin/env python3
"""The experiment, line by line: what `glasspost analyze` tells of the project's two captures, in both languages.

  experiment_test.py GLASSPOST [--update]     --update writes the expected texts anew; read the difference before you keep it
"""
import difflib
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).parent


def main():
    glasspost, update = sys.argv[1], "--update" in sys.argv
    faults = 0
    for name in ("login", "send"):
        for language in ("en", "zh"):
            for masked in (False, True):
                expected = HERE / "experiment" / f"{name}.{language}{'.masked' if masked else ''}.txt"
                command = [glasspost, "analyze", str(HERE / "captures" / f"{name}.pcap"), "-c", "1", "--full", "--lang", language, "--color", "never"]
                run = subprocess.run(command + ([] if masked else ["--show-secrets"]), capture_output=True, text=True)
                assert run.returncode == 0, run.stderr
                if update:
                    expected.write_text(run.stdout)
                    continue
                difference = list(difflib.unified_diff(expected.read_text().splitlines(), run.stdout.splitlines(), str(expected), "told", lineterm=""))
                print("\n".join(difference), end="\n" if difference else "")
                faults += bool(difference)
                for secret in ("wonderland", "d29uZGVybGFuZA", "PASS builder"):
                    if masked and secret in run.stdout:
                        print(f"{expected.name}: the secret {secret!r} is shown")
                        faults += 1
    return 1 if faults else 0


sys.exit(main())
