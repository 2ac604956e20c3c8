#!/usr/bin/env python3
"""Compares `glasspost analyze --json` of a generated capture with the generator's truth: every message that no lost segment
touched must be there by SHA-256, every session, and every command that is in the capture, and none that is not.

  compare_big.py GLASSPOST CAPTURE TRUTH.json DETAIL.jsonl [OPTION…]
"""
import collections
import ipaddress
import json
import os
import subprocess
import sys

PEAK_MEMORY = 256 << 20  # whatever the capture's size


def key(address, port, address2, port2):
    return (str(ipaddress.ip_address(address)), port, str(ipaddress.ip_address(address2)), port2)


def command(protocol, request):
    """the name under which the generator counts a command"""
    return None if request is None or request["verb"] in (".", "*") else request["verb"]


def main():
    glasspost, capture, truth_file, detail_file, *options = sys.argv[1:]
    truth = json.load(open(truth_file))
    process = subprocess.Popen([glasspost, "analyze", "--json", *options, capture], stdout=subprocess.PIPE, text=True)
    told = collections.defaultdict(list)
    commands = {p: collections.Counter() for p in ("smtp", "pop3", "imap")}
    previous = 0
    queries = responses = 0
    for line in process.stdout:
        c = json.loads(line)
        told[key(c["client"]["address"], c["client"]["port"], c["server"]["address"], c["server"]["port"])].append(c)
        for e in c["exchanges"]:
            if c["protocol"] == "dns":
                queries += e["request"] is not None
                responses += e["reply"] is not None
            elif name := command(c["protocol"], e["request"]):
                commands[c["protocol"]][name] += 1
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        print(f"exit status {os.waitstatus_to_exitcode(status)}")
        return 1

    wrong = []
    peak = usage.ru_maxrss * 1024
    if peak > PEAK_MEMORY:
        wrong.append(f"peak memory {peak >> 20} MiB of at most {PEAK_MEMORY >> 20}")
    found = wanted = 0
    sessions = collections.Counter()
    dns_flows = collections.Counter()
    for line in open(detail_file):
        s = json.loads(line)
        k = key(*s["flow"])
        got = [c for c in told.get(k, []) if c["protocol"] == s["protocol"]]
        if not got:
            wrong.append(f"session not told: {s['protocol']} {k}")
            continue
        sessions[s["protocol"]] += 1
        if s["protocol"] == "dns":
            continue
        shas = collections.Counter(m["sha256"] for c in got for m in c["messages"] if not m["truncated"])
        allowed = collections.Counter(m["sha256"] for m in s["messages"])
        for m in s["messages"]:
            if not m["intact"]:
                continue
            wanted += 1
            if shas[m["sha256"]] > 0:
                found += 1
            else:
                wrong.append(f"message not told: {s['protocol']} {k} {m['octets']} octets, {m['how']}, {s['lost_segments']} segments lost")
        for sha, n in shas.items():
            if n > allowed[sha]:
                wrong.append(f"invented message: {s['protocol']} {k} {sha} ({s['lost_segments']} segments lost)")
    for protocol, names in truth["commands"].items():
        for name in sorted(set(names) | set(commands[protocol])):
            if commands[protocol][name] > names.get(name, 0):
                wrong.append(f"invented commands: {protocol} {name}: {commands[protocol][name]} told, {names.get(name, 0)} sent")
    missing = sum(sum(n.values()) for n in truth["commands"].values()) - sum(sum(n.values()) for n in commands.values())
    print(f"messages {found} of {wanted}; sessions {dict(sessions)}; commands not told {missing} "
          f"(segments lost {truth['segments']['lost']}); DNS {queries} of {truth['dns']['queries']} queries, {responses} of {truth['dns']['responses']} answers; "
          f"peak memory {peak >> 20} MiB, {usage.ru_utime + usage.ru_stime:.2f} CPU s")
    if queries != truth["dns"]["queries"] or responses != truth["dns"]["responses"]:
        wrong.append("DNS messages")
    for w in wrong[:30]:
        print("  " + w)
    if len(wrong) > 30:
        print(f"  and {len(wrong) - 30} more")
    return 1 if wrong else 0


sys.exit(main())
