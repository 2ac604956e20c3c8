#!/usr/bin/env python3
"""Providers and accounts from the command line: servers given by hand, passwords from everywhere, logins that go well and that do not.

  account_test.py GLASSPOST
"""
import json
import os
import pathlib
import pty
import select
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from serving import Server

GLASSPOST = ""
DONE, REFUSED, USAGE, CANNOT_OPEN = 0, 1, 2, 3
USER, PASSWORD = "ada@localhost.test", "enigma-17"


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def certificate(folder, name, alternatives, days=30):
    """folder/name.pem and .key, by the authority ca.pem of the folder, which is made if it is not there; days may be in the past"""
    ca = folder / "ca.pem"
    if not ca.exists():
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30, "-subj", "/CN=Test authority",
                "-keyout", folder / "ca-key.pem", "-out", ca, "-addext", "keyUsage=critical,keyCertSign")
    pem, key, request, extensions = (folder / (name + end) for end in (".pem", ".key", ".csr", ".ext"))
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
    extensions.write_text(f"subjectAltName={alternatives}\n")
    # openssl 3.0 makes no certificate that has ended but by `ca`, or by a negative number of days.
    openssl("x509", "-req", "-in", request, "-CA", ca, "-CAkey", folder / "ca-key.pem", "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", pem)
    return pem, key


class Program(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="gp-account-")
        cls.folder = pathlib.Path(cls.work.name)
        cls.addClassCleanup(cls.work.cleanup)
        pem, key = certificate(cls.folder, "good", "IP:127.0.0.1,DNS:localhost")
        cls.ca = cls.folder / "ca.pem"
        cls.server = Server(GLASSPOST, cls.settings(pem, key), users=[(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    @staticmethod
    def settings(pem, key):
        return f'tls.certificate = "{pem}"\ntls.key = "{key}"\n'

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.accounts = self.home / "glasspost/accounts.toml"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG", "XDG"))} | {"XDG_CONFIG_HOME": str(self.home)}

    def run_it(self, *words, data="", expect=None):
        run = subprocess.run([GLASSPOST, *map(str, words)], input=data, capture_output=True, text=True, timeout=120, env=self.environment)
        if expect is not None:
            self.assertEqual(run.returncode, expect, f"{words}\n{run.stdout}\n{run.stderr}")
        self.assertNotIn(PASSWORD, run.stdout + run.stderr)
        return run

    def servers(self, server=None, pop3="pop3s", smtp="submissions"):
        port = (server or self.server).port
        return ["--pop3", f"pop3{'s' if pop3 == 'pop3s' else ''}://127.0.0.1:{port[pop3]}",
                "--smtp", f"smtp{'s' if smtp == 'submissions' else ''}://127.0.0.1:{port[smtp]}", "--ca", self.ca]

    def add(self, *words, data=PASSWORD + "\n", expect=DONE, servers=None):
        return self.run_it("account", "add", USER, *(servers or self.servers()), *words, data=data, expect=expect)


class Providers(Program):
    def test_all_and_one(self):
        everything = [json.loads(line) for line in self.run_it("providers", "--json", expect=DONE).stdout.splitlines()]
        self.assertGreaterEqual(len(everything), 24)
        self.assertEqual(len({p["id"] for p in everything}), len(everything))
        for p in everything:
            self.assertTrue(p["smtp"] and p["imap"] and p["catch"]["en"] and p["catch"]["zh"] and p["source"]["url"], p["id"])
        table = self.run_it("providers", expect=DONE).stdout
        for p in everything:
            self.assertIn(p["id"], table)
        told = self.run_it("providers", "somebody@vip.163.com", expect=DONE).stdout
        self.assertIn("pop.vip.163.com", told)
        self.assertIn("authorization code", told)
        self.assertIn("授权码", self.run_it("providers", "163.com", "--lang", "zh", expect=DONE).stdout)
        self.assertIn("smtp-mail.outlook.com", self.run_it("providers", "msn.com", expect=DONE).stdout)

    def test_what_is_not_there(self):
        run = self.run_it("providers", "gmal.com", expect=REFUSED)
        self.assertIn("did you mean gmail.com?", run.stderr)
        self.assertIn("glasspost account add", run.stderr)
        self.run_it("providers", "a", "b", expect=USAGE)


class Accounts(Program):
    def test_added_listed_tested_removed(self):
        run = self.add("--password-file", "-")
        self.assertIn("logged in, 0 messages (TLSv1.3)", run.stdout)
        self.assertEqual(stat.S_IMODE(self.accounts.stat().st_mode), 0o600)
        self.assertNotIn(PASSWORD, self.accounts.read_text())
        self.assertIn(USER, self.run_it("account", "list", expect=DONE).stdout)
        row = json.loads(self.run_it("account", "list", "--json", expect=DONE).stdout)
        self.assertEqual((row["address"], row["pop3"]["port"], row["pop3"]["tls"], row["password"]), (USER, self.server.port["pop3s"], "implicit", {"source": "ask"}))
        self.run_it("account", "test", USER, "--password-file", "-", data=PASSWORD, expect=DONE)
        self.run_it("account", "test", USER, "--password-file", "-", data="wrong", expect=REFUSED)
        self.assertIn("is there already", self.add(expect=REFUSED).stderr)
        self.run_it("account", "remove", USER, expect=DONE)
        self.run_it("account", "remove", USER, expect=REFUSED)
        self.run_it("account", "test", USER, expect=REFUSED)
        self.assertEqual(self.run_it("account", "list", expect=DONE).stdout, "")

    def test_starttls_and_what_the_server_says_as_json(self):
        run = self.add("--password-file", "-", "--json", servers=self.servers(pop3="pop3", smtp="submission"))
        said = json.loads(run.stdout)
        self.assertTrue(said["stored"])
        self.assertEqual([t["result"] for t in said["tests"]], ["ok", "ok"])
        self.assertEqual([t["tls_version"] for t in said["tests"]], ["TLSv1.3", "TLSv1.3"])
        self.assertEqual(said["found"]["pop3"]["origin"], "typed")

    def test_wrong_password(self):
        run = self.add("--password-file", "-", data="wrong\n", expect=REFUSED)
        self.assertRegex(run.stdout, r"POP3 .*login refused; the server says: \[AUTH\] (?!\[)")
        self.assertRegex(run.stdout, r"SMTP .*login refused; the server says: 535 ")
        self.assertIn("was not stored", run.stderr)
        self.assertFalse(self.accounts.exists())
        said = json.loads(self.add("--password-file", "-", "--json", data="wrong\n", expect=REFUSED).stdout)
        self.assertFalse(said["stored"])
        self.assertEqual([(t["result"], t["own_words"]) for t in said["tests"]], [("login-refused", True)] * 2)
        self.assertIn("登录被拒绝；服务器说", self.add("--password-file", "-", "--lang", "zh", data="wrong\n", expect=REFUSED).stdout)
        self.add("--no-test")  # asked for later
        self.assertTrue(self.accounts.exists())

    def test_passwords_from_everywhere(self):
        secret = self.home / "secret"
        secret.write_text(PASSWORD + "\n")
        secret.chmod(0o600)
        self.environment["MAIL_PASSWORD"] = PASSWORD
        tool = self.home / "bin/secret-tool"
        tool.parent.mkdir()
        tool.write_text(f'#!/bin/sh\ncase $1 in store) cat >{self.home}/kept;; lookup) cat {self.home}/kept;; clear) rm {self.home}/kept;; esac\n')
        tool.chmod(0o700)
        self.environment["PATH"] = f"{tool.parent}:{self.environment['PATH']}"
        for words, source in ((["--password-command", f"cat {secret}"], "command"), (["--password-env", "MAIL_PASSWORD"], "environment"), (["--password-file", secret], "file"),
                              (["--keyring", "--password-file", "-"], "keyring"), (["--store-password", "--password-file", "-"], "stored")):
            with self.subTest(source):
                run = self.add(*words)
                self.assertEqual("in the clear" in run.stderr, source == "stored")
                self.assertEqual(json.loads(self.run_it("account", "list", "--json").stdout)["password"]["source"], source)
                self.assertEqual(PASSWORD in self.accounts.read_text(), source == "stored")
                self.run_it("account", "test", USER, expect=DONE)
                self.assertEqual((self.home / "kept").exists(), source == "keyring")
                self.run_it("account", "remove", USER, expect=DONE)
                self.assertFalse((self.home / "kept").exists())
        secret.chmod(0o644)
        self.assertIn("chmod 600", self.add("--password-file", secret, expect=CANNOT_OPEN).stderr)
        self.assertIn("ended with status 1", self.add("--password-command", "false", expect=CANNOT_OPEN).stderr)

    def test_typed_on_a_terminal_without_being_seen(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execve(GLASSPOST, [GLASSPOST, "account", "add", USER, *map(str, self.servers())], self.environment)
        seen, typed, until = b"", False, time.monotonic() + 60
        while time.monotonic() < until:
            if select.select([terminal], [], [], 1)[0]:
                try:
                    octets = os.read(terminal, 4096)
                except OSError:
                    break
                if not octets:
                    break
                seen += octets
            if b"Password for" in seen and not typed:
                os.write(terminal, PASSWORD.encode() + b"\n")
                typed = True
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), DONE, seen)
        self.assertNotIn(PASSWORD.encode(), seen)
        self.assertIn(b"was stored in", seen)

    def test_file_that_is_no_good(self):
        self.add("--password-file", "-")
        good = self.accounts.read_text()
        self.accounts.chmod(0o644)
        for words in (["list"], ["test", USER], ["remove", USER], ["add", "b@x.test", *self.servers(), "--no-test"]):
            self.assertIn("others may read or write it", self.run_it("account", *words, expect=CANNOT_OPEN).stderr)
        self.accounts.chmod(0o600)
        self.accounts.write_text(good + "colour = 1\n")
        line = good.count("\n") + 1
        for words in (["list"], ["add", "b@x.test", *self.servers(), "--no-test"]):
            self.assertIn(f"accounts.toml:{line}:1: there is no \"colour\"", self.run_it("account", *words, expect=CANNOT_OPEN).stderr)
        self.assertEqual(self.accounts.read_text(), good + "colour = 1\n")
        self.accounts.unlink()
        self.accounts.mkdir()
        self.run_it("account", "list", expect=CANNOT_OPEN)

    def test_use(self):
        for words in (["add"], ["add", "nobody"], ["add", USER, "--pop3", "h:1234"], ["add", USER, "--tls", "none"], ["add", USER, "--pop3", "h", "--tls", "ssl"],
                      ["add", USER, "--pop3", "h", "--keyring", "--store-password"], ["list", "x"], ["list", "--keyring"], ["frobnicate"], [],
                      ["add", USER, "--pop3", "h", "--smtp", "h", "--no-verify", "--ca", "x"], ["add", USER, "--pop3", "h", "--smtp", "h", "--mechanism", "NTLM"]):
            with self.subTest(words):
                self.run_it("account", *words, expect=USAGE)
        self.assertFalse(self.accounts.exists())


class Faults(Program):
    """Servers that are not as they should be."""

    def trial(self, server, *words, expect=REFUSED):
        said = json.loads(self.add("--password-file", "-", "--json", *words, servers=self.servers(server), expect=expect).stdout)
        return [(t["result"], t["text"]) for t in said["tests"]]

    def other(self, pem, key):
        server = Server(GLASSPOST, self.settings(pem, key), users=[(USER, PASSWORD)])
        self.addCleanup(server.close)
        return server

    def test_certificates(self):
        for name, alternatives, days, why in (("wrong", "DNS:other.test", 30, "IP address mismatch"), ("old", "IP:127.0.0.1", -1, "certificate has expired")):
            with self.subTest(name):
                server = self.other(*certificate(self.folder, name, alternatives, days))
                for result, text in self.trial(server):
                    self.assertEqual(result, "tls-failed")
                    self.assertIn(why, text)
                self.assertFalse(self.accounts.exists())
        said = self.add("--password-file", "-", "--no-verify", servers=[*self.servers(server)[:4]])
        self.assertIn("certificates are not verified", said.stderr)

    def test_unknown_authority(self):
        words = self.servers()[:4]
        said = json.loads(self.add("--password-file", "-", "--json", servers=words, expect=REFUSED).stdout)
        for t in said["tests"]:
            self.assertEqual(t["result"], "tls-failed")
            self.assertIn("certificate verify failed", t["text"])

    def test_nobody_listens(self):
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
            said = json.loads(self.add("--password-file", "-", "--json", servers=["--pop3", f"pop3s://127.0.0.1:{port}", "--smtp", f"smtp://127.0.0.1:{port}"], expect=REFUSED).stdout)
        self.assertEqual([t["result"] for t in said["tests"]], ["unreachable", "unreachable"])
        self.assertIn("Connection refused", said["tests"][0]["text"])

    def hostile(self, *replies):
        """a server that says these one after the other, then hangs up: its port"""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def serve():
            try:
                connection = listener.accept()[0]
                for reply in replies:
                    connection.sendall(reply)
                    if not connection.recv(4096):
                        break
                connection.close()
            except OSError:
                pass

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        self.addCleanup(thread.join, 10)
        return listener.getsockname()[1]

    def test_secrets_are_masked_in_the_servers_words_only(self):
        """a mask in our own words would tell what stands there: that the password is one of them"""
        for replies, text in (((b"+OK hi\r\n", b"+OK\r\nUSER\r\n.\r\n"), "the server does not offer STLS"),
                              ((b"+OK hi\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"-ERR [SYS/TEMP] no server here\r\n"), "[SYS/TEMP] no *** (6 octets) here")):
            with self.subTest(text):
                said = self.add("--password-file", "-", "--json", data="server\n", servers=["--pop3", f"pop3://127.0.0.1:{self.hostile(*replies)}"] + self.servers()[2:], expect=REFUSED)
                self.assertEqual(json.loads(said.stdout)["tests"][0]["text"], text)

    def test_hostile_servers(self):
        for replies, results in (((b"HTTP/1.1 400 Bad Request\r\n",), {"refused"}), ((b"+OK hello\r\n", b"-ERR no\r\n"), {"tls-failed"}), ((b"+OK " + b"x" * 100000,), {"refused", "unreachable"}),
                                 ((b"+OK hi\r\n", b"+OK\r\nSTLS\r\n.\r\n", b"+OK\r\n+OK injected\r\n"), {"tls-failed"}), ((b"+OK hi\r\n",), {"unreachable"}), ((b"-ERR \x1b[31mgo away\r\n",), {"refused"})):
            with self.subTest(replies[0][:40]):
                said = self.add("--password-file", "-", "--json", servers=["--pop3", f"pop3://127.0.0.1:{self.hostile(*replies)}"] + self.servers()[2:], expect=REFUSED)
                self.assertIn(json.loads(said.stdout)["tests"][0]["result"], results)
        told = self.add("--password-file", "-", servers=["--pop3", f"pop3://127.0.0.1:{self.hostile(b'-ERR ' + bytes([27]) + b'[31mgo away' + bytes([13, 10]))}"] + self.servers()[2:], expect=REFUSED)
        self.assertNotIn("\x1b", told.stdout + told.stderr)
        self.assertIn("go away", told.stdout)


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
