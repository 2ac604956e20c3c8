#!/usr/bin/env python3
"""Sending from the command line: MIME as others read it, over TLS, straight to an MX, many over one connection, and servers that break.

  send_test.py GLASSPOST
"""
import email
import email.policy
import json
import os
import pathlib
import re
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

GLASSPOST = ""
USER, PASSWORD, BOB = "ada@localhost.test", "enigma-17", "bob@localhost.test"
OK, USAGE, DATA, NO_USER, REFUSED, CANNOT_CREATE, TRY_LATER, PROTOCOL, LOGIN, CONFIG = 0, 64, 65, 67, 69, 73, 75, 76, 77, 78
MESSAGE = "From: ada@localhost.test\r\nTo: bob@localhost.test\r\nBcc: carol@localhost.test\r\nSubject: whole\r\n\r\n.a dot\r\n"


class FakeServer(Listening):
    """An SMTP server that keeps what it is told. `breaks`: (command, or "message": in the midst of it, or "end": at its end; what is said then or None; in how
    many connections). After what is said it hangs up."""

    def __init__(self, offers=("SIZE", "8BITMIME", "DSN"), breaks=None, messages_a_connection=10**9, greeting=b"220 ready"):
        self.offers, self.breaks, self.limit, self.greeting = offers, breaks, messages_a_connection, greeting
        self.messages, self.lines = [], []
        super().__init__()

    def breaking(self, stream, at):
        if self.breaks is None or self.breaks[0] != at or self.connections > self.breaks[2]:
            return False
        if self.breaks[1]:
            stream.write(self.breaks[1])
            stream.flush()
        return True

    def talk(self, stream):
        def say(text):
            stream.write(text + b"\r\n")
            stream.flush()

        if self.breaking(stream, "greeting"):
            return
        say(self.greeting)
        taken = 0
        while line := stream.readline():
            self.lines.append(line.rstrip())
            verb = line.split()[0].upper().decode()
            if self.breaking(stream, verb):
                return
            if verb == "EHLO":
                say(b"\r\n".join([b"250-fake"] + [b"250-" + o.encode() for o in self.offers] + [b"250 HELP"]))
            elif verb == "DATA":
                say(b"354 go on")
                text = b""
                if self.breaking(stream, "message"):
                    return
                while (row := stream.readline()) not in (b".\r\n", b""):
                    text += row[1:] if row.startswith(b".") else row
                if self.breaking(stream, "end"):
                    self.messages.append(text)
                    return
                taken += 1
                self.messages.append(text)
                say(b"250 2.0.0 taken")
            elif verb == "MAIL" and taken >= self.limit:
                say(b"421 4.7.0 enough for now")
                return
            else:
                say(b"221 2.0.0 bye" if verb == "QUIT" else b"250 2.1.0 good")


class Hostile:
    """Says the same octets for ever, whoever comes."""

    def __init__(self, first, forever):
        self.first, self.forever, self.connections = first, forever * 1000, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                connection.sendall(self.first)
                while self.forever:
                    connection.sendall(self.forever)
            except OSError:
                if self.listener.fileno() < 0:
                    return

    def close(self):
        for socket_ in (self.listener, *self.connections):
            socket_.close()


class Dripping(Hostile):
    """Says this, and then the rest octet by octet, each in time."""

    def __init__(self, first, rest, pause=0.3):
        self.rest, self.pause, self.dripped = rest, pause, 0
        super().__init__(first, b"")

    def run(self):
        try:
            connection, _ = self.listener.accept()
            self.connections.append(connection)
            connection.sendall(self.first)
            for octet in self.rest:
                time.sleep(self.pause)
                connection.sendall(bytes([octet]))
                self.dripped += 1
        except OSError:
            return


class Send(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="gp-send-")
        cls.folder = pathlib.Path(cls.work.name)
        cls.addClassCleanup(cls.work.cleanup)
        cls.pem, cls.key = certificate(cls.folder, "good", "IP:127.0.0.1,DNS:localhost")
        cls.server = Server(GLASSPOST, f'server.classroom = true\ntls.certificate = "{cls.pem}"\ntls.key = "{cls.key}"\n', users=[(USER, PASSWORD), (BOB, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        for user in (USER, BOB):
            self.server.fetch(user, PASSWORD)  # empty maildrops
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG", "XDG"))} | {
            "XDG_CONFIG_HOME": str(self.home), "PASS": PASSWORD}

    def ours(self, kind="submissions"):
        return ["--server", f"{'smtps' if kind == 'submissions' else 'smtp'}://127.0.0.1:{self.server.port[kind]}", "--ca", self.folder / "ca.pem", "--user", USER, "--password-env", "PASS"]

    def run_it(self, *words, expect=OK, server=None, data="", sender=True):
        server = self.ours() if server is None else server
        data = data if isinstance(data, bytes) else data.encode()
        run = subprocess.run([GLASSPOST, "send", *map(str, server), *(["--from", USER] if sender else []), *map(str, words)], input=data, capture_output=True, timeout=120, env=self.environment)
        run.stdout, run.stderr = run.stdout.decode(), run.stderr.decode()
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        self.assertNotIn(PASSWORD, run.stdout + run.stderr)
        return run

    def outcomes(self, *words, **more):
        """one object for each message"""
        return [json.loads(line) for line in self.run_it("--json", *words, **more).stdout.splitlines()]

    def fake(self, **how):
        server = FakeServer(**how)
        self.addCleanup(server.close)
        return server, ["--server", f"127.0.0.1:{server.port}", "--tls", "none"]

    def arrived(self, user=BOB):
        return [email.message_from_bytes((b"\r\n".join(text) if isinstance(text, list) else text).replace(b"\r\n", b"\n"), policy=email.policy.default) for text in self.server.fetch(user, PASSWORD)]

    def test_what_is_written_arrives(self):
        names = {"报告 “最终”.pdf": os.urandom(200_000), 'a "quoted" \\ name;.bin': bytes(range(256)), "x" * 200 + ".txt": b"one\ntwo", "empty": b""}
        for name, octets in names.items():
            (self.home / name).write_bytes(octets)
        attach = [w for name in names for w in ("--attach", self.home / name)]
        (self.home / "page.html").write_text("<p>你好</p>", encoding="utf-8")
        self.run_it("--to", "Бoб <bob@localhost.test>", "--cc", USER, "--subject", "关于 SMTP 的实验 " * 8, "--body", "你好\n.\n.dot\nFrom x\n" + "y" * 2000, "--html", self.home / "page.html", *attach)
        (message,) = self.arrived()
        self.assertEqual(message["Subject"], "关于 SMTP 的实验 " * 7 + "关于 SMTP 的实验 ")
        self.assertEqual(message["To"].addresses[0].display_name, "Бoб")
        self.assertTrue(message["Date"].datetime and message["Message-ID"].endswith("@localhost.test>"))
        self.assertEqual(message.get_body(("plain",)).get_content().rstrip("\n"), "你好\n.\n.dot\nFrom x\n" + "y" * 2000)
        self.assertEqual(message.get_body(("html",)).get_content().strip(), "<p>你好</p>")
        self.assertEqual({p.get_filename(): p.get_payload(decode=True) for p in message.iter_attachments()}, names)
        self.assertLessEqual(max(len(line) for line in message.as_bytes().splitlines()), 998)
        self.assertEqual(len(self.arrived(USER)), 1)

    def test_piped_text_goes_with_attachments(self):
        (self.home / "a.txt").write_bytes(b"one")
        self.run_it("--to", BOB, "--attach", self.home / "a.txt", data="Hello\n")
        self.run_it("--to", BOB, "--attach", self.home / "a.txt")
        with_text, without = self.arrived()
        self.assertEqual(with_text.get_body(("plain",)).get_content().strip(), "Hello")
        for message in (with_text, without):
            self.assertEqual([p.get_filename() for p in message.iter_attachments()][-1:], ["a.txt"])

    def test_output_that_cannot_be_written(self):
        """the status tells of the mail: it is not to be sent again"""
        for options in ([], ["--show", "--full"]):
            with self.subTest(options), open("/dev/full", "wb") as full:
                run = subprocess.run([GLASSPOST, "send", *self.ours(), "--from", USER, "--to", BOB, "--body", "x" * 900, *options], stdout=full, stderr=subprocess.PIPE, timeout=60, env=self.environment)
                self.assertEqual((run.returncode, run.stderr), (OK, b"glasspost: standard output: cannot be written\n"))
                self.assertEqual(len(self.arrived()), 1)

    def test_who_gets_a_blind_copy_is_written_nowhere(self):
        self.run_it("--to", USER, "--bcc", BOB, "--body", "x", server=self.ours("submission"))
        self.assertNotIn("bob", str(self.arrived(USER)[0]["To"]) + str(self.arrived(BOB)[0]["Bcc"]))
        told = self.outcomes("-t", data=MESSAGE.replace("carol", "ada"))
        self.assertEqual([r["address"] for r in told[0]["recipients"]], [BOB, USER])
        (message,) = self.arrived()
        self.assertIsNone(message["Bcc"])
        self.assertEqual(message.get_content(), ".a dot\n")
        self.assertEqual(message["Message-ID"], told[0]["message_id"])

    def test_a_whole_message_to_somebody_else(self):
        self.run_it("--message", "-", "--to", BOB, data=MESSAGE.replace("bob@", "nobody@"))
        self.assertEqual(self.arrived()[0]["To"], "nobody@localhost.test")
        self.assertIn("-t", self.run_it("--message", "-", data=MESSAGE, expect=DATA).stderr)
        self.assertIn("From", self.run_it("-t", sender=False, data=MESSAGE.replace("From: ada@localhost.test", "X: y"), expect=DATA).stderr)

    def test_a_folder_over_one_connection(self):
        folder = self.home / "messages"
        folder.mkdir()
        for i in range(40):
            (folder / f"{i:02}.eml").write_text(MESSAGE.replace("whole", f"number {i}"))
        (folder / "21.eml").write_text("Subject: nobody's\n\nx")
        for other in (".hidden.eml", "notes.txt", "41.eml~"):
            (folder / other).write_text(MESSAGE)
        (folder / "link.eml").symlink_to("/etc/passwd")
        server, words = self.fake()
        told = self.outcomes("-t", "--message", folder, sender=False, server=words, expect=DATA)
        self.assertEqual((server.connections, len(server.messages), len(told)), (1, 39, 39))
        self.assertEqual([re.search(rb"number (\d+)", m)[1].decode() for m in server.messages], [str(i) for i in range(40) if i != 21])
        self.assertTrue(told[3]["file"].endswith("03.eml"))

    def test_a_server_that_takes_few_at_a_time(self):
        folder = self.home / "messages"
        folder.mkdir()
        for i in range(10):
            (folder / f"{i}.eml").write_text(MESSAGE.replace("whole", f"number {i}"))
        server, words = self.fake(messages_a_connection=3)
        self.outcomes("-t", "--message", folder, server=words)
        self.assertEqual((server.connections, len(server.messages)), (4, 10))
        server, words = self.fake(messages_a_connection=0)
        told = self.outcomes("-t", "--message", folder, server=words, expect=TRY_LATER)
        self.assertEqual((server.connections, len(server.messages), len(told)), (10, 0, 10))

    def test_connections_that_break(self):
        for at in ("greeting", "EHLO", "MAIL", "RCPT", "DATA", "message", "end", "QUIT"):
            for says in (None, b"421 4.3.2 going down\r\n", b"250"):
                with self.subTest(f"{at} {says}"):
                    server, words = self.fake(breaks=(at, says, 99))
                    done = at == "QUIT"
                    told = self.outcomes("--to", BOB, data="x" * 300_000, server=words, expect=OK if done else TRY_LATER)
                    self.assertEqual([r["outcome"] for r in told[0]["recipients"]], ["accepted" if done else "deferred"])
                    if at != "message":  # it may have been sent to its end by then
                        self.assertEqual(told[0]["recipients"][0]["in_doubt"], at == "end" and says != b"421 4.3.2 going down\r\n")
                    self.assertEqual((server.connections, len(server.messages)), (1, 1 if at in ("end", "QUIT") else 0))

    def test_interrupted(self):
        """behind the final dot the message may have been accepted, and that is said; before it is not"""
        for at, number, status, doubt in (("end", signal.SIGINT, TRY_LATER, True), ("end", signal.SIGTERM, TRY_LATER, True), ("DATA", signal.SIGINT, 128 + signal.SIGINT, False),
                                          ("greeting", signal.SIGTERM, 128 + signal.SIGTERM, False)):
            for lang in ("en", "zh"):
                with self.subTest(f"{at} {number} {lang}"):
                    server, words = self.fake()
                    reached, over = threading.Event(), threading.Event()
                    self.addCleanup(over.set)
                    server.breaking = lambda stream, stage: stage == at and (reached.set(), over.wait(60))
                    send = subprocess.Popen([GLASSPOST, "send", *words, "--from", USER, "--to", BOB, "--body", "x", "--json", "--lang", lang, "--save", self.home / f"{at}{number}{lang}.pcapng"],
                                            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
                    self.assertTrue(reached.wait(20))
                    send.send_signal(number)
                    told, complaint = send.communicate(timeout=20)
                    self.assertEqual(send.returncode, status, complaint)
                    self.assertEqual(("may have been accepted" if lang == "en" else "邮件可能已被接收") in complaint, doubt)
                    self.assertEqual([json.loads(line)["recipients"][0]["in_doubt"] for line in told.splitlines()], [doubt] if at != "greeting" else [])  # not begun
                    over.set()
        self.assertEqual(len(list(self.home.glob("*.pcapng"))), 8)

    def test_what_the_server_refuses(self):
        self.assertIn("not known", self.run_it("--to", "nobody@localhost.test", "--body", "x", expect=NO_USER).stderr.lower())
        told = self.outcomes("--to", "nobody@localhost.test," + BOB, "--body", "x", expect=NO_USER)
        self.assertEqual([r["outcome"] for r in told[0]["recipients"]], ["refused", "accepted"])
        self.assertEqual(len(self.arrived()), 1)
        self.environment["PASS"] = "wrong"
        self.run_it("--to", BOB, "--body", "x", expect=LOGIN)
        for says, status in ((b"554 5.7.1 no\r\n", REFUSED), (b"451 4.7.1 later\r\n", TRY_LATER)):
            for at in ("MAIL", "RCPT", "DATA", "end"):
                with self.subTest(f"{at} {says}"):
                    _, words = self.fake(breaks=(at, says, 99))
                    self.run_it("--to", BOB, "--body", "x", server=words, expect=status)

    def test_the_servers_own_words(self):
        for says, told in ((b"250 queued\r\n", "250 queued"), (b"250 2.0.0 queued\r\n", "250 2.0.0 queued"), (b"554 no way\r\n", "554 no way"),
                           (b"550-first\r\n550-second\r\n550 third\r\n", "550 first second third")):
            with self.subTest(told):
                _, words = self.fake(breaks=("end", says, 99))
                expect = OK if told.startswith("250") else REFUSED
                recipient = self.outcomes("--to", BOB, "--body", "x", server=words, expect=expect)[0]["recipients"][0]
                self.assertEqual(recipient["reply"], told)
                run = self.run_it("--to", BOB, "--body", "x", server=self.fake(breaks=("end", says, 99))[1], expect=expect)
                self.assertIn(told, run.stdout + run.stderr)
        _, words = self.fake(breaks=("MAIL", b"", 99))  # it hangs up: these are no words of its own
        recipient = self.outcomes("--to", BOB, "--body", "x", server=words, expect=TRY_LATER)[0]["recipients"][0]
        self.assertNotIn("reply", recipient)
        self.assertRegex(recipient["error"], "^The connection was lost")

    def test_without_chunking(self):
        for more, said in (([], "BDAT"), (["--no-chunking"], "354")):
            shown = self.run_it("--to", BOB, "--body", "x", "--show", "--lang", "en", *more).stdout
            self.assertIn(said, shown)
        self.assertNotIn("BDAT", shown)

    def test_odd_addresses(self):
        server, words = self.fake()
        self.run_it("--to", '"quoted local"@d.test', "--body", "x", server=words)
        self.assertIn(b'RCPT TO:<"quoted local"@d.test>', b"\n".join(server.lines))
        for text in ("bob@d.test>\r\nRCPT TO:<ada@d.test", "bob@d.test\nada@d.test"):
            self.assertIn("is no address", self.run_it("--to", text, "--body", "x", server=words, expect=DATA).stderr)

    def test_tls_that_cannot_be_trusted(self):
        words = ["--to", BOB, "--body", "x"]
        untrusted = [w for w in self.ours() if w not in ("--ca", self.folder / "ca.pem")]
        self.assertIn("certificate", self.run_it(*words, server=untrusted, expect=PROTOCOL).stderr)
        self.run_it(*words, server=[*untrusted, "--no-verify"])
        for name, alternatives, days in (("wrong-name", "DNS:other.test", 30), ("expired", "IP:127.0.0.1", -1)):
            pem, key = certificate(self.folder, name, alternatives, days)
            with Server(GLASSPOST, f'tls.certificate = "{pem}"\ntls.key = "{key}"\n') as server:
                for kind, scheme in (("submissions", "smtps"), ("submission", "smtp")):
                    with self.subTest(f"{name} {kind}"):
                        told = self.run_it(*words, server=["--server", f"{scheme}://127.0.0.1:{server.port[kind]}", "--ca", self.folder / "ca.pem"], expect=PROTOCOL)
                        self.assertIn("certificate", told.stderr)
        server, _ = self.fake()
        self.run_it(*words, server=["--server", f"smtp://127.0.0.1:{server.port}"], expect=PROTOCOL)  # no STARTTLS there: nothing goes in the clear
        self.assertFalse(any(line.startswith(b"MAIL") for line in server.lines))

    def test_connection_errors_in_both_languages(self):
        silent = Hostile(b"", b"")
        self.addCleanup(silent.close)
        expired = certificate(self.folder, "expired-zh", "IP:127.0.0.1", -1)
        wrong = certificate(self.folder, "wrong-zh", "DNS:other.test", 30)
        servers = [self.enterContext(Server(GLASSPOST, f'tls.certificate = "{pem}"\ntls.key = "{key}"\n')) for pem, key in (expired, wrong)]
        smtps = [f"smtps://127.0.0.1:{s.port['submissions']}" for s in servers]
        for server, english, chinese, status in ((["127.0.0.1:1", "--tls", "none"], "Connection refused", "无法连接：连接被拒绝", TRY_LATER),
                                                 (["nowhere.invalid", "--tls", "none"], "has no address", "该主机没有地址", TRY_LATER),
                                                 ([f"127.0.0.1:{silent.port}", "--tls", "none", "--timeout", "1"], "did not answer in time (greeting)", "服务器未按时应答（greeting）", TRY_LATER),
                                                 ([smtps[0], "--ca", self.folder / "ca.pem"], "certificate has expired", "TLS 握手失败：证书验证失败：证书已过期", PROTOCOL),
                                                 ([smtps[1], "--ca", self.folder / "ca.pem"], "IP address mismatch", "证书不是发给该 IP 地址的", PROTOCOL),
                                                 ([smtps[0]], "local issuer", "签发者不在信任之列", PROTOCOL)):
            for language, words in (("en", english), ("zh", chinese)):
                with self.subTest(words):
                    said = self.run_it("--to", BOB, "--body", "x", "--lang", language, server=["--server", *server], expect=status).stderr
                    self.assertIn(words, said)
                    self.assertEqual(bool(re.search("[\u4e00-\u9fff]", said)), language == "zh")
        # What a server says stays as it said it.
        _, words = self.fake(breaks=("RCPT", b"451 4.3.0 Connection refused\r\n", 99))
        self.assertIn("Connection refused", self.run_it("--to", BOB, "--body", "x", "--lang", "zh", server=words, expect=TRY_LATER).stderr)

    def test_hostile_servers(self):
        for name, first, forever, tls, status in (("endless line", b"220 ", b"x" * 999, "none", TRY_LATER), ("endless reply", b"", b"220-x\r\n", "none", TRY_LATER), ("silence", b"", b"", "none", TRY_LATER),
                                                  ("no SMTP", b"HTTP/1.0 200 OK\r\n\r\n", b"", "none", TRY_LATER),
                                                  ("octets before TLS", b"220 ready\r\n250-x\r\n250 STARTTLS\r\n220 go\r\n250 injected\r\n", b"", "starttls", PROTOCOL)):
            with self.subTest(name):
                server = Hostile(first, forever)
                self.addCleanup(server.close)
                run = self.run_it("--to", BOB, "--body", "x", "--timeout", 3, server=["--server", f"127.0.0.1:{server.port}", "--tls", tls], expect=status)
                self.assertTrue(run.stderr.strip())

    def test_servers_that_drip(self):
        """each octet comes within the time-out, the reply does not"""
        for name, first, rest in (("greeting", b"", b"220 " + b"x" * 400), ("long reply", b"220 x\r\n", b"250-x\r\n" * 100), ("behind much", b"220 x\r\n250-" + b"x" * 4000 + b"\r\n", b"250-x\r\n" * 100)):
            with self.subTest(name):
                server = Dripping(first, rest)
                self.addCleanup(server.close)
                began = time.monotonic()
                self.assertIn("in time", self.run_it("--to", BOB, "--body", "x", "--timeout", 1, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=TRY_LATER).stderr)
                self.assertLess(time.monotonic() - began, 10)
                self.assertGreater(server.dripped, 1)
        # Slow, but fast enough: 100 octets a second.
        server = Dripping(b"220 ", b"slow\r\n", pause=0.1)
        self.addCleanup(server.close)
        self.assertIn("(hello)", self.run_it("--to", BOB, "--body", "x", "--timeout", 2, server=["--server", f"127.0.0.1:{server.port}", "--tls", "none"], expect=TRY_LATER).stderr)

    def test_reports_are_asked_for(self):
        server, words = self.fake()
        self.run_it("--to", BOB, "--body", "x", "--notify", "success,failure", "--return", "hdrs", "--envid", "a+b c", server=words)
        self.assertIn(b"MAIL FROM:<ada@localhost.test>", server.lines[1])
        for words in (b"RET=HDRS", b"ENVID=a+2Bb+20c"):
            self.assertIn(words, server.lines[1])
        self.assertIn(b"NOTIFY=SUCCESS,FAILURE", server.lines[2])

    def test_null_reverse_path(self):
        server, words = self.fake()
        self.run_it("--from", "<>", "--to", BOB, "--body", "x", sender=False, server=words)
        self.assertTrue(server.lines[1].startswith(b"MAIL FROM:<>"))
        self.assertRegex(server.messages[0], rb"(?m)^From: Mail Delivery System <MAILER-DAEMON@[^>]+>\r\n")
        for text, author in ((MESSAGE, b"From: ada@localhost.test"), (MESSAGE.replace("From: ada@localhost.test\r\n", ""), b"From: Mail Delivery System <MAILER-DAEMON@")):
            server, words = self.fake()
            self.run_it("--from", "<>", "--message", "-", "--to", BOB, sender=False, data=text, server=words)
            self.assertTrue(server.lines[1].startswith(b"MAIL FROM:<>"))
            self.assertIn(author, server.messages[0])
        accounts = self.home / "accounts.toml"
        server, _ = self.fake(offers=["AUTH PLAIN"])
        accounts.write_text(f'[[account]]\naddress = "{USER}"\nuser = "{USER}"\npassword = {{ environment = "PASS" }}\nsmtp = {{ host = "127.0.0.1", port = {server.port}, tls = "none" }}\n')
        accounts.chmod(0o600)
        self.run_it("--from", "<>", "--to", BOB, "--body", "x", sender=False, server=["--accounts", accounts])
        self.assertIn(b"From: ada@localhost.test\r\n", server.messages[0])
        self.assertTrue(any(line.startswith(b"MAIL FROM:<>") for line in server.lines))

    def test_a_server_without_reports(self):
        for option in (("--notify", "success"), ("--return", "hdrs"), ("--envid", "x")):
            for language, warning in (("en", "does not offer DSN"), ("zh", "不支持 DSN")):
                server, words = self.fake(offers=["SIZE"])
                self.assertIn(warning, self.run_it("--to", BOB, "--body", "x", "--lang", language, *option, server=words).stderr)
                self.assertEqual((len(server.messages), [line for line in server.lines if re.search(rb"NOTIFY|RET=|ENVID", line)]), (1, []))
        for offers, option in ((["DSN"], ("--notify", "success")), (["SIZE"], ())):
            _, words = self.fake(offers=offers)
            self.assertEqual(self.run_it("--to", BOB, "--body", "x", *option, server=words).stderr, "")

    def test_straight_to_the_mx(self):
        zone = self.home / "zone"
        zone.write_text("$ORIGIN localhost.test.\n$TTL 60\n@ SOA ns x 1 1 1 1 1\n@ NS ns\nns A 127.0.0.1\n@ MX 10 dead\n@ MX 20 mail\ndead A 127.0.0.99\nmail A 127.0.0.1\n")
        other = self.home / "other"
        other.write_text("$ORIGIN other.test.\n$TTL 60\n@ SOA ns x 1 1 1 1 1\n@ NS ns\nns A 127.0.0.1\n@ MX 0 .\n")
        dns = subprocess.Popen([GLASSPOST, "dns", "serve", "--listen", "127.0.0.1:0", zone, other], stdout=subprocess.PIPE, text=True)
        self.addCleanup(lambda: (dns.terminate(), dns.wait(), dns.stdout.close()))
        port = re.search(r"127\.0\.0\.1:(\d+)", dns.stdout.readline())[1]
        told = self.outcomes("--to", f"{BOB}, {USER}, x@other.test, y@nowhere.test", "--body", "x", expect=REFUSED,
                             server=["--mx", "--port", self.server.port["smtp"], "--dns", f"127.0.0.1:{port}", "--hello", "client.test", "--timeout", 5])
        outcomes = {r["address"]: r["outcome"] for r in told[0]["recipients"]}
        self.assertEqual({a: outcomes[a] for a in (BOB, USER, "x@other.test")}, {BOB: "accepted", USER: "accepted", "x@other.test": "refused"})
        self.assertNotEqual(outcomes["y@nowhere.test"], "accepted")
        (message,) = self.arrived()
        self.assertIn("ESMTPS", str(message["Received"]))  # TLS, whoever's certificate it is
        self.run_it("--from", "<>", "--to", BOB, "--body", "x", sender=False, server=["--mx", "--port", self.server.port["smtp"], "--dns", f"127.0.0.1:{port}", "--hello", "client.test"])
        self.assertEqual(self.arrived()[0]["Return-Path"], "<>")

    def test_shown_and_saved(self):
        capture = self.home / "send.pcapng"
        told = self.run_it("--to", BOB, "--subject", "实验", "--body", "x", "--show", "--full", "--save", capture,
                           server=["--server", f"127.0.0.1:{self.server.port['submission']}", "--tls", "none", "--user", USER, "--password-env", "PASS", "--mechanism", "LOGIN"]).stdout
        for words in ("MAIL FROM:<ada@localhost.test>", "Subject: 实验", "AUTH LOGIN", "QUIT"):
            self.assertIn(words, told)
        again = subprocess.run([GLASSPOST, "analyze", "--conversation", "1", capture], capture_output=True, text=True, check=True).stdout
        self.assertIn("实验", again)
        if shutil.which("tshark"):
            seen = subprocess.run(["tshark", "-r", capture, "-d", f"tcp.port=={self.server.port['submission']},smtp", "-Y", "smtp.req.command == MAIL"], capture_output=True, text=True, check=True).stdout
            self.assertIn("ada@localhost.test", seen)

    def test_what_cannot_be_saved(self):
        self.assertIn("/proc/x", self.run_it("--to", BOB, "--body", "x", "--save", "/proc/x/y.pcapng", expect=CANNOT_CREATE).stderr)

    def test_nothing_is_smuggled_in(self):
        server, words = self.fake()
        for option, value in (("--message-id", "<q@x>\r\nBcc: evil@x.test\r\n\r\nbody"), ("--message-id", "q"), ("--hello", "me\r\nRSET"), ("--hello", "a b")):
            self.run_it("--to", BOB, "--body", "x", option, value, server=words, expect=USAGE)
        self.assertEqual(server.connections, 0)
        text = "From: ada@localhost.test\r\nSubject: hi\rBcc: hidden@x.test\r\n\r\none\rtwo\r\n"
        self.run_it("--message", "-", "--to", BOB, server=words, data=text.encode())
        self.assertIn(b"Subject: hi Bcc: hidden@x.test\r\n", server.messages[0])
        self.assertTrue(server.messages[0].endswith(b"\r\n\r\none two\r\n"))
        self.assertFalse([line for line in server.lines if b"hidden" in line])

    def test_secrets_that_a_server_says_back(self):
        echo = FakeServer(offers=["AUTH LOGIN"], breaks=("AUTH", b"535 5.7.8 no ada " + PASSWORD.encode() + b" ZW5pZ21hLTE3 here\r\n", 99))
        self.addCleanup(echo.close)
        run = self.run_it("--to", BOB, "--body", "x", "--json", "--user", USER, "--password-env", "PASS", server=["--server", f"127.0.0.1:{echo.port}", "--tls", "none"], expect=LOGIN)
        self.assertIn("***", run.stdout)
        self.assertNotIn("ZW5pZ21hLTE3", run.stdout + run.stderr)

    def test_what_is_said_of_tls_holds_for_an_account_too(self):
        accounts = self.home / "accounts.toml"
        server, _ = self.fake(offers=["AUTH PLAIN"])
        accounts.write_text(f'[[account]]\naddress = "{USER}"\nuser = "{USER}"\nsmtp = {{ host = "127.0.0.1", port = {server.port}, tls = "none" }}\npassword = {{ environment = "PASS" }}\n')
        accounts.chmod(0o600)
        account = ["--accounts", accounts]
        self.run_it("--to", BOB, "--body", "x", server=[*account, "--tls", "starttls"], expect=PROTOCOL)
        self.run_it("--to", BOB, "--body", "x", server=[*account, "--tls", "bogus"], expect=CONFIG)
        self.assertFalse([line for line in server.lines if b"AUTH" in line])

    def test_each_recipient_once(self):
        server, words = self.fake()
        self.run_it("--to", BOB, "--cc", BOB.replace("localhost", "LOCALHOST"), "--bcc", BOB + ", Bob@localhost.test", "--body", "x", server=words)
        self.assertEqual(len([line for line in server.lines if line.startswith(b"RCPT")]), 2)  # local parts are what they are
        self.assertIn("several", self.run_it("--from", "a@x.test, b@x.test", "--to", BOB, "--body", "x", sender=False, server=words, expect=DATA).stderr)

    def test_words_that_do_not_fit(self):
        for words in (("-t", "--subject", "x"), ("--mx", "--server", "x"), ("--body", "x", "--body-file", "y"), ("--notify", "never,success"), ("--notify", "sometimes"), ("--port", "1"),
                      ("--message", "-", "--message", "-"), ("--envid", "x" * 101)):
            with self.subTest(words):
                self.run_it("--to", BOB, *words, expect=USAGE)
        self.run_it("--to", BOB, "--envid", "x" * 100, "--body", "x")
        self.assertIn("no-such", self.run_it("--to", BOB, "--body", "x", "--attach", "no-such", expect=DATA).stderr)
        self.run_it("--to", "nobody at all", "--body", "x", expect=DATA)
        self.assertIn("UTF-8", self.run_it("--to", BOB, data=b"\xff", expect=DATA).stderr)
        nobody = subprocess.run([GLASSPOST, "send", "--to", BOB, "--body", "x"], capture_output=True, text=True, env=self.environment)
        self.assertEqual(nobody.returncode, CONFIG)
        self.assertIn("glasspost account add", nobody.stderr)


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
