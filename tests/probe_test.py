#!/usr/bin/env python3
"""What mail servers offer: our own, ones with bad certificates, ones that know old TLS only, none at all, and the MX of a domain.

  probe_test.py GLASSPOST
"""
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from account_test import certificate, openssl
from send_test import FakeServer
from listening import Listening
from serving import Server

GLASSPOST = ""
DONE, FAULTS, USAGE, CANNOT = 0, 1, 2, 3
USER, PASSWORD = "ada@localhost.test", "enigma-17"
PLAIN = (b"220 ready\r\n", b"250 fine\r\n", b"221 bye\r\n")  # a server that offers nothing


class OneVoice(Listening):
    """Says the same to whoever comes, after TLS if it has a context for it: all at once, or of a tuple the next at each line; and keeps what it hears."""

    def __init__(self, says, tls=None):
        self.says, self.tls, self.heard = says, tls, b""
        super().__init__()

    def serve(self, connection):
        connection.settimeout(20)
        with self.tls.wrap_socket(connection, server_side=True) if self.tls else connection as inner:
            first, *rest = self.says if isinstance(self.says, tuple) else (self.says,)
            inner.sendall(first)
            while octets := inner.recv(4096):
                self.heard += octets
                if rest:
                    inner.sendall(rest.pop(0))


class Probe(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="gp-probe-")
        cls.folder = pathlib.Path(cls.work.name)
        cls.addClassCleanup(cls.work.cleanup)
        cls.pem, cls.key = certificate(cls.folder, "good", "IP:127.0.0.1,DNS:mail.here.test")
        cls.server = Server(GLASSPOST, f'server.classroom = true\ntls.certificate = "{cls.pem}"\ntls.key = "{cls.key}"\n', users=[(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def run_it(self, *words, expect=DONE, trusted=True):
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG"))}
        run = subprocess.run([GLASSPOST, "probe", *map(str, words), *(["--ca", self.folder / "ca.pem"] if trusted else [])], capture_output=True, text=True, timeout=120, env=environment)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return run

    def probed(self, *words, **more):
        return [json.loads(line) for line in self.run_it("--json", *words, **more).stdout.splitlines()]

    def served_with(self, pem, key):
        server = Server(GLASSPOST, f'tls.certificate = "{pem}"\ntls.key = "{key}"\n')
        self.addCleanup(server.close)
        return server

    def test_our_own(self):
        (told,) = self.probed(f"127.0.0.1:{self.server.port['smtp']}")
        self.assertEqual(told["faults"], [])
        self.assertIn("PIPELINING", told["secured"]["extensions"])
        self.assertNotIn("STARTTLS", told["secured"]["extensions"])
        self.assertIn("STARTTLS", told["clear"]["extensions"])
        self.assertEqual({v["version"]: v["taken"] for v in told["versions"]}, {"TLSv1.3": True, "TLSv1.2": True, "TLSv1.1": False, "TLSv1.0": False})
        self.assertEqual([s["step"] for s in told["steps"]], ["connect", "greeting", "EHLO", "STARTTLS", "TLS", "EHLO", "QUIT"])
        self.assertTrue(all(0 <= s["ms"] < 60_000 for s in told["steps"]) and told["steps"][4]["ms"] > 0.05)
        self.assertTrue(told["certificate"]["trusted"] and told["certificate"]["for_host"])
        self.assertEqual((told["certificate"]["key"], told["certificate"]["key_bits"]), ("EC", 256))
        log = self.server.log()
        self.assertNotIn("MAIL", log)

    def test_each_door(self):
        port = self.server.port
        (told,) = self.probed(f"127.0.0.1:{port['submission']}", expect=FAULTS)  # a classroom takes passwords in the clear
        self.assertEqual(told["faults"], ["clear-passwords"])
        self.assertIn("SCRAM-SHA-256", told["secured"]["mechanisms"])
        (told,) = self.probed(f"smtps://127.0.0.1:{port['submissions']}", "--quick")
        self.assertEqual((told["tls"], told["clear"], told["versions"]), ("TLSv1.3", None, []))
        self.assertEqual([s["step"] for s in told["steps"]], ["connect", "TLS", "greeting", "EHLO", "QUIT"])
        (told,) = self.probed(f"pop3s://127.0.0.1:{port['pop3s']}")
        self.assertIn("UIDL", told["secured"]["extensions"])
        self.assertIn("PLAIN", told["secured"]["mechanisms"])
        (told,) = self.probed(f"127.0.0.1:{port['pop3']}", expect=FAULTS)  # the greeting says that it is POP3
        self.assertEqual((told["service"], told["faults"]), ("pop3", ["clear-passwords"]))

    def test_certificates(self):
        for name, alternatives, days, fault in (("other-name", "DNS:other.test", 30, "wrong-name"), ("ended", "IP:127.0.0.1", -1, "expired"), ("ending", "IP:127.0.0.1", 5, "expires-soon"),
                                                ("last day", "IP:127.0.0.1", 15, None)):
            with self.subTest(name):
                server = self.served_with(*certificate(self.folder, name.replace(" ", "-"), alternatives, days))
                (told,) = self.probed(f"127.0.0.1:{server.port['smtp']}", "--quick", expect=FAULTS if fault else DONE)
                self.assertEqual(told["faults"], [fault] if fault else [])
        (told,) = self.probed(f"127.0.0.1:{self.server.port['smtp']}", "--quick", expect=FAULTS, trusted=False)
        self.assertEqual(told["faults"], ["untrusted"])
        self.assertIn("issuer", told["certificate"]["why_not"])
        weak = self.folder / "weak.pem"
        openssl("req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", 60, "-subj", "/CN=weak", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.folder / "weak.key", "-out", weak)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.set_ciphers("ALL:@SECLEVEL=0")
        tls.load_cert_chain(weak, self.folder / "weak.key")
        voice = OneVoice(PLAIN, tls)
        self.addCleanup(voice.close)
        (told,) = self.probed(f"smtps://127.0.0.1:{voice.port}", "--quick", expect=FAULTS)
        self.assertEqual(told["faults"], ["self-signed", "weak-key"])

    def test_old_tls(self):
        for newest, fault in ((ssl.TLSVersion.TLSv1_1, "only-old-tls"), (ssl.TLSVersion.TLSv1_2, "old-tls")):
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.set_ciphers("ALL:@SECLEVEL=0")
            tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, newest
            tls.load_cert_chain(self.pem, self.key)
            voice = OneVoice(PLAIN, tls)
            self.addCleanup(voice.close)
            (told,) = self.probed(f"smtps://127.0.0.1:{voice.port}", expect=FAULTS)
            self.assertIn(fault, told["faults"])
            self.assertEqual([v["taken"] for v in told["versions"]], [False, newest == ssl.TLSVersion.TLSv1_2, True, True])

    def test_servers_that_are_none(self):
        for says, fault, within in ((PLAIN, "no-tls", 8), (b"HTTP/1.0 400 Bad\r\n\r\n", "broke-off", 8), (b"554 not for you\r\n", "broke-off", 8),
                                    (b"220 ready\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n", "handshake-failed", 8), (b"", "broke-off", 8), (b"220-" + b"x" * 2_000_000, "broke-off", 8)):
            with self.subTest(says[:30]):
                voice = OneVoice(says)
                self.addCleanup(voice.close)
                began = time.monotonic()
                (told,) = self.probed(f"127.0.0.1:{voice.port}", "--quick", "--timeout", 2, expect=FAULTS)
                self.assertLess(time.monotonic() - began, within)
                self.assertIn(fault, told["faults"])
                self.assertFalse(re.search(rb"^(MAIL|RCPT|DATA|AUTH)", voice.heard, re.M))
        server = FakeServer(offers=["STARTTLS"], breaks=("STARTTLS", b"220 go\r\n", 99))
        self.addCleanup(server.close)
        (told,) = self.probed(f"127.0.0.1:{server.port}", expect=FAULTS)
        self.assertEqual(told["faults"], ["handshake-failed"])
        self.assertEqual(server.connections, 5)
        (told,) = self.probed("127.0.0.1:1", expect=FAULTS)
        self.assertEqual(told["faults"], ["unreachable"])

    def test_the_exchangers_of_a_domain(self):
        zone = self.folder / "zone"
        zone.write_text("$ORIGIN here.test.\n$TTL 60\n@ SOA ns x 1 1 1 1 1\n@ NS ns\nns A 127.0.0.1\n@ MX 20 mail\n@ MX 10 dead\nmail A 127.0.0.98\ndead A 127.0.0.99\nnone MX 0 .\nbare A 127.0.0.97\n")
        dns = subprocess.Popen([GLASSPOST, "dns", "serve", "--listen", "127.0.0.1:0", zone], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (dns.terminate(), dns.wait(), dns.stdout.close()))
        here = ("--dns", "127.0.0.1:" + re.search(r"127\.0\.0\.1:(\d+)", dns.stdout.readline())[1])
        told = self.probed("here.test", *here, expect=FAULTS)
        self.assertEqual([(t["host"], t["preference"], t["port"], t["reached"]) for t in told], [("dead.here.test", 10, 25, False), ("mail.here.test", 20, 25, False)])
        told = self.probed("bare.here.test", "--all", *here, expect=FAULTS)
        self.assertEqual([(t["port"], t["service"]) for t in told], [(25, "smtp"), (587, "smtp"), (465, "smtp"), (110, "pop3"), (995, "pop3"),
                                                                         (143, "imap"), (993, "imap")])
        self.assertIn("null MX", self.run_it("none.here.test", *here, expect=FAULTS).stderr)
        self.assertIn("does not exist", self.run_it("no.here.test", *here, expect=FAULTS).stderr)

    def test_the_table(self):
        told = self.run_it(f"127.0.0.1:{self.server.port['submission']}", "--quick", "--lang", "zh", expect=FAULTS).stdout
        for words in ("扩展", "TLS 之内：SCRAM-SHA-256 PLAIN LOGIN", "TLSv1.3", "允许在 TLS 之前发送口令"):
            self.assertIn(words, " ".join(told.split()))
        told = self.run_it(f"127.0.0.1:{self.server.port['smtp']}", "--quick").stdout
        for words in ("EHLO", "greeting", "none found", "Test authority", "days left"):
            self.assertIn(words, told)

    def test_words_that_do_not_fit(self):
        self.run_it(expect=USAGE)
        self.run_it("x", "--timeout", "0", expect=USAGE)
        self.run_it("127.0.0.1:99999", expect=FAULTS)
        self.run_it("a b", expect=FAULTS)
        self.run_it("127.0.0.1:1", "--ca", "/nowhere", expect=CANNOT, trusted=False)


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
