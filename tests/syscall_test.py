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
OF_FILES = ("pwrite64", "pwritev", "fsync", "fdatasync", "ftruncate")  # told apart by file


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
        server.command = ["strace", "-D", "-f", "-q", "-y", "-o", self.trace, *paths, *server.command]
        return server

    def traced(self):
        with open(self.trace, encoding="latin-1") as f:
            return f.read().splitlines()

    def restart(self, server):
        """As an operator does, without strace."""
        server.command = [self.glasspost, "serve"]
        return server.start()

    def count(self, run, empty=False):
        """How often a run makes each call (of those on files: on each file that is there), by the thread that makes it most."""
        server = self.server("-e", "trace=" + CALLS, empty=empty)
        there = os.listdir(server.data) if not empty else []
        server.start()
        run(server, Ledger(MAILBOXES))
        assert server.stop() == 0
        wait_for(lambda: any(re.match(rf"{server.process.pid} +\+\+\+ exited", line) for line in self.traced()), "the end of the trace")
        counts = collections.Counter()
        for line in self.traced():
            if found := re.match(r"(\d+) +(\w+)\((?:\d+<([^>]*)>)?", line):
                file = os.path.basename(found[3] or "") if found[2] in OF_FILES else ""
                counts[found[2], file if file in there else "", found[1]] += 1
        highest = {}
        for (call, file, _), number in counts.items():
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


def refusal_of(server, ledger, number, final):
    try:
        with Smtp(server.ports["smtp"]) as session:
            send_one(session, ledger, number, 0, final)
    except Refused as refusal:
        return str(refusal)
    return None


def test_failed_sync(world, file, when, numbers):
    """The sync that fails is the writer's own; a second one would work."""
    others = ["-P", "data/mail.db"] if file == "mail.db-wal" else []  # that has no sync of its own until a checkpoint
    server = world.server("-P", "data/" + file, *others, "-e", "trace=pwrite64,fsync,fdatasync,ftruncate",
                          "-e", f"inject=fsync,fdatasync:error=EIO:when={when}")
    ledger = Ledger(MAILBOXES)
    ledger.next_number = max(numbers) + 1
    server.start()
    acknowledged, refusal = 0, None
    for number in numbers:
        refusal = refusal_of(server, ledger, number, final=False)
        if refusal is not None:
            break
        acknowledged += 1
    assert refusal is not None, "no sync failed"
    assert refusal.startswith("451 4.3.0"), refusal
    for _ in range(5):
        assert refusal_of(server, ledger, ledger.take_number(), final=True).startswith("451 4.3.0")
    assert server.ready() == (503, "the store is broken\n"), server.ready()
    log = server.log()
    assert re.search(r"\berror\b.*store", log), log
    # Who reads is served; who deletes is told that it was not done.
    seen = 0
    for mailbox in MAILBOXES:
        with Pop3(server.ports["pop3"], mailbox) as session:
            unique = session.unique_ids()
            for number, octets in session.retrieve(unique):
                ledger.note("seen", mailbox, unique[number], number_in(octets))
                seen += 1
            session.delete(list(unique)[:1])
            try:
                session.quit()
                assert not unique, "a deletion was promised that cannot have been done"
            except Refused:
                pass
    assert seen > 0
    status = server.stop()
    wait_for(lambda: any(re.match(rf"{server.process.pid} +\+\+\+ exited", line) for line in world.traced()), "the end of the trace")
    lines = world.traced()
    failed = [i for i, line in enumerate(lines) if "(INJECTED)" in line]
    after = [line for line in lines[failed[0] + 1:] if "mail.db" in line]
    assert len(failed) == 1 and not after, f"after the failed sync: {after[:5]}"
    world.restart(server)
    look(server, ledger)
    assert server.ready() == (200, "ok\n")
    assert refusal_of(server, ledger, ledger.take_number(), final=True) is None
    look(server, ledger)
    assert server.stop() == 0
    server.sound()
    print(f"a failed sync of {file}: after {acknowledged} messages acknowledged; exit status {status}", flush=True)
    shutil.rmtree(server.folder)


def main():
    if not shutil.which("strace"):
        print("skipped: strace is not installed")
        return SKIPPED
    os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0")  # which cannot be done under strace
    with memory_folder() as folder:
        world = World(sys.argv[1], folder)
        test_failed_sync(world, "mail.db-wal", 6, range(1, 40))
        test_failed_sync(world, "mail.db", 1, range(29, 29 * 400, 29))
        test_kills(world, idle, empty=True, every=23)
        test_kills(world, scenario, every=19)
    return 0


if __name__ == "__main__":
    sys.exit(main())
