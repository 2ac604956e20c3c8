#!/usr/bin/env python3
"""Speaking SMTP, POP3 and IMAP by hand: from a pipe, by a script, stage after stage. In a terminal: talk_terminal_test.py.

  talk_test.py GLASSPOST
"""
import base64
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

from account_test import certificate
from listening import Listening
from serving import Server

GLASSPOST, SANITIZED = "", False
USER, PASSWORD = "ada@localhost.test", "enigma-17"
OK, USAGE, CONNECT, OUTPUT, CLOSED, BANNER, HELLO, MAIL, RCPT, DATA, MESSAGE, LOGIN, TLS, EXPECTED = 0, 1, 2, 3, 6, 21, 22, 23, 24, 25, 26, 28, 29, 50


class Scripted(Listening):
    """A server that says what a function, called with each connection's file, makes it say."""

    def __init__(self, talk):
        self.script, self.heard = talk, []
        super().__init__()
        self.address = f"127.0.0.1:{self.port}"

    def serve(self, connection):
        with connection.makefile("rwb", buffering=0) as stream:
            self.script(self, stream)

    def ask(self, stream, *lines):
        """says these lines, and hears one"""
        stream.write(b"".join(line + b"\r\n" for line in lines))
        heard = stream.readline()
        self.heard.append(heard)
        return heard

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class TalkTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="glasspost-talk-")
        pem, key = certificate(pathlib.Path(cls.folder), "good", "IP:127.0.0.1,DNS:localhost")
        cls.ca = os.path.join(cls.folder, "ca.pem")
        os.mkdir(os.path.join(cls.folder, "other"))
        certificate(pathlib.Path(cls.folder, "other"), "other", "DNS:localhost")
        cls.other_ca = os.path.join(cls.folder, "other", "ca.pem")
        cls.server = Server(GLASSPOST, f'tls.certificate = "{pem}"\ntls.key = "{key}"\n', users=[(USER, PASSWORD)])
        cls.secret = os.path.join(cls.folder, "secret")
        pathlib.Path(cls.secret).write_text(PASSWORD + "\n")
        os.chmod(cls.secret, 0o600)
        cls.environment = {"PATH": os.environ["PATH"], "HOME": cls.folder, "LANG": "C.UTF-8", "TERM": "xterm", "WRONG": "not it"}

    @classmethod
    def tearDownClass(cls):
        cls.server.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def talk(self, *arguments, typed="", status=OK, address=None, ca=None):
        """what it says; a host is `kind`'s port of our server"""
        protocol, kind, *rest = arguments
        host = address or f"localhost:{self.server.port[kind]}"
        run = subprocess.run([GLASSPOST, "talk", protocol, host, *(() if "--timeout" in rest else ("--timeout", "10")), "--ca", ca or self.ca, *rest], input=typed, text=True, capture_output=True,
                             timeout=60, env=self.environment)
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run.stdout + run.stderr

    def fetch(self):
        """all messages, and takes them away"""
        with self.server.pop3(USER, PASSWORD, "pop3s") as client:
            found = []
            for n in range(1, int(client.say("STAT").split()[1]) + 1):
                found.append(client.many(f"RETR {n}"))
                client.say(f"DELE {n}")
            client.say("QUIT")
        return found

    def login(self):
        return "--user", USER, "--password-file", self.secret

    def script(self, text):
        path = os.path.join(self.folder, "script")
        pathlib.Path(path).write_text(text)
        return "--script", path


class Lines(TalkTest):
    def test_replies_are_explained_and_each_line_waits_for_its_reply(self):
        said = self.talk("smtp", "smtp", "--no-report", typed="EHLO me\nNOOP\nQUIT\n")
        self.assertIn("<-  220 mail.localhost.test", said)
        self.assertIn(" -> EHLO me\n    · The client introduces itself", said)
        self.assertLess(said.index("250 CHUNKING"), said.index(" -> NOOP"))
        self.assertIn("=== the server closed the connection", said)

    def test_chinese(self):
        said = self.talk("smtp", "smtp", "--no-report", "--lang", "zh", typed="EHLO me\n?\nQUIT\n")
        self.assertIn("客户端报上自己的名字", said)
        self.assertIn("下一步：", said)

    def test_what_the_rules_forbid_is_told_and_sent(self):
        said = self.talk("smtp", "smtp", "--no-report", typed="EHLO me\nDATA\nFROB\nQUIT\n")
        self.assertIn("command-out-of-order · RFC 5321 §4.1.4", said)
        self.assertIn("<** 503", said)
        self.assertIn("unknown-command", said)
        said = self.talk("pop3", "pop3", "--no-report", typed="RETR 1\nQUIT\n")
        self.assertIn("command-out-of-order", said)
        self.assertIn("<** -ERR", said)

    def test_a_message_its_dots_and_its_report(self):
        said = self.talk("smtp", "smtp", typed="EHLO me\nMAIL FROM:<x@example.test>\nRCPT TO:<%s>\nDATA\nSubject: dots\n\n.one\n:file x\n..\n.\nQUIT\n" % USER)
        self.assertIn("goes out as ..one", said)
        self.assertIn(" -> :file x", said)  # of the message
        self.assertIn("goes out as ...", said)
        self.assertIn("Conversation 1", said)
        self.assertIn("forward-path (RCPT TO): <ada@localhost.test>", said)
        fetched = self.fetch()
        self.assertIn(b"\r\n\r\n.one\r\n:file x\r\n..\r\n", fetched[-1])

    def test_starttls_in_the_middle(self):
        said = self.talk("smtp", "smtp", "--no-report", typed="EHLO me\nSTARTTLS\nEHLO me\nQUIT\n")
        self.assertIn("=== TLS: TLSv1.3", said)
        self.assertIn(" ~> EHLO me", said)
        self.assertIn("<~  250-PIPELINING", said)
        said = self.talk("pop3", "pop3", "--no-report", typed="STLS\nCAPA\nQUIT\n")
        self.assertIn("<~  +OK", said)

    def test_a_certificate_that_does_not_hold(self):
        said = self.talk("smtp", "smtp", "--no-report", ca=self.other_ca, typed="EHLO me\nSTARTTLS\nNOOP\n", status=TLS)
        self.assertIn("*** TLS failed: certificate verify failed", said)
        self.assertNotIn("NOOP", said)

    def test_the_certificate_is_shown(self):
        """TLS first, and in the middle; what holds, and each fault"""
        for arguments in (("smtp", "submissions", "--tls"), ("pop3", "pop3s", "--tls"), ("smtp", "smtp", "--starttls"), ("pop3", "pop3", "--starttls")):
            with self.subTest(arguments=arguments):
                said = self.talk(*arguments, "--no-report", typed="QUIT\n")
                self.assertRegex(said, r"=== TLS: TLSv1\.3 TLS_\w+; what follows is encrypted\n=== certificate: CN=good\n"
                                       r"=== for 127\.0\.0\.1, localhost; by CN=Test authority; valid 20[0-9-]+ – 20[0-9-]+\s+\((29|30) days left\); EC 256,")
                self.assertNotIn("***", said)
        folder = pathlib.Path(self.folder)
        for name, alternatives, days, faults in (
                ("ended", "DNS:localhost", -1, ["its certificate has expired"]),
                ("another", "DNS:elsewhere.test", 30, ["its certificate is not for this host"]),
                ("both", "DNS:elsewhere.test", -1, ["its certificate has expired", "its certificate is not for this host"]),
                ("soon", "DNS:localhost", 5, ["its certificate expires soon"])):
            pem, key = certificate(folder, name, alternatives, days)
            server = Server(GLASSPOST, f'tls.certificate = "{pem}"\ntls.key = "{key}"\n')
            try:
                address = f"localhost:{server.port['smtp']}"
                for words, status in ((["--ca", self.ca], OK if name == "soon" else TLS), (["--no-verify"], OK)):
                    with self.subTest(name=name, words=words):
                        done = subprocess.run([GLASSPOST, "talk", "smtp", address, "--starttls", "--no-report", *words], input="QUIT\n", env=self.environment,
                                              capture_output=True, text=True, timeout=60)
                        self.assertEqual(done.returncode, status, done.stdout)
                        self.assertIn(f"=== certificate: CN={name}\n", done.stdout)
                        self.assertEqual([w for w in ("its certificate has expired", "its certificate is not for this host", "its certificate expires soon")
                                          if "*** " + w in done.stdout], faults)
                        self.assertEqual("TLS failed" in done.stdout, status == TLS)
                done = subprocess.run([GLASSPOST, "talk", "smtp", address, "--starttls", "--no-report", "--lang", "zh", "--no-verify"], input="QUIT\n",
                                      env=self.environment, capture_output=True, text=True, timeout=60)
                self.assertRegex(done.stdout, f"=== 证书：CN={name}\n=== 用于 ")
            finally:
                server.close()

    def test_passwords_are_masked(self):
        plain = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode()
        typed = f"EHLO me\nAUTH PLAIN {plain}\nQUIT\n"
        said = self.talk("smtp", "submissions", "--tls", typed=typed)
        self.assertIn("AUTH PLAIN *** (40 octets)", said)
        self.assertIn('user "ada@localhost.test", password *** (9 octets)', said)
        self.assertNotIn(plain, said)
        self.assertNotIn(PASSWORD, said)
        shown = self.talk("smtp", "submissions", "--tls", "--show-secrets", typed=typed)
        self.assertIn(plain, shown)
        said = self.talk("pop3", "pop3s", "--tls", typed=f"USER {USER}\nPASS {PASSWORD}\nQUIT\n")
        self.assertIn("PASS *** (9 octets)", said)
        self.assertNotIn(PASSWORD, said)

    def test_login_answers_encoded(self):
        said = self.talk("smtp", "submissions", "--tls", "--no-report", typed=f"EHLO me\nAUTH LOGIN\n:b64 {USER}\n:b64 {PASSWORD}\nQUIT\n")
        self.assertIn("base64 for: Username:", said)
        self.assertIn('base64 for: user "ada@localhost.test"', said)
        self.assertIn("235 2.7.0", said)
        self.assertNotIn(PASSWORD, said)
        self.assertNotIn(base64.b64encode(PASSWORD.encode()).decode(), said)

    def test_login_step_by_step(self):
        for mechanism in "SCRAM-SHA-256", "PLAIN", "LOGIN":
            said = self.talk("smtp", "submissions", "--tls", "--no-report", *self.login(), typed=f"EHLO me\n:auth {mechanism}\nQUIT\n")
            self.assertIn("<~  235", said)
            self.assertNotIn(PASSWORD, said)
        said = self.talk("pop3", "pop3s", "--tls", "--no-report", *self.login(), typed=":auth\nSTAT\nQUIT\n")
        self.assertIn(" ~> USER ada@localhost.test", said)
        self.assertIn(" ~> STAT", said)

    def test_a_server_that_says_the_password_again(self):
        def talk(server, stream):
            server.ask(stream, b"+OK")
            server.ask(stream, b"+OK")
            server.ask(stream, b"-ERR wrong: hunter22")

        with Scripted(talk) as server:
            said = self.talk("pop3", None, address=server.address, typed="USER ada\nPASS hunter22\nQUIT\n", status=OK)
        self.assertIn("wrong: ***", said)
        self.assertNotIn("hunter22", said)

    def test_raw_octets(self):
        def talk(server, stream):
            server.ask(stream, b"220 hello")
            stream.write(b"500 what\r\n500 what\r\n")
            server.heard.append(stream.readline())
            server.ask(stream, b"221 bye")

        with Scripted(talk) as server:
            said = self.talk("smtp", None, "--no-report", address=server.address, typed=":raw A\\0\\n\\xffB\\r\\n\nQUIT\n")
            self.assertEqual(server.heard[:3], [b"A\0\n", b"\xffB\r\n", b"QUIT\r\n"])
        self.assertIn("A\\x00\\x0a\\xffB", said)
        self.assertIn("bare-cr-lf", said)

    def test_chunks_by_hand(self):
        said = self.talk("smtp", "smtp", "--no-report", typed=f"EHLO me\nMAIL FROM:<x@example.test>\nRCPT TO:<{USER}>\nBDAT 14\nSubject: x\n\nBDAT 4 LAST\n.y\nQUIT\n")
        self.assertIn("queued as", said)
        self.assertTrue(self.fetch()[-1].endswith(b"Subject: x\r\n\r\n.y\r\n"))

    def test_lines_as_long_as_they_may_be(self):
        def talk(server, stream):
            server.ask(stream, b"220 hello")
            server.ask(stream, b"500 too long")
            stream.write(b"221 bye\r\n")

        for over, status in (0, OK), (1, USAGE):
            with Scripted(talk) as server:
                said = self.talk("smtp", None, "--no-report", address=server.address, typed="N" * (65536 + over) + "\nQUIT\n", status=status)
                if over:
                    self.assertIn("too long a line", said)
                    self.assertFalse(any(server.heard))
                else:
                    self.assertEqual(len(server.heard[0]), 65538)

    def test_a_password_in_a_literal(self):
        def talk(server, stream):
            tag = server.ask(stream, b"* OK hello").split()[0]
            for _ in "user", "password":
                server.ask(stream, b"+ go")
            server.ask(stream, tag + b" NO it is not xyzzy-17")

        with Scripted(talk) as server:
            said = self.talk("imap", None, address=server.address, typed="LOGIN {3}\nada {8}\nxyzzy-17\nLOGOUT\n")
        self.assertEqual(server.heard[2], b"xyzzy-17\r\n")
        self.assertNotIn("xyzzy", said)

    def test_an_unknown_word_gets_a_tag(self):
        def talk(server, stream):
            tag = server.ask(stream, b"* OK hello").split()[0]
            tag = server.ask(stream, tag + b" BAD what").split()[0]
            tag = server.ask(stream, b"+ idling").split()[0]
            server.ask(stream, b"a2 OK idled")
            server.ask(stream, b"x7 BAD what")
            stream.write(b"* BYE\r\n" + server.heard[-1].split()[0] + b" OK bye\r\n")

        with Scripted(talk) as server:
            said = self.talk("imap", None, address=server.address, typed="FROBNICATE\nIDLE\nDONE\nx7 FROBNICATE\nLOGOUT\n")
        self.assertEqual(server.heard, [b"a1 FROBNICATE\r\n", b"a2 IDLE\r\n", b"DONE\r\n", b"x7 FROBNICATE\r\n", b"a3 LOGOUT\r\n"])
        self.assertIn("a1 BAD what", said)

    def test_a_literal_that_is_refused(self):
        def talk(server, stream):
            tag = server.ask(stream, b"* OK hello").split()[0]
            tag = server.ask(stream, tag + b" NO too large").split()[0]
            stream.write(b"* BYE\r\n" + tag + b" OK bye\r\n")

        with Scripted(talk) as server:
            self.talk("imap", None, address=server.address, typed="APPEND INBOX {300}\nLOGOUT\n")
        self.assertEqual(server.heard, [b"a1 APPEND INBOX {300}\r\n", b"a2 LOGOUT\r\n"])

    def test_what_cannot_be_saved(self):
        self.talk("smtp", "smtp", "--save", "/proc/x", status=OUTPUT)

    def test_saved_packets(self):
        path = os.path.join(self.folder, "saved.pcapng")
        self.talk("smtp", "smtp", "--no-report", "--save", path, typed="EHLO me\nSTARTTLS\nEHLO within\nQUIT\n")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        run = subprocess.run([GLASSPOST, "analyze", path, "-c", "1"], text=True, capture_output=True, timeout=60, check=True)
        self.assertIn("EHLO me", run.stdout)
        self.assertIn("server name (SNI): localhost", run.stdout)
        self.assertIn(b"CLIENT_TRAFFIC_SECRET_0", pathlib.Path(path).read_bytes())


class Stages(TalkTest):
    def plan(self, *arguments, **named):
        return self.talk("smtp", "submissions", "--tls", "--no-report", "--no-explain", "--helo", "me", *arguments, **named)

    def test_a_whole_transaction(self):
        self.fetch()
        said = self.plan(*self.login(), "--from", USER, "--to", USER)
        for mark in " ~> EHLO me", " ~> AUTH SCRAM-SHA-256", f" ~> MAIL FROM:<{USER}>", f" ~> RCPT TO:<{USER}>", " ~> DATA", " ~> .", " ~> QUIT", "<~  221":
            self.assertIn(mark, said)
        data = os.path.join(self.folder, "message")
        pathlib.Path(data).write_bytes(b"Subject: from a file\n\n.dot\nlast line without an end")
        said = self.plan(*self.login(), "--from", USER, "--to", USER, "--data", data, "--pipeline")
        self.assertLess(said.index("~> DATA"), said.index("<~  250 2.1.0"))
        messages = self.fetch()
        self.assertEqual(len(messages), 2)
        self.assertTrue(messages[1].endswith(b"\r\n\r\n.dot\r\nlast line without an end\r\n"), messages[1])

    def test_quit_and_drop_after_each_stage(self):
        last = {"connect": None, "banner": "220 ", "helo": "EHLO me", "tls": "EHLO me", "auth": "235 ", "mail": "MAIL FROM", "rcpt": "RCPT TO", "message": "queued as"}
        for stage, mark in last.items():
            said = self.plan(*self.login(), "--from", USER, "--to", USER, "--quit-after", stage)
            if mark:
                self.assertIn(mark, said)
            self.assertEqual("~> QUIT" in said, stage != "connect", said)
            self.assertEqual("DATA" in said, stage == "message", said)
            said = self.plan(*self.login(), "--from", USER, "--to", USER, "--drop-after", stage)
            self.assertIn("=== the connection is cut", said)
            self.assertNotIn("QUIT", said)
        said = self.plan(*self.login(), "--from", USER, "--to", USER, "--drop-after", "data")
        self.assertIn("354", said)
        self.assertNotIn("Subject", said)

    def test_starttls(self):
        said = self.talk("smtp", "submission", "--starttls", "--no-report", "--no-explain", *self.login(), "--from", USER, "--to", USER, "--auth", "plain")
        self.assertIn("AUTH PLAIN *** (40 octets)", said)
        self.assertEqual(said.count("EHLO"), 2)

    def test_statuses(self):
        self.talk("smtp", "smtp", "--quit-after", "nowhere", status=USAGE)
        self.talk("smtp", "smtp", "--quit-after", "data", status=USAGE)
        self.talk("http", "smtp", status=USAGE)
        self.talk("smtp", None, "--quit-after", "helo", address="127.0.0.1:1", status=CONNECT)
        self.plan("--user", USER, "--password-env", "WRONG", "--from", USER, "--to", USER, status=LOGIN)
        self.plan(*self.login(), "--from", USER, "--to", "nobody@localhost.test", status=RCPT)
        self.plan("--from", USER, "--to", USER, status=MAIL)
        self.talk("smtp", "smtp", "--from", USER, "--to", USER, "--starttls", ca=self.other_ca, status=TLS)
        for replies, status in (([b"554 no"], BANNER), ([b"220 a", b"502 no", b"502 no"], HELLO), ([b"220 a"], CLOSED),
                                ([b"220 a", b"250 a", b"250 a", b"250 a", b"451 no"], DATA), ([b"220 a", b"250 a", b"250 a", b"250 a", b"354 a", b"552 no"], MESSAGE)):
            def talk(server, stream, lines=replies):
                for line in lines[:-1] if lines[-1].startswith(b"552") else lines:
                    server.ask(stream, line)
                while lines[-1].startswith(b"552") and stream.readline() != b".\r\n":
                    pass
                if lines[-1].startswith(b"552"):
                    server.ask(stream, lines[-1])
                if status != CLOSED:
                    stream.write(b"221 bye\r\n")

            with Scripted(talk) as server:
                said = self.talk("smtp", None, "--no-report", "--from", "a@b.test", "--to", "c@d.test", address=server.address, status=status)
            if status not in (CLOSED, BANNER):
                self.assertIn(" -> QUIT", said)

    def test_pop3(self):
        self.plan(*self.login(), "--from", USER, "--to", USER)
        said = self.talk("pop3", "pop3s", "--tls", "--no-report", *self.login(), "--auth", "scram-sha-256", "--quit-after", "retr")
        for mark in "~> CAPA", "~> AUTH SCRAM-SHA-256", "~> STAT", "~> LIST", "~> RETR 1", "~> QUIT", "server signature ***":
            self.assertIn(mark, said)
        self.assertIn("<~  Subject: glasspost talk", said)
        self.fetch()


class Scripts(TalkTest):
    def test_answers_sent_ahead_are_masked(self):
        """whoever sends them before they are asked for; a server that knows no AUTH makes no difference"""
        said = self.talk("smtp", "smtp", *self.script(f"< 220\n> EHLO me\n< 250\n> AUTH LOGIN\n>> {base64.b64encode(USER.encode()).decode()}\n>> ZW5pZ21hLTE3\n> QUIT\n"))
        self.assertNotIn("ZW5pZ21hLTE3", said)

    def test_a_file_is_sent_where_it_was_asked_for(self):
        body = os.path.join(self.folder, "body.eml")
        pathlib.Path(body).write_text("Subject: x\n\nMAIL FROM:<evil@x.test>\n")
        said = self.talk("smtp", "smtp", "--no-report", typed=f"EHLO me\n:file {body}\nQUIT\n", status=MESSAGE)
        self.assertIn("has not asked for a message", said)
        self.assertNotIn("evil", said)

    def test_expectations_that_hold(self):
        path = os.path.join(self.folder, "body")
        pathlib.Path(path).write_text("Subject: x\r\n\r\n.y\r\n", newline="")
        said = self.talk("smtp", "smtp", "--no-report", *self.script(f"""# all there is
< 220
> EHLO me
< /^250 STARTTLS$/
starttls
> EHLO me
< 2..
> MAIL FROM:<a@b.test>
>> RCPT TO:<{USER}>
>> DATA
< 250
< 250 2.1.5 *
< 354
send-file {path}
< 250
> MAIL FROM:<a@b.test>
> RCPT TO:<{USER}>
bdat {path} LAST
< 250
wait 0.1
raw NOOP\\r\\nNOOP\\r\\n
< 250
< 250
> QUIT
< 221
< close
"""))
        self.assertIn(" ~> BDAT 18 LAST", said)
        messages = self.fetch()
        self.assertEqual([m.endswith(b"\r\n\r\n.y\r\n") for m in messages], [True, True])

    def test_an_expectation_that_fails(self):
        said = self.talk("smtp", "smtp", "--quiet", *self.script("> EHLO me\n< 250\n> NOOP\n< 5..\n> HELP\n"), status=EXPECTED)
        self.assertIn(" -> NOOP", said)
        self.assertIn("*** script, line 4: expected 5.., but 250 2.0.0 Ok came", said)
        self.assertNotIn("HELP", said)
        self.assertEqual(self.talk("smtp", "smtp", "--quiet", *self.script("> EHLO me\n< 250\n> QUIT\n< 221\n")), "")

    def test_replies_that_nobody_looks_at(self):
        self.talk("smtp", "smtp", "--quiet", *self.script("> EHLO me\n> NOOP\n> RSET\n< 250 2.0.0 *\n> QUIT\n< 221\n"))

    def test_scripts_that_cannot_be_read(self):
        for text, words in (("! x\n", "line 1"), ("\n< /(/\n", "line 2"), ("raw \\q\n", "escape"), ("wait x\n", "seconds"), ("> " + "x" * 70000 + "\n", "long")):
            self.assertIn(words, self.talk("smtp", "smtp", *self.script(text), status=USAGE))

    def test_imap(self):
        def talk(server, stream):
            server.ask(stream, b"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR] hello")
            tag = server.ask(stream, b"* CAPABILITY IMAP4rev1 AUTH=PLAIN SASL-IR", server.heard[-1].split()[0] + b" OK done").split()[0]
            server.ask(stream, tag + b" OK in")
            stream.write(b"+ go\r\n")
            assert stream.read(5) == b"x\r\ny\n"
            server.heard.append(stream.readline())
            server.ask(stream, server.heard[-2].split()[0] + b" OK appended")
            stream.write(b"* BYE\r\n" + server.heard[-1].split()[0] + b" OK bye\r\n")

        path = os.path.join(self.folder, "literal")
        pathlib.Path(path).write_bytes(b"x\r\ny\n")
        with Scripted(talk) as server:
            said = self.talk("imap", None, "--no-report", *self.login(), *self.script(f"""CAPABILITY
""".replace("CAPABILITY", "> CAPABILITY") + f"""< OK
auth
> APPEND INBOX {{5}}
send-file {path}
>
< OK
> x9 LOGOUT
< OK
"""), address=server.address)
        self.assertIn("AUTHENTICATE PLAIN ***", said)
        self.assertIn(b"a1 CAPABILITY\r\n", server.heard)
        self.assertIn(b"x9 LOGOUT\r\n", server.heard)


    def test_interrupted(self):
        """what was said is saved under its name, and nothing else is left"""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number=number):
                folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
                child = subprocess.Popen([GLASSPOST, "talk", "smtp", f"localhost:{self.server.port['smtp']}", *self.script("> EHLO me\n< 250\nwait 60\n"),
                                          "--save", folder / "kept.pcapng"], stdout=subprocess.PIPE, text=True)
                with child.stdout as told:
                    while "<-  250 " not in (line := told.readline()):
                        self.assertTrue(line)
                    child.send_signal(number)
                    told.read()
                self.assertEqual(child.wait(20), 128 + number)
                self.assertEqual([p.name for p in folder.iterdir()], ["kept.pcapng"])


    def test_interrupted_in_a_reply(self):
        """what was said so far is kept, though its end was never told"""
        def talk(server, stream):
            stream.write(b"220 " + b"x" * 1_000_000)
            time.sleep(20)

        for number in (signal.SIGINT, signal.SIGTERM):
            with Scripted(talk) as server, self.subTest(number=number):
                folder = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
                child = subprocess.Popen([GLASSPOST, "talk", "smtp", server.address, "--from", "a@b.test", "--to", "c@d.test", "--no-report",
                                          "--save", folder / "kept.pcapng"], stdout=subprocess.PIPE, text=True, env=self.environment)
                with child.stdout as told:
                    while "no end yet" not in (line := told.readline()):
                        self.assertTrue(line)
                    child.send_signal(number)
                    told.read()
                self.assertEqual(child.wait(20), 128 + number)
                self.assertEqual([p.name for p in folder.iterdir()], ["kept.pcapng"])


class Hostile(TalkTest):
    def test_a_line_without_end(self):
        def talk(server, stream):
            stream.write(b"220 " + b"x" * 200_000)
            time.sleep(0.5)
            for _ in range(300):
                stream.write(b"y" * 1_000_000)
            stream.write(b"\r\n")
            server.ask(stream, b"")

        with Scripted(talk) as server:
            began = time.monotonic()
            run = subprocess.Popen([GLASSPOST, "talk", "smtp", server.address, "--no-report", "--timeout", "30"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment)
            said, _ = run.communicate("QUIT\n", timeout=60)
            self.assertLess(time.monotonic() - began, 20, "after a MiB of it nothing more is waited for")
        self.assertIn("a line that has no end yet", said)
        self.assertLess(len(said), 100_000)
        if not SANITIZED:
            self.assertLess(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, 250_000)  # KiB; the server of these tests has less

    def test_a_reply_without_end(self):
        def talk(server, stream):
            server.ask(stream, b"220 hello")
            while True:
                stream.write(b"250-more\r\n" * 1000)

        with Scripted(talk) as server:
            began = time.monotonic()
            said = self.talk("smtp", None, "--no-report", "--timeout", "1", address=server.address, typed="EHLO me\nQUIT\n", status=CLOSED)
            self.assertLess(time.monotonic() - began, 30)
        self.assertLess(len(said), 100_000)
        self.assertIn("more lines of it are not shown", said)

    def test_how_much_is_shown(self):
        def talk(server, stream):
            server.ask(stream, b"+OK " + b"a" * 8188, )
            server.ask(stream, b"-ERR " + b"b" * 8188)
            server.ask(stream, b"+OK", *(b"%d" % i for i in range(198)), b".")
            server.ask(stream, b"+OK", *(b"%d" % i for i in range(199)), b".")
            stream.write(b"+OK bye\r\n")

        with Scripted(talk) as server:
            said = self.talk("pop3", None, "--no-report", "--no-explain", address=server.address, typed="NOOP\nLIST\nLIST\nQUIT\n")
        self.assertIn("a" * 8188 + "\n", said)
        self.assertIn("b" * 8187 + " …\n", said)
        first, second = said.split("<-  197\n")[:2]
        self.assertIn("<-  .\n", second)
        self.assertIn("1 more lines of it are not shown", said)
        with Scripted(talk) as server:
            self.assertNotIn("not shown", self.talk("pop3", None, "--no-report", "--full", address=server.address, typed="NOOP\nLIST\nLIST\nQUIT\n"))

    def test_a_server_that_asks_on_and_on(self):
        def talk(server, stream):
            server.ask(stream, b"220 hello")
            server.ask(stream, b"250 AUTH LOGIN")
            while server.ask(stream, b"334 aaaa"):
                pass

        with Scripted(talk) as server:
            self.talk("smtp", None, "--no-report", "--timeout", "2", *self.login(), "--auth", "login", "--from", USER, "--to", USER, address=server.address, status=LOGIN)
        asked = [line for line in server.heard if line]
        self.assertEqual(len(asked), 2 + 8 + 1)  # EHLO, AUTH, answers, QUIT

    def test_silence(self):
        with Scripted(lambda server, stream: server.ask(stream, b"220 hello") and time.sleep(5)) as server:
            said = self.talk("smtp", None, "--no-report", "--timeout", "1", address=server.address, typed="EHLO me\nQUIT\n", status=CLOSED)
        self.assertIn("no answer within 1 seconds", said)

    def test_data_before_tls(self):
        def talk(server, stream):
            server.ask(stream, b"220 hello")
            server.ask(stream, b"250-hello", b"250 STARTTLS")
            stream.write(b"220 go\r\n250 injected\r\n")
            stream.readline()

        with Scripted(talk) as server:
            said = self.talk("smtp", None, "--no-report", address=server.address, typed="EHLO me\nSTARTTLS\nQUIT\n", status=TLS)
        self.assertIn("14 octets came in the clear before TLS: they are dropped", said)

    def test_controls_do_not_reach_the_terminal(self):
        with Scripted(lambda server, stream: server.ask(stream, b"220 \x1b[2J\x07 \xe2\x80\xae")) as server:
            said = self.talk("smtp", None, address=server.address, typed="")
        self.assertNotRegex(said, "[\x1b\x07\u202e]")


if __name__ == "__main__":
    SANITIZED = "--sanitized" in sys.argv and not sys.argv.remove("--sanitized")
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
