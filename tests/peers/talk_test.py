#!/usr/bin/env python3
"""Speaking by hand with Postfix (SMTP) and Dovecot (POP3, IMAP): stages, scripts, logins, STARTTLS, certificates that do not hold.

  talk_test.py GLASSPOST

Exit status 77: skipped (no root, no namespaces, packages not to be had).
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers import namespace  # noqa: E402

MAIL = "127.0.0.10"
HOSTS = {"mail.here.test": MAIL, "mail.wrong.test": MAIL, "ns.test": "127.0.0.53"}
USER, PASSWORD = "ada@here.test", "richtig-17"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256")

W = None  # the world; made once
RUNNING = []


def setUpModule():
    global W
    from peers.dovecot import Dovecot
    from peers.postfix import Postfix

    W = namespace.World(["postfix", "dovecot"], HOSTS)
    namespace.loopback_up([MAIL])
    certificate = namespace.certificate(W.work / "tls", ["mail.here.test"])
    dovecot = Dovecot(W, "talk-dovecot", address=MAIL, users={USER: PASSWORD}, mail=f"maildir:{W.work}/talk-mail/%u", pop3=110, pop3s=995, imap=143, imaps=993, certificate=certificate,
                      mechanisms="plain login cram-md5 scram-sha-256")
    (W.work / "talk-mail").mkdir()
    shutil.chown(W.work / "talk-mail", namespace.USERS["vmail"], namespace.USERS["vmail"])
    RUNNING.append(dovecot.start())
    postfix = Postfix(W, "talk-postfix", host="mail.here.test", address=MAIL, submission=587, submissions=465, domains=["here.test"], mailboxes={USER: USER},
                      certificate=certificate, sasl=dovecot.sasl, settings={"virtual_mailbox_base": W.work / "talk-mail"})
    RUNNING.append(postfix.start())
    (W.work / "password").write_text(PASSWORD + "\n")
    os.chmod(W.work / "password", 0o600)


def tearDownModule():
    for peer in reversed(RUNNING):
        peer.stop()
    if W:
        W.remove()


class Talk(unittest.TestCase):
    def talk(self, *words, typed="", expect=0):
        run = subprocess.run([GLASSPOST, "talk", *map(str, words), "--ca", W.work / "tls/ca.pem", "--no-report", "--no-explain", "--timeout", "20"], input=typed, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(run.returncode, expect, f"{run.stdout}\n{run.stderr}")
        self.assertNotIn(PASSWORD, run.stdout + run.stderr)
        return run.stdout

    def login(self):
        return "--user", USER, "--password-file", W.work / "password"

    def test_a_transaction_each_way(self):
        for words in (("smtp", "mail.here.test"), ("smtp", "mail.here.test", "--starttls"), ("smtp", "mail.here.test:465", "--tls", *self.login()),
                      ("smtp", "mail.here.test:587", "--starttls", *self.login(), "--pipeline")):
            with self.subTest(words):
                said = self.talk(*words, "--from", USER, "--to", USER)
                self.assertIn("queued as", said)
                self.assertIn("QUIT", said)

    def test_each_mechanism(self):
        for mechanism in MECHANISMS:
            with self.subTest(mechanism):
                said = self.talk("smtp", "mail.here.test:587", "--starttls", *self.login(), "--auth", mechanism, "--from", USER, "--to", USER, "--quit-after", "auth")
                self.assertIn(f"~> AUTH {mechanism}", said)
                self.assertIn("<~  235", said)
                said = self.talk("pop3", "mail.here.test:995", "--tls", *self.login(), "--auth", mechanism, "--quit-after", "stat")
                self.assertIn(f"~> AUTH {mechanism}", said)
                self.assertIn("~> STAT", said)

    def test_wrong_password(self):
        os.environ["WRONG"] = "falsch"
        said = self.talk("smtp", "mail.here.test:587", "--starttls", "--user", USER, "--password-env", "WRONG", "--from", USER, "--to", USER, expect=28)
        self.assertIn("<~* 535 5.7.8", said)
        said = self.talk("pop3", "mail.here.test", "--starttls", "--user", USER, "--password-env", "WRONG", "--quit-after", "stat", expect=28)
        self.assertIn("<~* -ERR", said)

    def test_refusals(self):
        self.talk("smtp", "mail.here.test", "--from", "x@else.test", "--to", "y@elsewhere.test", expect=24)
        self.talk("smtp", "mail.here.test:587", "--starttls", "--from", USER, "--to", "y@elsewhere.test", expect=24)

    def test_certificate_for_another_name(self):
        for protocol, port in (("smtp", 465), ("pop3", 995)):
            said = self.talk(protocol, f"mail.wrong.test:{port}", "--tls", expect=29)
            self.assertIn("hostname mismatch", said)
        self.assertIn("<~  220", self.talk("smtp", "mail.wrong.test:465", "--tls", "--no-verify", typed="QUIT\n"))

    def test_a_script_fetches_what_another_sent(self):
        message = W.work / "message"
        message.write_bytes(b"Subject: by hand\r\n\r\n.dots\r\n..more\r\n")
        send = W.work / "send"
        send.write_text(f"< 220\n> EHLO me\n< 250 PIPELINING\nstarttls\n> EHLO me\n< /^250 SIZE/\n> MAIL FROM:<{USER}>\n>> RCPT TO:<{USER}>\n>> DATA\n< 250\n< 250\n< 354\n"
                        f"send-file {message}\n< /queued as/\n> FROB\n< 50.\n> QUIT\n< 221\n< close\n")
        self.talk("smtp", "mail.here.test", "--script", send)
        fetch = W.work / "fetch"
        fetch.write_text("< +OK\nstarttls\nauth LOGIN\n> UIDL\n< +OK\n> RETR 1\n< Subject: by hand\n> DELE 1\n< +OK\n> QUIT\n< +OK\n< close\n")
        for _ in range(100):  # Postfix delivers in its own time
            run = subprocess.run([GLASSPOST, "talk", "pop3", "mail.here.test", "--ca", W.work / "tls/ca.pem", "--no-report", "--script", fetch, *self.login()], input="", capture_output=True,
                                 text=True, timeout=60)
            if run.returncode == 0:
                break
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        self.assertIn("<~  ..dots\n<~  ...more\n<~  .\n", run.stdout)

    def imap(self, *words, typed="", expect=0):
        """explained, and told once more at the end"""
        run = subprocess.run([GLASSPOST, "talk", "imap", *map(str, words), "--ca", W.work / "tls/ca.pem", "--timeout", "20"], input=typed, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(run.returncode, expect, f"{run.stdout}\n{run.stderr}")
        self.assertNotIn(PASSWORD, run.stdout + run.stderr)
        return run.stdout

    def explained(self, said, steps):
        """each command, what is said about it, its last line, and what is said about that, in this order"""
        at = 0
        for step in steps:
            found = said.find(step, at)
            self.assertGreaterEqual(found, 0, f"{step!r} is not in\n{said[at:]}")
            at = found + len(step)

    def test_imap(self):
        """a message is put there with a literal, and fetched as one"""
        message = "Subject: literal\r\n\r\nin octets\r\n"
        lines = [f"LOGIN {USER} {PASSWORD}", "CREATE literal", f"APPEND literal {{{len(message)}}}", *message.split("\r\n")[:-1], "", "SELECT literal", "FETCH 1 BODY.PEEK[]",
                 "STORE 1 +FLAGS (\\Deleted)", "EXPUNGE", "FETCH 1 FLAGS", "LOGOUT"]
        said = self.imap("mail.here.test", typed="".join(line + "\n" for line in lines))
        worked = "· OK: it worked."
        self.explained(said, [
            "<-  * OK [CAPABILITY IMAP4rev1", "· This is the server's greeting.", "=== the tag a1 was put before it", "a1 LOGIN ada@here.test *** (10 octets)", "<-  a1 OK", worked, "a2 CREATE literal", "<-  a2 OK", worked,
            f"a3 APPEND literal {{{len(message)}}}", "<-  + ", "in octets", "<-  a3 OK [APPENDUID", worked, "a4 SELECT literal", "· The client opens this mailbox.", "<-  * 1 EXISTS",
            "<-  a4 OK [READ-WRITE]", worked, "a5 FETCH 1 BODY.PEEK[]", f"<-  * 1 FETCH (BODY[] {{{len(message)}}}", "<-  Subject: literal", "<-  in octets", "<-  a5 OK", worked,
            "a6 STORE", "a7 EXPUNGE", "<-  * 1 EXPUNGE", "<-  a7 OK", "a8 FETCH 1 FLAGS", "<** a8 BAD", "a9 LOGOUT", "· The client says goodbye.", "<-  * BYE", "<-  a9 OK", worked,
            "=== the server closed the connection", "Conversation 1"])

    def test_imap_over_tls(self):
        """in the middle, by the command and by the option, and first"""
        select = ["SELECT INBOX", "LOGOUT"]
        for words, typed in ((("mail.here.test",), ["STARTTLS", "CAPABILITY", f"LOGIN {USER} {PASSWORD}", *select]), (("mail.here.test", "--starttls"), [":auth", *select]),
                             (("mail.here.test:993", "--tls"), [":auth SCRAM-SHA-256", *select])):
            with self.subTest(words):
                said = self.imap(*words, *self.login(), typed="".join(line + "\n" for line in typed))
                self.explained(said, ["=== TLS: TLSv1.3", "=== certificate: CN=mail.here.test", " OK ", "SELECT INBOX", "<~  * FLAGS", " OK [READ-WRITE]", "LOGOUT", "<~  * BYE"])

    def test_imap_wrong_password_and_script(self):
        os.environ["WRONG"] = "falsch"
        said = self.talk("imap", "mail.here.test", "--starttls", "--user", USER, "--password-env", "WRONG", "--quit-after", "auth", expect=28)
        self.assertRegex(said, r"<~\* a\d+ NO \[AUTHENTICATIONFAILED\]")
        script = W.work / "imap"
        script.write_text("< OK\nstarttls\nauth PLAIN\n> EXAMINE INBOX\n< /OK .READ-ONLY/\n> FROB\n< BAD\n> LOGOUT\n< OK\n< close\n")
        said = self.talk("imap", "mail.here.test", "--script", script, *self.login())
        self.assertIn("~> a", said)


class Probe(unittest.TestCase):
    """What Dovecot offers, as it says so itself."""

    def probe(self, *words, expect):
        run = subprocess.run([GLASSPOST, "probe", *words, "--ca", W.work / "tls/ca.pem", "--timeout", "20"], capture_output=True, text=True, timeout=240)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        return run.stdout

    def test_imap(self):
        for where, port in (("mail.here.test:143", 143), ("imap://mail.here.test", 143), ("mail.here.test:993", 993), ("imaps://mail.here.test", 993)):
            with self.subTest(where):
                clear = port == 143
                told = json.loads(self.probe(where, "--json", expect=1 if clear else 0))
                self.assertEqual((told["service"], told["port"]), ("imap", port))
                self.assertEqual(told["faults"], ["clear-passwords"] if clear else [])  # LOGIN is not ruled out
                self.assertEqual(told["secured"]["mechanisms"], ["PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256"])
                self.assertIn("IMAP4rev1", told["secured"]["extensions"])
                self.assertNotIn("STARTTLS", told["secured"]["extensions"])
                self.assertEqual(told["clear"] is not None and "STARTTLS" in told["clear"]["extensions"], clear)
                self.assertEqual([s["step"] for s in told["steps"]], ["connect", "greeting", "CAPABILITY", "STARTTLS", "TLS", "CAPABILITY", "LOGOUT"] if clear
                                 else ["connect", "TLS", "greeting", "CAPABILITY", "LOGOUT"])
                taken = [v["version"] for v in told["versions"] if v["taken"]]
                self.assertIn("TLSv1.3", taken)

    def test_another_name_and_a_table(self):
        told = self.probe("mail.wrong.test:993", expect=1)
        self.assertIn("its certificate is not for this host", told)
        told = self.probe("mail.here.test:993", "--quick", expect=0)
        self.assertIn("IMAP, TLS first", told)
        self.assertRegex(told, r"AUTH +within TLS: PLAIN LOGIN CRAM-MD5 SCRAM-SHA-256")

    def test_each_port_of_a_host(self):
        told = [json.loads(line) for line in self.probe("mail.here.test", "--all", "--quick", "--json", expect=1).splitlines()]
        self.assertEqual([(t["service"], t["port"], t["reached"]) for t in told],
                         [("smtp", 25, True), ("smtp", 587, True), ("smtp", 465, True), ("pop3", 110, True), ("pop3", 995, True), ("imap", 143, True), ("imap", 993, True)])


if __name__ == "__main__":
    namespace.enter()
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
