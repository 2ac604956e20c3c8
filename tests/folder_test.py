#!/usr/bin/env python3
"""The data folder has one server: a second one says so and ends; a folder of a newer program is left alone.

  folder_test.py GLASSPOST
"""
import contextlib
import os
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from clients import Smtp  # noqa: E402
from ledger import Ledger  # noqa: E402
from load import look, send_one  # noqa: E402
from served import serving  # noqa: E402

GLASSPOST = ""
CANNOT_START = 3


def second(server):
    return subprocess.run([GLASSPOST, "serve", "--config", server.config], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60, check=False)


class Folder(unittest.TestCase):
    def test_second_server(self):
        ledger = Ledger(["u0"])
        with serving(GLASSPOST, ["u0"]) as server:
            run = second(server)
            self.assertEqual((run.returncode, run.stdout), (CANNOT_START, ""))
            self.assertIn(f"the data folder is in use by process {server.process.pid}", run.stderr)
            self.assertIn(server.data, run.stderr)
            with Smtp(server.ports["smtp"]) as session:  # which does not disturb the first
                send_one(session, ledger, ledger.take_number(), 0)
            server.kill()  # a lock of the dead holds nobody back
            server.start()
            look(server, ledger)

    def test_newer_schema(self):
        ledger = Ledger(["u0"])
        with serving(GLASSPOST, ["u0"]) as server:
            with Smtp(server.ports["smtp"]) as session:
                send_one(session, ledger, ledger.take_number(), 0)
            self.assertEqual(server.stop(), 0)
            path = os.path.join(server.data, "mail.db")
            with contextlib.closing(sqlite3.connect(path)) as db:
                known, = db.execute("PRAGMA user_version").fetchone()
                db.execute("PRAGMA user_version = 1000")
            with open(path, "rb") as f:
                before = f.read()
            run = second(server)
            self.assertEqual((run.returncode, run.stdout), (CANNOT_START, ""))
            self.assertIn(f"the store has schema version 1000, and this program knows versions up to {known}", run.stderr)
            with open(path, "rb") as f:
                self.assertEqual(f.read(), before)
            with contextlib.closing(sqlite3.connect(path)) as db:
                db.execute(f"PRAGMA user_version = {known}")
            server.start()
            look(server, ledger)


if __name__ == "__main__":
    GLASSPOST = sys.argv.pop(1)
    unittest.main()
