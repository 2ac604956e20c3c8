#!/usr/bin/env python3
"""Fails on an include against the permitted direction. The permitted links stand in src/CMakeLists.txt (USES) and nowhere else.

  check_includes.py SRC
"""
import pathlib
import re
import sys

FOLDER = re.compile(r"glasspost_folder\((\w+)(?:\s+USES\s+([\w\s]+?))?(?:\s+LIBRARIES[^)]*)?\)")
INCLUDE = re.compile(r'^\s*#\s*include\s*"(\w+)/', re.M)
EVERYTHING = {"cli", "lab"}  # may use all folders
# Sockets, wall clocks and threads have no place below analysis (live capture excepted).
PURE = ("base", "wire", "capture")
IMPURE = re.compile(r"^\s*#\s*include\s*<(thread|mutex|condition_variable|future|sys/socket\.h|netinet/\w+\.h|arpa/inet\.h)>", re.M)


def permitted(src):
    """folder → folders that it may include"""
    text = (src / "CMakeLists.txt").read_text()
    links = {name: set((uses or "").split()) | {name} for name, uses in FOLDER.findall(text)}
    if not links:
        raise SystemExit(f"{src}/CMakeLists.txt: no glasspost_folder(...) found")
    return links


def faults(src):
    links = permitted(src)
    for file in sorted(src.rglob("*")):
        if file.suffix not in (".h", ".cc", ".inc"):
            continue
        folder = file.relative_to(src).parts[0]
        text = file.read_text()
        test = file.name.endswith("_test.cc")
        for used in INCLUDE.findall(text):
            if used not in links and used not in EVERYTHING:
                continue  # not a folder of ours (tests/support)
            if folder in EVERYTHING or used in links.get(folder, set()):
                continue
            yield f"{file}: includes {used}/, which src/{folder} may not use"
        if folder in PURE and not test and "live" not in file.parts:
            for header in IMPURE.findall(text):
                if header == "mutex" and "call_once" in text:
                    continue  # initialising a library once is no thread of ours
                yield f"{file}: includes <{header}>; src/{folder} knows no threads and no sockets"


if __name__ == "__main__":
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(1 if found else 0)
