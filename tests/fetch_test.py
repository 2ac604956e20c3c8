#!/usr/bin/env python3
"""Fetching mail from the command line: into each kind of keeping, over TLS, once and not twice, deleted only when it is kept.

  fetch_test.py GLASSPOST
"""
import json
import mailbox
import os
import pathlib
import random
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
import unittest

from account_test import certificate
from listening import Listening
from send_test import Dripping, Hostile
from serving import Server

GLASSPOST = ""
USER, PASSWORD = "ada@localhost.test", "enigma-17"
OK, USAGE, CANNOT_KEEP, TRY_LATER, PROTOCOL, LOGIN, CONFIG = 0, 64, 73, 75, 76, 77, 78


class BreakingServer(Listening):
    """A POP3 server of these messages, (unique-id, octets), that hangs up at the RETR of this number in each of its first sessions."""

    def __init__(self, messages, uidl=True, hang_up_at=None, sessions=10**9):
        self.messages, self.uidl, self.hang_up_at, self.bad_sessions = messages, uidl, hang_up_at, sessions
        super().__init__()

    @property
    def sessions(self):
        return self.connections

    def talk(self, stream):
        def say(*lines):
            stream.write(b"".join(line + b"\r\n" for line in lines))
            stream.flush()

        deleted, fetched = set(), 0
        say(b"+OK ready")
        while line := stream.readline():
            verb, *rest = line.split()
            number = int(rest[0]) if rest and rest[0].isdigit() else 0
            if verb == b"LIST":
                say(b"+OK", *(b"%d %d" % (i, len(text)) for i, (_, text) in enumerate(self.messages, 1)), b".")
            elif verb == b"UIDL" and self.uidl:
                say(b"+OK", *(b"%d %s" % (i, unique) for i, (unique, _) in enumerate(self.messages, 1)), b".")
            elif verb == b"RETR":
                fetched += 1
                if fetched == self.hang_up_at and self.sessions <= self.bad_sessions:
                    return
                say(b"+OK", self.messages[number - 1][1] + b".")
            elif verb in (b"CAPA", b"UIDL"):
                say(b"-ERR no")
            else:
                if verb == b"DELE":
                    deleted.add(number)
                if verb == b"QUIT":
                    self.messages = [m for i, m in enumerate(self.messages, 1) if i not in deleted]
                say(b"+OK")


class Fetch(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="gp-fetch-")
        cls.folder = pathlib.Path(cls.work.name)
        cls.addClassCleanup(cls.work.cleanup)
        pem, key = certificate(cls.folder, "good", "IP:127.0.0.1,DNS:localhost")
        cls.server = Server(GLASSPOST, f'server.classroom = true\ntls.certificate = "{pem}"\ntls.key = "{key}"\n', users=[(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.server.fetch(USER, PASSWORD)  # an empty maildrop
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG", "XDG"))} | {
            "XDG_CONFIG_HOME": str(self.home), "XDG_STATE_HOME": str(self.home / "state"), "PASS": PASSWORD}

    def send(self, *texts):
        with smtplib.SMTP("127.0.0.1", self.server.port["smtp"], timeout=30) as client:
            for text in texts:
                client.sendmail("bob@example.org", [USER], text)

    def run_it(self, *words, expect=OK, server=None):
        server = server or ["--server", f"pop3s://127.0.0.1:{self.server.port['pop3s']}", "--ca", self.folder / "ca.pem"]
        run = subprocess.run([GLASSPOST, "fetch", *map(str, server), "--user", USER, "--password-env", "PASS", *map(str, words)],
                             capture_output=True, text=True, timeout=120, env=self.environment)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return run

    def outcome(self, *words, **more):
        return json.loads(self.run_it("--json", *words, **more).stdout)

    def count(self):
        with self.server.pop3(USER, PASSWORD) as client:
            count = int(client.say("STAT").split()[1])
            client.say("QUIT")
        return count

    def test_each_message_once(self):
        to = self.home / "Maildir"
        self.send("Subject: 1\r\n\r\nFrom here\r\n", "Subject: 2\r\n\r\n\xfc\r\n".encode("latin-1"))
        self.assertEqual(self.outcome("--to", to)["fetched"], 2)
        self.send("Subject: 3\r\n\r\nx\r\n")
        told = self.outcome("--to", to)
        self.assertEqual((told["fetched"], told["known"], told["deleted"], told["complete"]), (1, 2, 0, True))
        box = mailbox.Maildir(to, create=False)
        self.assertEqual(sorted(m["Subject"] for m in box), ["1", "2", "3"])
        self.assertIn(b"\xfc", next(m for m in box if m["Subject"] == "2").get_payload(decode=True))
        self.assertEqual(self.count(), 3)

    def test_deleted_once_it_is_kept(self):
        self.send(*(f"Subject: {i}\r\n\r\nFrom here\r\nx\r\n" for i in range(120)))
        told = self.outcome("--to", self.home / "mbox", "--format", "mbox", "--delete")
        self.assertEqual((told["fetched"], told["deleted"]), (120, 120))
        self.assertEqual(self.count(), 0)
        box = mailbox.mbox(self.home / "mbox", create=False)
        self.addCleanup(box.close)
        self.assertEqual([m["Subject"] for m in box], [str(i) for i in range(120)])
        self.assertIn(">From here", box[0].get_payload())

    def test_an_mbox_that_ends_inside_a_message(self):
        """wherever the last append was cut: it is told, and neither the message before it nor the next one is harmed"""
        server = BreakingServer([(b"n", b"Subject: next\r\n\r\nnext body\r\n")])
        self.addCleanup(server.close)
        before = b"From MAILER-DAEMON Mon Nov 23 08:15:30 2026\nSubject: before\n\nbody before\n\n"
        last = b"From MAILER-DAEMON Mon Nov 23 08:16:30 2026\nSubject: last\n\nlast body\n\n"
        box = self.home / "mbox"

        def mail(*words):
            return subprocess.run([GLASSPOST, "mail", *words, "--in", box], capture_output=True, text=True, env=self.environment, timeout=60)

        for start in (before, b""):
            for cut in [*range(1, 7), 18, 30, 42, 43, 44, 52, 58, 64, len(last) - 2, len(last) - 1]:  # behind the header it is a message without text
                with self.subTest(f"{len(start)} {cut}"):
                    box.write_bytes(start + last[:cut])
                    listed = mail("list", "--json")
                    if start:
                        self.assertIn("may be cut", listed.stderr)
                        self.assertEqual(mail("read", "1", "--source").stdout, "Subject: before\n\nbody before\n")
                    told = self.run_it("--to", box, "--format", "mbox", "--all", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"])
                    self.assertIn("may be cut", told.stderr, f"{told.stdout}\n{box.read_bytes()}")
                    listed = mail("list", "--json")
                    subjects = [json.loads(line)["subject"] for line in listed.stdout.splitlines()]
                    self.assertEqual((subjects[-1], len(subjects), listed.stderr), ("next", 3 if start else 2, ""))
                    self.assertEqual(mail("read", str(len(subjects)), "--source").stdout, "Subject: next\n\nnext body\n")
                    if start:
                        self.assertEqual(mail("read", "1", "--source").stdout, "Subject: before\n\nbody before\n")

    def test_octet_by_octet(self):
        text = b"Subject: x\r\n\r\n.dot\r\n..\r\n" + bytes(range(128, 256)) + b"\r\n"
        self.send(text)
        self.run_it("--to", self.home / "files", "--format", "eml", "--delete-after", "7")
        (file,) = (self.home / "files").iterdir()
        self.assertTrue(file.read_bytes().endswith(text))
        self.assertEqual(self.count(), 1)

    def test_utf_8_in_the_header(self):
        """our own server keeps such a message from who does not say UTF8 before the login: fetched as it came, with STLS and without"""
        text = f"From: bob@example.org\nTo: {USER}\nSubject: hé\n\nbody\n"
        smtp = ["--server", f"127.0.0.1:{self.server.port['smtp']}", "--tls", "none"]
        pop3 = self.server.port["pop3"]
        for i, server in enumerate((None, ["--server", f"127.0.0.1:{pop3}", "--tls", "starttls", "--ca", self.folder / "ca.pem"],
                                    ["--server", f"127.0.0.1:{pop3}", "--tls", "none"])):
            with self.subTest(i):
                subprocess.run([GLASSPOST, "send", "-t", *smtp], input=text.encode(), check=True, capture_output=True, timeout=60, env=self.environment)
                told = self.outcome("--to", self.home / f"files{i}", "--format", "eml", "--delete", server=server)
                self.assertEqual((told["fetched"], told["deleted"], told["complete"], told["remarks"]), (1, 1, True, []))
                (file,) = (self.home / f"files{i}").iterdir()
                self.assertIn("\r\nSubject: hé\r\n", file.read_bytes().decode())

    def test_what_cannot_be_kept_stays_there(self):
        self.send("Subject: 1\r\n\r\nx\r\n")
        self.environment["XDG_STATE_HOME"] = "/proc/x"  # where nobody can write
        self.assertIn("/proc/x", self.run_it("--to", self.home / "Maildir", "--delete", expect=CANNOT_KEEP).stderr)
        self.environment["XDG_STATE_HOME"] = str(self.home / "state")
        (self.home / "file").write_text("x")
        self.run_it("--to", self.home / "file", "--delete", expect=CANNOT_KEEP)
        if os.geteuid() == 0 and os.path.exists("/dev/full"):
            told = self.run_it("--to", "/dev/full", "--format", "mbox", "--delete", expect=CANNOT_KEEP)
            self.assertIn("/dev/full", told.stderr)
        self.assertEqual(self.count(), 1)
        self.assertEqual(self.outcome("--to", self.home / "Maildir")["fetched"], 1)

    def test_shown_and_saved(self):
        self.send("Subject: seen\r\n\r\nx\r\n")
        capture = self.home / "fetch.pcapng"
        clear = ["--server", f"127.0.0.1:{self.server.port['pop3']}", "--tls", "none"]
        told = self.run_it("--to", self.home / "Maildir", "--show", "--full", "--save", capture, server=clear).stdout
        for words in ("RETR 1", "Subject: seen", "+OK: it worked", "1 fetched"):
            self.assertIn(words, told)
        self.assertNotIn(PASSWORD, told)
        again = subprocess.run([GLASSPOST, "analyze", capture], capture_output=True, text=True, check=True).stdout
        self.assertIn("POP3", again)
        if shutil.which("tshark"):
            seen = subprocess.run(["tshark", "-r", capture, "-d", f"tcp.port=={self.server.port['pop3']},pop", "-Y", "pop.request.command == RETR"], capture_output=True, text=True, check=True).stdout
            self.assertIn("RETR 1", seen)
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.startswith("fetch")], ["fetch.pcapng"])

    def breaking(self, *words, expect=OK, **how):
        server = BreakingServer(**how)
        self.addCleanup(server.close)
        told = json.loads(self.run_it("--json", "--to", self.home / "Maildir", *words, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=expect).stdout)
        return server, told, len(list((self.home / "Maildir/new").iterdir()))

    def test_a_connection_that_breaks_is_made_again(self):
        messages = [(b"id%d" % i, b"Subject: %d\r\n\r\n" % i) for i in range(30)]
        server, told, files = self.breaking("--delete", messages=messages, hang_up_at=4, sessions=5)
        self.assertEqual((told["fetched"], told["complete"], files, server.messages), (30, True, 30, []))
        self.assertEqual(server.sessions, 6)

    def test_a_limit_holds_over_all_tries(self):
        messages = [(b"id%d" % i, b"Subject: %d\r\n\r\n" % i) for i in range(30)]
        _, told, files = self.breaking("--at-most", "5", messages=messages, hang_up_at=3)
        self.assertEqual((told["fetched"], told["known"], files), (5, 0, 5))

    def test_what_cannot_be_remembered_is_not_fetched_again_and_again(self):
        for name, uidl, unique in (("none", False, b""), ("one for all", True, b"same")):
            with self.subTest(name):
                shutil.rmtree(self.home / "Maildir", ignore_errors=True)
                server, told, files = self.breaking("--delete", messages=[(unique, b"Subject: x\r\n\r\n")] * 3, uidl=uidl, hang_up_at=3, expect=TRY_LATER)
                self.assertEqual((server.sessions, told["fetched"], files, len(server.messages)), (1, 2, 2, 3))

    def test_other_ports_are_other_maildrops(self):
        servers = [BreakingServer([(b"1", b"Subject: %d\r\n\r\n" % i)]) for i in range(2)]
        for i, server in enumerate(servers):
            self.addCleanup(server.close)
            told = json.loads(self.run_it("--json", "--delete", "--to", self.home / f"m{i}", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"]).stdout)
            self.assertEqual((told["fetched"], told["known"], told["deleted"]), (1, 0, 1))

    def test_what_is_no_list_of_fetched_messages(self):
        server = BreakingServer([(b"1", b"Subject: 1\r\n\r\n")])
        self.addCleanup(server.close)
        mine = self.home / "my.mbox"
        mine.write_text("From me\nword 12\n")
        told = self.run_it("--remember", mine, "--to", self.home / "m", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=CANNOT_KEEP)
        self.assertIn("no list", told.stderr)
        self.assertEqual(mine.read_text(), "From me\nword 12\n")

    def test_secrets_that_a_server_says_back(self):
        server = BreakingServer([])
        self.addCleanup(server.close)
        server.talk = lambda stream: (stream.write(b"+OK ready\r\n-ERR\r\n+OK\r\n-ERR wrong password: " + PASSWORD.encode() + b"\r\n"), stream.flush(), stream.read())
        run = self.run_it("--json", "--to", self.home / "m", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=LOGIN)
        self.assertNotIn(PASSWORD, run.stdout + run.stderr)
        self.assertIn("***", run.stderr)

    def test_our_own_words_are_not_masked(self):
        """a mask in them would tell what stands there: that the password is one of them"""
        self.environment["PASS"] = "message"
        server = BreakingServer([(b"\xff", b"Subject: 1\r\n\r\n")])
        self.addCleanup(server.close)
        run = self.run_it("--to", self.home / "m", "--all", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"])
        self.assertIn("message 1 has no proper unique-id", run.stderr)

    def test_interrupted(self):
        """what was begun is not there, what was said is, under its name"""
        server = BreakingServer([(b"a", b"Subject: 1\r\n\r\n" + b"x" * 9_000_000)])
        self.addCleanup(server.close)
        server.talk = lambda stream: (stream.write(b"+OK ready\r\n-ERR\r\n+OK\r\n+OK\r\n+OK\r\n1 99\r\n.\r\n+OK\r\n1 a\r\n.\r\n+OK\r\nSubject: half\r\n"), stream.flush(), stream.read())
        capture = self.home / "half.pcapng"
        fetch = subprocess.Popen([GLASSPOST, "fetch", "--server", f"127.0.0.1:{server.port}", "--tls", "none", "--user", USER, "--password-env", "PASS", "--to", self.home / "Maildir", "--save", capture],
                                 env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not list((self.home / "Maildir/tmp").glob("*") if (self.home / "Maildir/tmp").exists() else []):
            time.sleep(0.02)
        fetch.send_signal(signal.SIGINT)
        self.assertEqual(fetch.wait(20), 128 + signal.SIGINT)
        self.assertEqual([list((self.home / "Maildir" / part).iterdir()) for part in ("tmp", "new", "cur")], [[], [], []])
        self.assertEqual(sorted(p.name for p in self.home.iterdir() if p.name.startswith("half")), ["half.pcapng"])
        told = subprocess.run([GLASSPOST, "analyze", "--conversation", "1", capture], capture_output=True, text=True, check=True).stdout
        self.assertIn("RETR 1", told)

    def kept(self, format):
        """what lies at `to`: each message's octets, lines ending as there"""
        to = self.home / "to"
        if format == "mbox":
            box = mailbox.mbox(to, create=False)
            self.addCleanup(box.close)
            self.assertNotIn(b"\n\n\nFrom ", to.read_bytes())
            return [box.get_bytes(key) for key in box.keys()]
        return [f.read_bytes() for f in ((to / "new") if format == "maildir" else to).iterdir() if not f.name.startswith(".")]

    def kill_fetch(self, server, format, words, rng):
        """at some moment: when something is seen to come there, or some time after a message was asked for"""
        to = self.home / "to"

        def seen():
            try:
                return to.stat().st_size if format == "mbox" else len(os.listdir(to / "new" if format == "maildir" else to))
            except FileNotFoundError:
                return 0

        fetch = subprocess.Popen([GLASSPOST, "fetch", *words], env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        at = server.retrieved + rng.choice((1, 2, 30, 63, 64, 65, 100))
        while fetch.poll() is None and server.retrieved < at:
            time.sleep(0.001)
        if rng.random() < 0.6:
            begun, until = seen(), time.monotonic() + 0.5
            while fetch.poll() is None and seen() == begun and time.monotonic() < until:
                pass
        time.sleep(rng.choice((0, 0, rng.random() / 2000, rng.random() / 50)))
        fetch.kill()
        return fetch.wait(20) == -signal.SIGKILL

    def test_killed_at_any_moment(self):
        """each message is there once, octet by octet, however often the process that fetched it was killed"""
        class Counting(BreakingServer):
            retrieved = 0

            def talk(self, stream):
                outer = self

                class Counted:
                    def readline(self):
                        line = stream.readline()
                        outer.retrieved += line.startswith(b"RETR")
                        return line

                    write, flush = stream.write, stream.flush

                try:
                    super().talk(Counted())
                except OSError:
                    pass

        def text(i):
            lines = (b"%d From nobody\r\n\r\n" % i) * (rng.choice((6000, 12000)) if i % 40 == 7 else i % 5)
            return b"Subject: %d\r\n\r\n" % i + lines + b"end\r\n"

        seed = random.randrange(2**32)
        rng = random.Random(seed)
        for format in ("maildir", "eml", "mbox"):
            kills = 0
            for round in range(4):
                keep = "--delete" if round % 2 else "--keep"
                with self.subTest(f"{format} {keep} {round} {seed}"):
                    shutil.rmtree(self.home, ignore_errors=True)
                    self.home.mkdir()
                    messages = [(b"id%d" % i, text(i)) for i in range(300)]
                    server = Counting(list(messages))
                    self.addCleanup(server.close)
                    where = ["--server", f"127.0.0.1:{server.port}", "--tls", "none"]
                    to = ["--to", str(self.home / "to"), "--format", format, keep]
                    for _ in range(5):
                        kills += self.kill_fetch(server, format, [*where, "--user", USER, "--password-env", "PASS", *to], rng)
                    told = self.outcome(*to, server=where)
                    self.assertEqual((told["complete"], told["remarks"], len(server.messages)), (True, [], 300 if keep == "--keep" else 0))
                    wanted = [octets if format == "eml" else octets.replace(b"\r\n", b"\n") for _, octets in messages]
                    self.assertEqual(sorted(self.kept(format)), sorted(wanted))
                    remembered = self.home / "state/glasspost/fetched"
                    self.assertEqual([f.name for f in remembered.iterdir() if f.name.endswith("%coming")], [])
            self.assertGreater(kills, 5)

    def test_hostile_servers(self):
        """each is left within its limits, and what can be said is said"""
        ready = b"+OK ready\r\n-ERR no CAPA\r\n+OK\r\n+OK\r\n"  # CAPA, USER, PASS
        for name, first, forever, tls, status in (("endless line", b"+OK ", b"x" * 999, "none", PROTOCOL), ("endless list", ready + b"+OK\r\n", b"1 1\r\n", "none", PROTOCOL),
                                                  ("no POP3", b"220 smtp.test\r\n", b"", "none", PROTOCOL), ("silence", b"", b"", "none", TRY_LATER),
                                                  ("octets before TLS", b"+OK ready\r\n+OK\r\nSTLS\r\n.\r\n+OK go\r\n+OK injected\r\n", b"", "starttls", PROTOCOL)):
            with self.subTest(name):
                server = Hostile(first, forever)
                self.addCleanup(server.close)
                run = self.run_it("--to", self.home / "Maildir", "--timeout", 3, server=["--server", f"127.0.0.1:{server.port}", "--tls", tls], expect=status)
                self.assertTrue(run.stderr.strip())

    def test_servers_that_drip(self):
        """each octet comes within the time-out, the message does not; a slow one comes whole"""
        ready = b"+OK ready\r\n-ERR no CAPA\r\n+OK\r\n+OK\r\n+OK\r\n1 99\r\n.\r\n+OK\r\n1 a\r\n.\r\n+OK\r\nSubject: 1\r\n\r\n"
        server = Dripping(ready + b"x" * 10_000, b"x" * 400)
        self.addCleanup(server.close)
        words = ("--to", self.home / "Maildir", "--timeout", 1)
        began = time.monotonic()
        self.run_it(*words, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=TRY_LATER)
        self.assertLess(time.monotonic() - began, 20)
        self.assertEqual([list((self.home / "Maildir" / part).iterdir()) for part in ("tmp", "new")], [[], []])
        server = Dripping(ready, b"x" * 600 + b"\r\n.\r\n+OK\r\n", pause=0.005)  # 200 octets a second
        self.addCleanup(server.close)
        self.run_it(*words, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"])

    def test_sizes_that_are_not_true(self):
        class Liar(BreakingServer):
            def talk(self, stream):
                class Lying:
                    def readline(self):
                        return stream.readline()

                    def write(self, octets):
                        stream.write(octets.replace(b"1 16", b"1 999999999").replace(b"2 16", b"2 1"))

                    def flush(self):
                        stream.flush()

                super().talk(Lying())

        server = Liar([(b"a", b"Subject: 1\r\n\r\n\r\n"), (b"b", b"Subject: 2\r\n\r\n\r\n")])
        self.addCleanup(server.close)
        told = json.loads(self.run_it("--json", "--to", self.home / "files", "--format", "eml", server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"]).stdout)
        self.assertEqual((told["fetched"], told["complete"], len(told["remarks"])), (2, True, 1))
        self.assertIn("not true, 2 in all; the first, message 1 has 16 octets; LIST said 999999999", told["remarks"][0])
        self.assertEqual(sorted(f.read_bytes() for f in (self.home / "files").iterdir()), [b"Subject: 1\r\n\r\n\r\n", b"Subject: 2\r\n\r\n\r\n"])

    def test_a_message_without_end(self):
        """LIST says that it is small: it is given up at the bound, nothing of it is kept, the others are fetched"""
        class Endless(BreakingServer):
            sent = 0

            def talk(self, stream):
                outer = self

                class Lying:
                    def readline(self):
                        self.line = stream.readline()
                        return self.line

                    def write(self, octets):
                        if self.line.strip() != b"RETR 2":
                            return stream.write(octets)
                        stream.write(b"+OK\r\nSubject: 2\r\n\r\n")
                        for _ in range(1000):
                            outer.sent += stream.write(b"x" * 99_998 + b"\r\n")
                        return 0

                    def flush(self):
                        stream.flush()

                lying = Lying()
                lying.line = b""
                try:
                    super().talk(lying)
                except OSError:
                    pass

        large = ("--largest", "1000")
        for words, uidl in ((("--delete",), True), ((*large, "--delete"), True), ((*large, "--all"), True), ((*large, "--all"), False), ((*large, "--all", "--delete"), True)):
            with self.subTest(f"{words} {uidl}"):
                shutil.rmtree(self.home / "Maildir", ignore_errors=True)
                server = Endless([(b"e%d" % i, b"Subject: %d\r\n\r\n" % i) for i in range(1, 5)], uidl=uidl)
                self.addCleanup(server.close)
                run = self.run_it("--json", "--to", self.home / "Maildir", *words, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=PROTOCOL)
                told = json.loads(run.stdout)
                self.assertEqual((told["fetched"], told["too_large"], server.sessions), (3, 1, 2))
                self.assertIn("message 2 does not end after 1048590 octets; LIST said 14", run.stderr)
                self.assertLess(server.sent, 20_000_000)  # what buffers hold
                self.assertEqual(sorted(m["Subject"] for m in mailbox.Maildir(self.home / "Maildir", create=False)), ["1", "3", "4"])
                self.assertEqual(list((self.home / "Maildir/tmp").iterdir()), [])
                self.assertEqual([unique for unique, _ in server.messages], [b"e2"] if "--delete" in words else [b"e1", b"e2", b"e3", b"e4"])

    def test_unique_ids_that_change(self):
        """a server that keeps no unique-ids: its messages come again rather than not at all, and none is deleted that was not kept"""
        server = BreakingServer([(b"a", b"Subject: 1\r\n\r\n"), (b"b", b"Subject: 2\r\n\r\n")])
        self.addCleanup(server.close)
        words = ["--json", "--to", self.home / "Maildir"]
        here = ["--server", f"127.0.0.1:{server.port}", "--tls", "none"]
        self.assertEqual(json.loads(self.run_it(*words, server=here).stdout)["fetched"], 2)
        server.messages = [(b"new" + unique, text) for unique, text in server.messages]
        told = json.loads(self.run_it(*words, "--delete-after", "1", server=here).stdout)
        self.assertEqual((told["fetched"], told["known"], told["deleted"], len(server.messages)), (2, 0, 0, 2))

    def test_what_goes_wrong_is_said(self):
        to = ("--to", self.home / "Maildir")
        self.environment["PASS"] = "other-17"
        self.assertIn("wrong", self.run_it(*to, expect=LOGIN).stderr)
        self.environment["PASS"] = PASSWORD
        self.run_it(*to, expect=TRY_LATER, server=["--server", "pop3s://127.0.0.1:1"])
        self.assertIn("无法连接：连接被拒绝", self.run_it(*to, "--lang", "zh", expect=TRY_LATER, server=["--server", "pop3s://127.0.0.1:1"]).stderr)
        self.run_it(*to, expect=PROTOCOL, server=["--server", f"pop3s://127.0.0.1:{self.server.port['pop3s']}"])  # nobody's certificate
        self.run_it("--all", "--new", *to, expect=USAGE)
        self.run_it(expect=USAGE)
        nobody = subprocess.run([GLASSPOST, "fetch", "--to", "x"], capture_output=True, text=True, env=self.environment)
        self.assertEqual(nobody.returncode, CONFIG)
        self.assertIn("glasspost account add", nobody.stderr)


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
