#!/usr/bin/env python3
"""Sending to real Postfix and Exim, fetching from real Dovecot: every way and mechanism, every kind of message, each octet compared; and connections
that are cut at every step, after which nothing is lost and nothing is there twice.

  mail_test.py GLASSPOST

Exit status 77: skipped (no root, no namespaces, packages not to be had).
"""
import email
import email.policy
import json
import os
import pathlib
import select
import socket
import subprocess
import sys
import tempfile
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers import messages, namespace  # noqa: E402

EXIM = "127.0.0.12"
HOSTS = {"mail.here.test": "127.0.0.10", "mail.there.test": EXIM, "ns.test": "127.0.0.53"}
USERS = {f"u{i}@here.test": f"pass-{i}-word" for i in range(40)}
OK, DATA, NO_USER, TRY_LATER, LOGIN = 0, 65, 67, 75, 77
GLASSPOST = ""
W = SITE = TLS = None
RUNNING = []
_free = iter(USERS.items())


def setUpModule():
    global W, SITE, TLS
    from peers import sites
    from peers.dnsmasq import Dnsmasq
    from peers.exim import Exim

    W = namespace.World(["postfix", "dovecot", "exim", "dnsmasq"], HOSTS)
    TLS = namespace.certificate(W.work / "tls", list(HOSTS))
    RUNNING.append(Dnsmasq(W, mx=[("there.test", "mail.there.test", 10), ("here.test", "mail.here.test", 10)], hosts=HOSTS).start())
    SITE = sites.RealSite(W, USERS, TLS)
    conf = SITE.dovecot.conf.read_text()
    SITE.dovecot.conf.write_text(conf.replace("auth_mechanisms = ", "auth_mechanisms = cram-md5 "))
    RUNNING.append(SITE.start())
    RUNNING.append(Exim(W, host="mail.there.test", address=EXIM, domain="there.test", users=["bob", "carl"], certificate=TLS))
    RUNNING[-1].start()


def tearDownModule():
    for peer in reversed(RUNNING):
        peer.stop()
    if W:
        W.remove()


class Cutter:
    """Between client and server: after so many octets of one direction both connections are cut, once."""

    def __init__(self, to, from_server, after):
        self.to, self.from_server, self.left, self.cut, self.passed = to, from_server, after, False, [0, 0]
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.to)
                self.carry(client, server)
            except OSError:
                pass
            for end in (client, server):
                end.close()

    def carry(self, client, server):
        ends = (client, server)
        while True:
            for end in select.select(ends, [], [], 30)[0]:
                octets = end.recv(65536)
                if not octets:
                    return
                side = ends.index(end)
                if not self.cut and (side == 1) == self.from_server:
                    octets = octets[: self.left]
                    self.left -= len(octets)
                self.passed[side] += len(octets)
                ends[1 - side].sendall(octets)
                if not self.cut and self.left == 0:
                    self.cut = True
                    return

    def close(self):
        self.listener.close()


class Mail(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=W.work))
        self.user, self.password = next(_free)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PASS": self.password, **{k: v for k, v in os.environ.items() if "SAN_OPTIONS" in k}}

    def run_it(self, *words, expect=OK, data=b""):
        run = subprocess.run([GLASSPOST, *map(str, words)], input=data, capture_output=True, timeout=120, env=self.environment)
        if expect is not None:
            self.assertEqual(run.returncode, expect, (words, run.stdout[-3000:], run.stderr[-3000:]))
        self.assertNotIn(self.password.encode(), run.stdout + run.stderr)
        return run

    def server(self, way):
        port = {"smtp": SITE.smtp, "submission": SITE.submission, "submissions": SITE.submissions, "pop3": SITE.pop3, "stls": SITE.pop3, "pop3s": SITE.pop3s}[way]
        tls = {"smtp": "none", "pop3": "none", "submission": "starttls", "stls": "starttls"}.get(way, "implicit")
        return ["--server", f"{SITE.host}:{port}", "--tls", tls, "--ca", TLS / "ca.pem"]

    def login(self):
        return ["--user", self.user, "--password-env", "PASS"]

    def send(self, *words, way="submissions", login=True, **more):
        words = words if "--from" in words else ("--from", self.user, *words)
        return self.run_it("send", *self.server(way), *(self.login() if login else ()), *words, **more)

    def fetch(self, *words, way="pop3s", **more):
        return self.run_it("fetch", *self.server(way), *self.login(), *words, **more)

    def fetched(self, count, *words, way="pop3s"):
        """the messages, octet by octet, once Postfix has delivered so many"""
        for _ in range(100):
            if SITE.postfix.delivered(self.user) >= count:
                break
            select.select([], [], [], 0.1)
        to = self.folder / "files"
        self.fetch("--to", to, "--format", "eml", *words, way=way)
        return [f.read_bytes() for f in sorted(to.iterdir())]

    def test_every_kind_of_message(self):
        folder = self.folder / "out"
        folder.mkdir()
        for name, octets in messages.MESSAGES.items():
            (folder / (name + ".eml")).write_bytes(octets)
        told = [json.loads(line) for line in self.send("--json", "--message", folder, "--to", self.user).stdout.splitlines()]
        self.assertEqual(len(told), len(messages.MESSAGES))
        found = {m[m.index(b"\nSubject: ") + 10 :].split(b"\r", 1)[0].decode(): messages.without_trace(m) for m in self.fetched(len(told))}
        for name, octets in messages.MESSAGES.items():
            with self.subTest(name):
                self.assertIsNone(messages.difference(found[name], octets))

    def test_every_way_and_mechanism(self):
        for way in ("submission", "submissions"):
            for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
                with self.subTest(f"{way} {mechanism}"):
                    self.send("--to", self.user, "--subject", f"{way} {mechanism}", "--body", "x", "--mechanism", mechanism, way=way)
        found = self.fetched(8)
        self.assertEqual(len(found), 8)
        for way in ("pop3", "stls", "pop3s"):
            for mechanism in ("auto", "PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"):
                with self.subTest(f"{way} {mechanism}"):
                    told = json.loads(self.fetch("--to", self.folder / "Maildir", "--all", "--json", "--mechanism", mechanism, way=way).stdout)
                    self.assertEqual(told["fetched"], 8)
        self.environment["PASS"] = "wrong"
        self.assertIn(b"535", self.send("--to", self.user, "--body", "x", expect=LOGIN).stderr)
        self.assertIn(b"Authentication failed", self.fetch("--to", self.folder / "Maildir", expect=LOGIN).stderr)

    def test_attachments(self):
        names = {"图片 (1).png": os.urandom(1_500_000), "a'b\"c.bin": os.urandom(57), "e\u0301.txt": b"\r\n.\r\n" * 9, "none": b"", "z" * 120 + ".dat": os.urandom(58)}
        for name, octets in names.items():
            (self.folder / name).write_bytes(octets)
        self.send("--to", self.user, "--subject", "附件", "--body", "见附件", *(w for n in names for w in ("--attach", self.folder / n)))
        message = email.message_from_bytes(self.fetched(1)[0], policy=email.policy.default)
        self.assertEqual({p.get_filename(): p.get_payload(decode=True) for p in message.iter_attachments()}, names)
        self.assertEqual((message["Subject"], message.get_body().get_content().strip()), ("附件", "见附件"))

    def test_refusals(self):
        self.assertIn(b"550", self.send("--to", "nobody@here.test", "--body", "x", expect=NO_USER).stderr)
        self.assertIn(b"554", self.send("--to", "x@elsewhere.test", "--body", "x", way="smtp", login=False, expect=69).stderr)  # no open relay
        self.assertIn(b"553", self.send("--from", "u0@here.test" if self.user != "u0@here.test" else "u1@here.test", "--to", self.user, "--body", "x", expect=69).stderr)

    def test_straight_to_exim(self):
        octets = messages.MESSAGES["dots"]
        self.run_it("send", "--mx", "--message", "-", "--to", "bob@there.test", "--to", "carl@there.test", "--to", self.user, "--hello", "laptop.here.test", "--tls", "starttls", "--ca", TLS / "ca.pem",
                    data=octets)
        exim = RUNNING[-1]
        for box in ("bob", "carl"):
            for _ in range(100):
                if exim.messages(box):
                    break
                select.select([], [], [], 0.1)
            (found,) = exim.messages(box)
            self.assertIsNone(messages.difference(messages.without_trace(found), octets))
            self.assertIn(b"with esmtps", found)
        self.assertIsNone(messages.difference(messages.without_trace(self.fetched(1)[0]), octets))
        self.assertIn(b"nobody", self.run_it("send", "--mx", "--from", "", "--to", "nobody@there.test", "--message", "-", data=octets, expect=69).stderr)

    def offsets(self, total, count):
        """from the first octet to the last, spread"""
        return sorted({1, total - 1} | {1 + i * (total - 2) // count for i in range(count)})

    def test_a_cut_at_every_step_of_fetch(self):
        for i in range(3):
            self.send("--to", self.user, "--subject", f"number {i}", "--body", f"{i} " * 300)
        originals = self.fetched(3)
        self.assertEqual(len(originals), 3)
        for way in ("pop3", "pop3s"):
            for from_server in (False, True):
                clean = Cutter((SITE.address, SITE.pop3 if way == "pop3" else SITE.pop3s), from_server, 1 << 40)
                self.cut_fetch(way, clean, "clean", keep=True)
                for at in self.offsets(clean.passed[1 if from_server else 0], 14):
                    with self.subTest(f"{way}, {'server' if from_server else 'client'}, octet {at}"):
                        cutter = Cutter((SITE.address, SITE.pop3 if way == "pop3" else SITE.pop3s), from_server, at)
                        self.cut_fetch(way, cutter, f"{way}-{from_server}-{at}", keep=True)
        # And with deletion: what is deleted is on the disk, whatever was cut; in the end the maildrop is empty.
        cutter = Cutter((SITE.address, SITE.pop3), True, sum(map(len, originals)) * 2 // 3)
        self.cut_fetch("pop3", cutter, "deleting", keep=False)
        self.assertTrue(cutter.cut)
        self.assertEqual(json.loads(self.fetch("--all", "--json", "--to", self.folder / "rest").stdout)["fetched"], 0)

    def cut_fetch(self, way, cutter, name, keep):
        self.addCleanup(cutter.close)
        to = self.folder / name
        words = ["fetch", "--server", f"127.0.0.1:{cutter.port}", "--tls", "none" if way == "pop3" else "implicit", "--no-verify", *self.login(), "--format", "eml", "--to", to, "--remember",
                 self.folder / (name + ".ids"), "--json", *([] if keep else ["--delete"])]
        for _ in range(4):
            run = self.run_it(*words, expect=None)
            if run.returncode == OK:
                break
            self.assertEqual(run.returncode, 75 if run.returncode != 76 else 76, run.stderr)  # 76: cut in TLS's handshake
        self.assertEqual(run.returncode, OK, run.stderr)
        found = sorted(messages.without_trace(f.read_bytes()).split(b"Subject: number ")[1][:1] for f in to.iterdir())
        self.assertEqual(found, [b"0", b"1", b"2"])

    def test_a_cut_at_every_step_of_send(self):
        total = [0, 0]
        count = 0
        for from_server in (None, False, True):
            for at in [1 << 40] if from_server is None else self.offsets(total[1 if from_server else 0], 16):
                with self.subTest(f"{'server' if from_server else 'client'}, octet {at}"):
                    cutter = Cutter((SITE.address, SITE.smtp), bool(from_server), at)
                    self.addCleanup(cutter.close)
                    count += 1
                    run = self.run_it("send", "--server", f"127.0.0.1:{cutter.port}", "--tls", "none", "--from", self.user, "--to", self.user, "--subject", f"number {count:03}", "--body",
                                      "x" * 400, "--json", expect=None)
                    self.assertIn(run.returncode, (OK, TRY_LATER), run.stderr)
                    told = json.loads(run.stdout)["recipients"][0]
                    self.said = getattr(self, "said", {}) | {f"number {count:03}": (run.returncode == OK, told["in_doubt"])}
                    total = cutter.passed if from_server is None else total
        accepted = [subject for subject, (ok, _) in self.said.items() if ok]
        found = [m[m.index(b"\nSubject: ") + 10 :].split(b"\r", 1)[0].decode() for m in self.fetched(len(accepted))]
        self.assertEqual(len(found), len(set(found)), "nothing is there twice")
        for subject, (ok, doubt) in self.said.items():
            if ok:
                self.assertIn(subject, found, "nothing is lost")
            elif not doubt:
                self.assertNotIn(subject, found, "what was said to have failed did")
        self.assertTrue(any(doubt for _, doubt in self.said.values()) and len(accepted) > 1)


if __name__ == "__main__":
    namespace.enter()
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
