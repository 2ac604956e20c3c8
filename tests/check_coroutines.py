#!/usr/bin/env python3
"""Fails where an awaited value does not stand in a statement of its own: gcc 12 destroys temporaries of such expressions twice, or
puts a trap into the coroutine (conditions, conditional expressions, "co_return co_await").

  check_coroutines.py SRC
"""
import pathlib
import re
import sys

AWAIT = re.compile(r"\bco_await\b")
COMMENT = re.compile(r"//.*$")


def parenthesis(text):
    """up to the one that closes what was opened before"""
    depth = 1
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0:
            return text[:i]
    return text


def faults(src):
    for file in sorted(src.rglob("*")):
        if file.suffix not in (".h", ".cc") or file.name.endswith("_test.cc") or file.name == "test_support.h":
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            code = COMMENT.sub("", line)
            if not AWAIT.search(code):
                continue
            begin = re.search(r"\b(?:if|while|switch) \(", code)
            inside = begin and AWAIT.search(parenthesis(code[begin.end() :]))
            if inside or "co_return co_await" in code or re.search(r"[?&|!]\s*co_await|\(\s*co_await", code):
                yield f"{file}:{number}: an awaited value needs a statement of its own: {line.strip()}"


def main():
    found = list(faults(pathlib.Path(sys.argv[1])))
    print("\n".join(found), end="\n" if found else "")
    return 1 if found else 0


sys.exit(main())
