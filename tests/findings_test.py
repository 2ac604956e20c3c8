#!/usr/bin/env python3
"""Every finding through the whole program: each case of findings/cases.py is played into a capture, and all that
`glasspost analyze --json` finds in it, in both languages, is compared with what stands beside the case.

  findings_test.py GLASSPOST [--update]     --update writes what is told into cases.py; read the difference before you keep it

Fails too if an id of src/wire/finding_table.inc is in no case.
"""
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "findings"))
import cases  # noqa: E402
from small_capture import START_NS, SmallCapture  # noqa: E402

TABLE = HERE.parent / "src" / "wire" / "finding_table.inc"


FIRST_PORT = 20000  # each case is a client port, from here on


def write_captures(folder):
    """one file a case, one after the other in time"""
    files, start = [], START_NS
    for i, case in enumerate(cases.CASES):
        capture = SmallCapture(case.port, FIRST_PORT + i, start, **case.options).play(case.talk)
        start = capture.now + 10**9
        files.append(pathlib.Path(folder) / f"{case.name}.pcap")
        files[-1].write_bytes(capture.pcap())
    return files


def findings(glasspost, files, language):
    """all conversations' findings, by client port"""
    run = subprocess.run([glasspost, "analyze", "--json", "--lang", language, *files], capture_output=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr.decode()
    found = {}
    for conversation in map(json.loads, run.stdout.splitlines()):
        assert conversation["client"]["port"] not in found, "a case became two conversations"
        found[conversation["client"]["port"]] = conversation["findings"]
    return found


def told(english, chinese):
    """the findings of a case as they stand in cases.py, and their ids"""
    same = ("id", "severity", "exchange", "rfc")
    assert [[f[k] for k in same] for f in english] == [[f[k] for k in same] for f in chinese], "the languages differ in more than words"
    text = ""
    for e, z in zip(english, chinese):
        where = "" if e["exchange"] is None else f" @{e['exchange']}"
        text += f"{e['severity']} {e['id']}{where} {e['rfc']}\n  {e['text']}\n  {z['text']}\n"
    return text, {f["id"] for f in english}


def write_anew(answers):
    path = HERE / "findings" / "cases.py"
    parts = re.split(r'^(case\(\s*"([^"]+)".*?told=r""")\n(.*?)(""")', path.read_text(), flags=re.M | re.S)
    for i in range(1, len(parts), 5):
        parts[i], parts[i + 1], parts[i + 2] = parts[i] + "\n", "", answers[parts[i + 1]]
    path.write_text("".join(parts))


def main():
    glasspost, update = sys.argv[1], "--update" in sys.argv
    faults, seen, answers = 0, set(), {}
    with tempfile.TemporaryDirectory() as folder:
        files = write_captures(folder)
        english, chinese = (findings(glasspost, files, language) for language in ("en", "zh"))
        for port, case in enumerate(cases.CASES, FIRST_PORT):
            if port not in english or port not in chinese:
                faults += 1
                print(f"{case.name}: no conversation was told")
                answers[case.name] = case.told
                continue
            answers[case.name], ids = told(english[port], chinese[port])
            seen |= ids
            if answers[case.name] != case.told and not update:
                faults += 1
                print(*difflib.unified_diff(case.told.splitlines(), answers[case.name].splitlines(), case.name, "told", lineterm=""), sep="\n")
    if update:
        write_anew(answers)
    ids = re.findall(r'^GLASSPOST_FINDING\(\w+, "([^"]+)"', TABLE.read_text(), re.M)
    for missing in [i for i in ids if i not in seen]:
        faults += 1
        print(f"no case shows the finding {missing}")
    print(f"{len(cases.CASES)} cases, {len(seen)} of {len(ids)} findings seen, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
