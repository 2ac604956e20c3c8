#!/usr/bin/env python3
"""A server whose queue is long: how it starts, what memory it takes, what `queue list` costs, and that new mail passes by.

  long_queue_test.py GLASSPOST

Fifty thousand messages wait for hosts that nobody can reach; a million with GLASSPOST_LONG. They are laid into the store's file
while no server runs, and many of them are due at once."""
import os
import smtplib
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from ledger import text_of  # noqa: E402
from served import DOMAIN, Served, memory_folder, wait_for  # noqa: E402
from sink import Sink  # noqa: E402

MESSAGES = 1_000_000 if os.environ.get("GLASSPOST_LONG") else 50_000
DESTINATIONS = 5_000
OCTETS = b"Subject: waits\r\n\r\n" + b"x" * 200 + b"\r\n"
# What may lie in memory for a long queue, beyond what an empty one takes: the claimed part of it, caches.
MEMORY = 160 << 20
SANITIZED = 3  # times slower, and larger


def fill(data):
    now = time.time_ns()
    with sqlite3.connect(f"{data}/mail.db") as db:
        db.execute("PRAGMA synchronous=OFF")
        numbers = range(1, MESSAGES + 1)
        db.executemany("INSERT INTO message(id, size, octets) VALUES(?, ?, ?)", ((i, len(OCTETS), OCTETS) for i in numbers))
        db.executemany("INSERT INTO envelope(message, reverse_path, envid, ret, eight_bit, smtputf8, arrived) VALUES(?, ?, '', 0, 0, 0, ?)",
                       ((i, f"sender{i % 100}@{DOMAIN}", now) for i in numbers))
        db.executemany("INSERT INTO queue_entry(id, message, recipient, destination, orcpt, notify, held, due, ready) VALUES(?, ?, ?, ?, '', 0, 0, ?, ?)",
                       ((i, i, f"r{i}@d{i % DESTINATIONS}.test", f"d{i % DESTINATIONS}.test", now + (i % 7) * 3_600 * 10**9, now + (i % 7) * 3_600 * 10**9)
                        for i in numbers))


def memory(process):
    with open(f"/proc/{process.pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("RssAnon:")) << 10


def timed(command):
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    return done.stdout, time.monotonic() - began


def main():
    program = sys.argv[1]
    slow = SANITIZED if b"__asan_init" in open(program, "rb").read() else 1
    with memory_folder() as folder:
        sink = Sink()
        # The dead hosts are loopback's port 9; one domain goes to a host that lives.
        server = Served([program, "serve"], folder, f'[[relay.route]]\ndomain = "alive.test"\nhost = "127.0.0.1"\nport = {sink.port}\ntls = "off"\n')
        server.start()
        empty = memory(server.process)
        assert server.stop() == 0
        server.add_accounts(["ada"])
        fill(server.data)

        began = time.monotonic()
        server.start()
        start = time.monotonic() - began
        listed, listing = timed([program, "queue", "list", "--limit", "20", "--config", server.config])
        assert len([line for line in listed.splitlines() if "@d" in line]) == 20, listed
        counted, counting = timed([program, "queue", "list", "--json", "--limit", "1", "--config", server.config])
        assert counted.count("\n") == 1, counted

        assert not sink.faults, sink.faults
        began = time.monotonic()
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=60) as client:
            client.sendmail(f"ada@{DOMAIN}", ["r1.someone@alive.test"], text_of(1))
        wait_for(lambda: sink.delivered["r1.someone@alive.test"] == 1, "a new message to pass the long queue", 60)
        passed = time.monotonic() - began
        time.sleep(3)  # of attempts at hosts that are not there
        grown = memory(server.process) - empty
        print(f"{MESSAGES} messages wait: start {start:.2f} s, 20 of them listed in {listing:.2f} s, one in {counting:.2f} s, "
              f"a new message passed in {passed:.2f} s, {grown / 2**20:.0f} MiB more than without")
        assert start < 5 * slow, "the start"
        assert max(listing, counting) < 2 * slow, "the list"
        assert passed < 15 * slow, "a new message"
        assert grown < MEMORY * slow, "memory"
        assert server.stop() == 0
        with sqlite3.connect(f"file:{server.data}/mail.db?mode=ro", uri=True) as db:
            left = db.execute("SELECT count(*) FROM queue_entry WHERE id <= ?", (MESSAGES,)).fetchone()[0]
        assert left == MESSAGES, f"{left} of {MESSAGES} are left"


main()
