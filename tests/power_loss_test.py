#!/usr/bin/env python3
"""The power is cut at any instant: the server that starts on what the disk then holds keeps every promise.

  power_loss_test.py GLASSPOST POWER_LOSS_SERVER [POINTS]

The whole server runs under load on a disk that records what it is told (writes, truncations, syncs, names). For points of that record
(around syncs, and at random) the files are made as a power cut may leave them: what was not synced lost, kept, kept in part, or torn at
512 octets. The ordinary server starts on them, and all that clients had been promised until that point must be there, byte for byte.
Without fsync the same test must find faults, or it would prove nothing: that is tested too.
With GLASSPOST_LONG: every sync, and 1,000 random points under load."""
import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from clients import Broken, Refused  # noqa: E402
from ledger import Ledger  # noqa: E402
from load import Load, look  # noqa: E402
from served import Served, memory_folder  # noqa: E402

MAILBOXES = [f"u{i}" for i in range(5)]
SYNC, FOLDER_SYNC = 3, 5
LONG = bool(os.environ.get("GLASSPOST_LONG"))


class Cutter:
    """The program that makes files of a record."""

    def __init__(self, program, record):
        self.process = subprocess.Popen([program, "cut", record], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.events = []  # (kind, time)
        while (line := self.process.stdout.readline()).strip():
            self.events.append(tuple(map(int, line.split())))
        assert self.events

    def first(self):
        """The number of events that say what the folder's database held when the record began."""
        return next(i for i, (kind, _) in enumerate(self.events) if kind == FOLDER_SYNC) + 1

    def sync_points(self):
        """Before and after each sync."""
        return sorted({p for i, (kind, _) in enumerate(self.events) if kind in (SYNC, FOLDER_SYNC) for p in (i, i + 1) if p >= self.first()})

    def cut(self, point, unsynced, seed, folder):
        self.process.stdin.write(f"{point} {unsynced} {seed} {folder}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait() == 0


class PowerLoss:
    def __init__(self, glasspost, power_loss_server, folder):
        self.glasspost = glasspost
        self.power_loss_server = power_loss_server
        self.folder = folder
        self.record_path = os.path.join(folder, "record")

    def record(self, promises, sync="with-sync", accounts=True):
        """The record of a server's life under load, and the clients' book."""
        ledger = Ledger(MAILBOXES)
        server = Served([self.glasspost, "serve"], self.folder)
        if accounts:
            server.start()
            assert server.stop() == 0
            server.add_accounts(MAILBOXES)
        server.command = [self.power_loss_server, "serve", self.record_path, sync]
        server.start()
        if accounts:
            load = Load(server.ports, ledger, senders=6, fetchers=2)
            load.wait_for_promises(promises)
            load.stop()
        assert server.stop() == 0
        return ledger

    def remains(self, cutter, point, seed):
        """A folder with what a cut leaves, as a server that is yet to start."""
        folder = os.path.join(self.folder, f"cut{point}")
        shutil.rmtree(folder, ignore_errors=True)
        server = Served([self.glasspost, "serve"], folder)
        os.makedirs(server.data)
        cutter.cut(point, seed % 4, seed, server.data)
        with contextlib.suppress(FileNotFoundError):  # its own syncs are held in a test of the certificates
            shutil.copytree(os.path.join(self.folder, "data", "tls"), os.path.join(server.data, "tls"))
        return server

    def check(self, cutter, ledger, point, seed):
        """What is wrong after this cut; None if all is well."""
        server = self.remains(cutter, point, seed)
        try:
            server.start()
            book = ledger.as_of(cutter.events[point - 1][1] if point > 0 else 0)
            look(server, book)
            assert server.stop() == 0
            server.sound()
        except (AssertionError, Broken, Refused, sqlite3.Error) as fault:
            return repr(fault)
        finally:
            server.kill()
            shutil.rmtree(server.folder)
        return None


def test_promises(world, points):
    ledger = world.record(500 if LONG else 120)
    cutter = Cutter(world.power_loss_server, world.record_path)
    syncs = cutter.sync_points()
    rng = random.Random(os.environ.get("GLASSPOST_SEED", 1))
    chosen = syncs if LONG and points is None else rng.sample(syncs, min(len(syncs), points or 20))
    under_load = range(cutter.first(), len(cutter.events) + 1)
    chosen = sorted(chosen + rng.sample(under_load, min(1000 if LONG else points or 20, len(under_load))))
    print(f"{sum(ledger.promised.values())} messages acknowledged, {sum(map(len, ledger.deleted.values()))} deleted;"
          f" {len(cutter.events)} events, {len(syncs) // 2} syncs; {len(chosen)} cuts", flush=True)
    assert sum(ledger.promised.values()) > 50 and len(syncs) > 40
    for seed, point in enumerate(chosen):
        fault = world.check(cutter, ledger, point, seed)
        assert fault is None, f"cut after event {point} of {len(cutter.events)}, seed {seed}: {fault}"
    cutter.close()


def test_first_start(world):
    """A cut while the first start makes its files: the next one starts."""
    world.record(0, accounts=False)
    cutter = Cutter(world.power_loss_server, world.record_path)
    points = range(1, len(cutter.events) + 1, 1 if LONG else 9)
    for seed, point in enumerate(points):
        server = world.remains(cutter, point, seed)
        server.start()
        assert server.stop() == 0
        server.sound()
        shutil.rmtree(server.folder)
    print(f"first start: {len(points)} cuts", flush=True)
    cutter.close()


def test_without_sync(world):
    """The test itself is tested."""
    ledger = world.record(120, "without-sync")
    cutter = Cutter(world.power_loss_server, world.record_path)
    rng = random.Random(1)
    half = len(cutter.events) // 2
    points = sorted(rng.sample(range(half, len(cutter.events)), 16))
    faults = [fault for seed, point in enumerate(points) if (fault := world.check(cutter, ledger, point, seed))]
    print(f"without fsync: {len(faults)} of {len(points)} cuts broke a promise, as: {faults[0][:200] if faults else None}", flush=True)
    assert len(faults) > len(points) // 4, "a server without fsync passes: this test proves nothing"
    cutter.close()


def main():
    points = int(sys.argv[3]) if len(sys.argv) > 3 else None
    for test in (lambda w: test_promises(w, points), test_first_start, test_without_sync):
        begin = time.monotonic()
        with memory_folder() as folder:
            test(PowerLoss(sys.argv[1], sys.argv[2], folder))
        print(f"{time.monotonic() - begin:.1f} s", flush=True)


if __name__ == "__main__":
    main()
