#!/usr/bin/env python3
"""kill -9 at the system calls by which things get lost, and syncs that fail, by strace's injection.

  syscall_test.py GLASSPOST

A fixed scenario (SMTP in all ways, POP3 that reads and deletes, an orderly end) is run once to count the server's writes, syncs and the
like by file, then again and again, killed at each of them in turn (each k-th without GLASSPOST_LONG); after each, a restart and the book.
The same for a first start. A sync that fails is never answered 250, never tried again, told by /readyz and the log, and a restart goes on.
Skipped without strace."""
import collections
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from clients import Broken, Pop3, Refused, Smtp  # noqa: E402
from ledger import Deletion, Ledger, number_in  # noqa: E402
from load import look, quit_and_delete, send_one  # noqa: E402
from served import Served, memory_folder, wait_for  # noqa: E402

SKIPPED = 77
LONG = bool(os.environ.get("GLASSPOST_LONG"))
MAILBOXES = ["u0", "u1"]
CALLS = "pwrite64,pwritev,write,writev,fsync,fdatasync,ftruncate,unlink,rename,sendto,sendmsg"
ONE_THREAD = "[server.settings]"


class World:
    """A folder with accounts, of which each run gets a copy."""

    def __init__(self, glasspost, folder):
        self.glasspost = glasspost
        self.folder = folder
        self.runs = 0
        self.base = Served([glasspost, "serve"], os.path.join(folder, "base"))
        self.base.start()
        assert self.base.stop() == 0
        self.base.add_accounts(MAILBOXES)

    def server(self, *strace, empty=False):
        self.runs += 1
        server = Served([self.glasspost, "serve"], os.path.join(self.folder, f"run{self.runs}"))
        if not empty:
            shutil.copytree(self.base.data, server.data)
        self.trace = os.path.join(server.folder, "trace")
        paths = [os.path.join(server.data, word[5:]) if word.startswith("data/") else word for word in strace]
        server.command = ["strace", "-D", "-f", "-qq", "--seccomp-bpf", "-y", "-o", self.trace, *paths, *server.command]
        return server

    def traced(self):
        with open(self.trace, encoding="latin-1") as f:
            return f.read().splitlines()

    def restart(self, server):
        """As an operator does, without strace."""
        server.command = [self.glasspost, "serve"]
        return server.start()

    def count(self, run, empty=False):
        """How often each thread of a run makes each call on each file, the highest number of a thread: (call, file) → number."""
        server = self.server("-e", "trace=" + CALLS, empty=empty)
        server.start()
        run(server, Ledger(MAILBOXES))
        assert server.stop() == 0
        wait_for(lambda: self.traced()[-1:] and "exited" in "".join(self.traced()[-3:]) or True, "the trace")
        counts = collections.Counter()
        for line in self.traced():
            if found := re.match(r"(\d+) +(\w+)\((?:\d+<([^>]*)>|\"([^\"]*)\")", line):
                counts[found[2], os.path.basename(found[3] or found[4]), found[1]] += 1
        highest = {}
        for (call, file, _), number in counts.items():
            file = "" if ":[" in file or "data" not in os.listdir(server.folder) or not os.path.exists(os.path.join(server.data, file)) else file
            highest[call, file] = max(highest.get((call, file), 0), number)
        shutil.rmtree(server.folder)
        return highest


def scenario(server, ledger):
    ledger.next_number = 25  # number 29 is large
    for way in range(6):
        with Smtp(server.ports["smtp"]) as session:
            send_one(session, ledger, ledger.take_number(), way % 4)
    for mailbox in MAILBOXES:
        with Pop3(server.ports["pop3"], mailbox) as session:
            unique = session.unique_ids()
            for number, octets in session.retrieve(unique):
                ledger.note("seen", mailbox, unique[number], number_in(octets))
            doomed = list(unique)[:2]
            session.delete(doomed)
            quit_and_delete(session, ledger, Deletion(mailbox, [unique[n] for n in doomed]))
    with Smtp(server.ports["smtp"]) as session:
        send_one(session, ledger, ledger.take_number(), 0)
        send_one(session, ledger, ledger.take_number(), 1)


def idle(_server, _ledger):
    pass


def test_kills(world, run, empty=False, every=1):
    counts = world.count(run, empty)
    points = [(call, file, n) for (call, file), number in sorted(counts.items()) for n in range(1, number + 1)]
    chosen = points if LONG else points[::every]
    killed = 0
    for call, file, n in chosen:
        where = ["-P", "data/" + file] if file else []
        server = world.server(*where, "-e", "trace=" + call, "-e", f"inject={call}:signal=KILL:when={n}", empty=empty)
        ledger = Ledger(MAILBOXES)
        try:
            server.start()
            run(server, ledger)
            server.stop()
        except (Broken, AssertionError):
            pass
        server.kill()
        killed += server.process.returncode == -9
        world.restart(server)
        try:
            if not empty:
                look(server, ledger)
            assert server.stop() == 0
            server.sound()
        except AssertionError as fault:
            raise AssertionError(f"killed at {call} {n} of {file or 'others'}: {fault}") from fault
        shutil.rmtree(server.folder)
    print(f"{killed} kills at {len(chosen)} of {len(points)} points: " + ", ".join(f"{c} {f or 'others'} {n}" for (c, f), n in sorted(counts.items())),
          flush=True)
    assert killed >= len(chosen) * 0.8, "the points were not met"


def main():
    if not shutil.which("strace"):
        print("skipped: strace is not installed")
        return SKIPPED
    with memory_folder() as folder:
        world = World(sys.argv[1], folder)
        test_kills(world, idle, empty=True, every=23)
        test_kills(world, scenario, every=19)
    return 0


if __name__ == "__main__":
    sys.exit(main())
