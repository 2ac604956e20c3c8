"""A `glasspost serve` that tests may kill: its folder, its start, its ports, and what its files hold while nobody asks it."""
import atexit
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

DOMAIN = "here.test"
PASSWORD = "pass"
_running = []  # so that a test that fails leaves none behind


@atexit.register
def _kill_all():
    for process in _running:
        if process.poll() is None:
            process.kill()


class Served:
    """One data folder, and the server on it while it runs."""

    def __init__(self, command, folder, settings="", data=None, next_hop=9):
        self.command = list(command)
        os.makedirs(folder, exist_ok=True)
        self.folder = folder
        self.data = data or os.path.join(folder, "data")
        self.process = None
        self.ports = {}
        self.log_path = os.path.join(folder, "log")
        self.config = os.path.join(folder, "config.toml")
        # Where nobody listens on the next hop's port, mail for elsewhere stays in the queue.
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(f"""
[server]
data = {json.dumps(self.data)}
threads = 2
[listen]
smtp = ["127.0.0.1:0"]
submission = []
submissions = []
pop3 = ["127.0.0.1:0"]
pop3s = []
[auth]
argon2_memory = "1 MiB"
argon2_passes = 1
plaintext_without_tls = true
[smtp]
relay_networks = ["127.0.0.0/8"]
[smarthost]
host = "127.0.0.1"
port = {next_hop}
tls = "off"
[http]
listen = ["127.0.0.1:0"]
{settings}
""")

    def spawn(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([*self.command, "--config", self.config],
                                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        _running[:] = [process for process in _running if process.poll() is None] + [self.process]
        return self

    def start(self):
        """Spawns it and waits for its ports."""
        self.spawn()
        self.ports = {}
        for line in self.process.stdout:
            if found := re.match(r"  (\w+) +127\.0\.0\.1:(\d+)", line):
                self.ports[found[1]] = int(found[2])
            if "--data" in line:
                return self
        status = self.process.wait()
        raise AssertionError(f"the server did not start (status {status}):\n{self.log()[-2000:]}")

    def kill(self):
        """kill -9, if it runs."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stop(self):
        """As an operator does; gives the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        return status

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def ready(self):
        """What /readyz says: status and text."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['http']}/readyz", timeout=30) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode()

    def add_accounts(self, names):
        """While no server runs."""
        secret = os.path.join(self.folder, "password")
        with open(secret, "w", encoding="utf-8") as f:
            f.write(PASSWORD + "\n")
        calls = [["domain", "add", DOMAIN]] + [["user", "add", f"{name}@{DOMAIN}", "--password-file", secret] for name in names]
        for call in calls:
            run = subprocess.run([self.command[0], *call, "--config", self.config], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                 timeout=60, check=False)
            assert run.returncode == 0, run.stdout + run.stderr

    def queue(self, after=0):
        """Entries with a greater id: id → (recipient, message's octets)."""
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/mail.db?mode=ro", uri=True, timeout=60)) as db:
            rows = db.execute("SELECT q.id, q.recipient, m.octets, m.id, m.size FROM queue_entry q LEFT JOIN message m ON m.id = q.message"
                              " WHERE q.id > ?", (after,)).fetchall()
            found = {}
            for entry, recipient, octets, message, size in rows:
                if message is not None and octets is None:
                    octets = b"".join(part for part, in db.execute(
                        "SELECT octets FROM message_part WHERE message = ? ORDER BY at", (message,)))
                assert octets is not None and len(octets) == size, f"entry {entry} for {recipient} is without its message"
                found[entry] = recipient, octets
            return found

    def queue_ids(self):
        with contextlib.closing(sqlite3.connect(f"file:{self.data}/mail.db?mode=ro", uri=True, timeout=60)) as db:
            return {entry for entry, in db.execute("SELECT id FROM queue_entry")}

    def sound(self):
        """SQLite's own word on mail.db, and that no octets lie there that nothing refers to; while no server runs."""
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "mail.db"), timeout=60)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            stray = db.execute("SELECT count(*) FROM message WHERE id NOT IN (SELECT message FROM mailbox_message)"
                               " AND id NOT IN (SELECT message FROM queue_entry)").fetchone()
            assert stray == (0,), f"{stray[0]} messages that nothing refers to"
            wrong = db.execute("SELECT count(*) FROM mailbox b WHERE (messages, octets) IS NOT (SELECT count(*), coalesce(sum(size), 0)"
                               " FROM mailbox_message WHERE mailbox = b.id)").fetchone()
            assert wrong == (0,), f"{wrong[0]} mailboxes do not know how much they hold"


def memory_folder():
    """A temporary folder; in memory where the machine has such a place, so that tests wait for no disk."""
    return tempfile.TemporaryDirectory(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)


@contextlib.contextmanager
def serving(program, accounts, settings="", before=(), folder=None, next_hop=9):
    """A server on a new folder with these accounts, running; killed at the end if it still does."""
    with contextlib.ExitStack() as stack:
        folder = folder or stack.enter_context(memory_folder())
        server = Served([program, "serve"], folder, settings, next_hop=next_hop)
        server.start()
        assert server.stop() == 0
        server.add_accounts(accounts)
        server.command = [*before, *server.command]
        server.start()
        try:
            yield server
        finally:
            if server.process.poll() is None:
                server.kill()


def wait_for(condition, what, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited {seconds} s for {what}"
        time.sleep(0.02)
