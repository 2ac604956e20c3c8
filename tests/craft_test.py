#!/usr/bin/env python3
"""Packets made by hand: what tshark reads in them, what a server answers to them, what is told of it.

  craft_test.py GLASSPOST

The network is a namespace of its own, made by unshare; without root, or where tshark or tcpdump is missing, what needs them is skipped.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGIN = ROOT / "tests/captures/login.pcap"  # USER, PASS, STAT, LIST, UIDL, QUIT
INSIDE = "GLASSPOST_CRAFT_NAMESPACE"
GLASSPOST = ""
USER, PASSWORD = "ada@localhost.test", "enigma-17"
DONE, REFUSED, USAGE, CANNOT = 0, 1, 2, 3
CHECK = [w for layer in ("ip", "tcp", "udp") for w in ("-o", f"{layer}.check_checksum:TRUE")]


def run(*words, expect=DONE, **more):
    done = subprocess.run([GLASSPOST, *map(str, words)], capture_output=True, text=True, timeout=120,
                          env=dict(os.environ, LANG="C.UTF-8", LC_ALL="C.UTF-8", NO_COLOR="1"), **more)
    assert done.returncode == expect, (words, done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def tshark(path, *fields):
    """one list of texts a packet"""
    words = [w for f in fields for w in ("-e", f)]
    done = subprocess.run(["tshark", "-r", str(path), *CHECK, "-T", "fields", "-E", "separator=|", "-E", "occurrence=f", *words],
                          capture_output=True, text=True, check=True, timeout=120)
    return [line.split("|") for line in done.stdout.splitlines()]


class Making(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gp-craft-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.file = self.folder / "made.pcapng"

    def read(self, *fields):
        if not shutil.which("tshark"):
            self.skipTest("there is no tshark")
        return tshark(self.file, *fields)

    def make(self, *words):
        self.file.unlink(missing_ok=True)  # nothing is written over
        run("craft", *words, "-w", self.file)

    def test_every_layer(self):
        self.make("--template", "pop3", "--set", "eth.dst=02:00:00:00:00:99", "--set", "ip.ttl=7", "--set", "ip.flags.df=0", "--set",
                  "ip.dsfield.dscp=46", "--set", "ip.src=198.51.100.7", "--set", "tcp.srcport=50000", "--set", "tcp.seq=0xfffffff0", "--set",
                  "tcp.flags.urg=1", "--set", "tcp.window_size_value=1", "--set", "tcp.urgent_pointer=3", "--set",
                  "tcp.options=hex:02040200", "--set", "pop.request=RETR 1")
        self.assertEqual(self.read("eth.dst", "ip.ttl", "ip.flags.df", "ip.dsfield.dscp", "ip.src", "tcp.srcport", "tcp.seq_raw", "tcp.flags.urg",
                                   "tcp.window_size_value", "tcp.urgent_pointer", "tcp.options.mss_val", "pop.request.command",
                                   "pop.request.parameter", "ip.checksum.status", "tcp.checksum.status"),
                         [["02:00:00:00:00:99", "7", "0", "46", "198.51.100.7", "50000", "4294967280", "1", "1", "3", "512", "RETR", "1", "1", "1"]])

    def test_lengths_follow(self):
        for words, fields, expected in (
                (("--template", "smtp", "--text", "MAIL FROM:<a@b.test>", "--set", "smtp.path.domain=a-much-longer.example.test"),
                 ("ip.len", "ip.checksum.status", "tcp.checksum.status", "smtp.req.parameter"),
                 [str(40 + len("MAIL FROM:<a@a-much-longer.example.test>\r\n")), "1", "1", "FROM:<a@a-much-longer.example.test>"]),
                (("--template", "imap", "--dst", "[2001:db8::9]:143", "--set", "imap.request_tag=tag9"),
                 ("ipv6.plen", "tcp.checksum.status", "imap.request_tag"), [str(20 + 11), "1", "tag9"]),
                (("--template", "dns", "--set", "dns.qry.name=a.longer.name.example.org", "--set", "dns.qry.type=MX", "--set", "dns.id=0xbeef"),
                 ("ip.len", "udp.length", "udp.checksum.status", "dns.qry.name", "dns.qry.type", "dns.id"),
                 [str(28 + 43), str(8 + 43), "1", "a.longer.name.example.org", "15", "0xbeef"]),
                (("--template", "dns", "--dst", "[2001:db8::9]", "--set", "dns.flags.opcode=2", "--set", "dns.flags.recdesired=0"),
                 ("ipv6.plen", "udp.checksum.status", "dns.flags.opcode", "dns.flags.recdesired"), [str(8 + 30), "1", "2", "0"])):
            with self.subTest(words=words):
                self.make(*words)
                self.assertEqual(self.read(*fields), [expected])

    def test_records_are_added(self):
        """to each section, over UDP and TCP; their fields can be set as if they had been there"""
        words = ("--text", "example.test MX", "--set", "dns.flags.response=1", "--add", "dns.count.answers=example.test 60 IN MX 10 mail.example.test",
                 "--add", "dns.count.answers=example.test MX 20 spare.example.test", "--add", "dns.count.auth_rr=example.test. NS ns.example.test",
                 "--add", "dns.count.add_rr=mail.example.test CH A 192.0.2.25", "--add", "dns.count.add_rr=x.test TYPE4711 \\# 2 0a0b",
                 "--add", "dns.count.queries=other.test AAAA", "--set", "dns.a=192.0.2.99", "--set", "dns.resp.ttl#2=7", "--set", "dns.mx.preference#2=30")
        fields = ("dns.count.queries", "dns.count.answers", "dns.count.auth_rr", "dns.count.add_rr", "dns.resp.ttl", "dns.a", "_ws.malformed")
        self.make("--template", "dns", *words)
        self.assertEqual(self.read(*fields), [["2", "2", "1", "2", "60", "192.0.2.99", ""]])
        told = run("analyze", self.file, "--conversation", "1")
        for record in ("example.test. 60 IN MX 10 mail.example.test.", "example.test. 7 IN MX 30 spare.example.test.", "example.test. 3600 IN NS ns.example.test.",
                       "mail.example.test. 3600 CH A", "x.test. 3600 IN TYPE4711 \\# 2 0A0B"):
            self.assertIn(record, told)
        octets = self.folder / "query"
        query = bytes.fromhex("000701000001000000000000") + b"\7example\4test\0\0\x0f\0\1"
        octets.write_bytes(len(query).to_bytes(2, "big") + query)
        self.make("--template", "tcp", "--dst", "192.0.2.53:53", "--payload-file", octets, "--add", "dns.count.answers=example.test MX 10 mail.example.test")
        self.assertEqual(self.read("dns.length", "dns.count.answers", "dns.mx.mail_exchange", "tcp.len"), [["51", "1", "mail.example.test", "53"]])

    def test_records_that_cannot_be_added(self):
        for text, said in (("dns.count.answers=example.test", "says no type"), ("dns.count.answers=a..b A 192.0.2.1", "begins with no name"),
                           ("dns.count.answers=a.test A elsewhere", "data that its type does not"), ("dns.count.answers=a.test FOO x", "FOO is no type"),
                           ("dns.count.answers=a.test 2147483648 A 192.0.2.1", "2147483648 is no type"), ("dns.count.queries=a.test A 192.0.2.1", "has no data"),
                           ("dns.id=7", "nothing can be added there"), ("dns.count.answer=a.test A 192.0.2.1", "did you mean dns.count.answers?")):
            with self.subTest(text=text):
                self.assertIn(said, run("craft", "--template", "dns", "--add", text, expect=REFUSED))
        run("craft", "--template", "dns", "--add", "dns.count.answers=a.test 2147483647 A 192.0.2.1")
        self.assertIn("nothing can be added", run("craft", "--template", "smtp", "--add", "tcp.seq=1", expect=REFUSED))
        cut = ("--template", "udp", "--dst", "192.0.2.53:53", "--payload-hex", "000101000001000000000000 0765", "--add", "dns.count.answers=a.test A 192.0.2.1")
        self.assertIn("the message is broken", run("craft", *cut, expect=REFUSED))

    def hello(self, name="mail.example.test"):
        """a ClientHello as OpenSSL makes it, in a file"""
        out = ssl.MemoryBIO()
        context = ssl.create_default_context()
        try:
            context.wrap_bio(ssl.MemoryBIO(), out, server_hostname=name).do_handshake()
        except ssl.SSLWantReadError:
            pass
        path = self.folder / "hello"
        path.write_bytes(out.read())
        return path

    def test_fields_of_tls(self):
        """by the names of the field table; with a name of another length every length around it follows"""
        hello = self.hello()
        size = hello.stat().st_size
        names = ("tls.record.content_type", "tls.record.version", "tls.record.length", "tls.handshake.type", "tls.handshake.length", "tls.handshake.version",
                 "tls.handshake.extensions_server_name_list_len", "tls.handshake.extensions_server_name_len", "tls.handshake.extensions_server_name")
        for port in (465, 25):  # behind STARTTLS, too
            for name in ("a.much.longer.name.of.a.mail.server.example.test", "x.test", "sail.example.test"):
                with self.subTest(port=port, name=name):
                    more = len(name) - len("mail.example.test")
                    self.make("--template", "tcp", "--dst", f"192.0.2.25:{port}", "--payload-file", hello, "--set", "tls.record.version=0x0303",
                              "--set", "tls.handshake.version=0x0302", "--set", f"tls.handshake.extensions_server_name={name}", "--set", "tls.handshake.ciphersuite#2=0x002f")
                    if port == 465:
                        self.assertEqual(self.read(*names, "_ws.malformed", "tcp.len"),
                                         [["22", "0x0303", str(size - 5 + more), "1", str(size - 9 + more), "0x0302", str(len(name) + 3), str(len(name)), name, "", str(size + more)]])
        self.make("--template", "tcp", "--dst", "192.0.2.25:465", "--payload-file", hello, "--set", "tls.record.length=7", "--set",
                  "tls.handshake.extensions_server_name=longer.example.test")  # what is set is kept
        self.assertRegex(run("craft", "--from", self.file, "--fields"), r"tls\.record\.length +number +7\n")
        listed = run("craft", "--template", "tcp", "--dst", "192.0.2.25:465", "--payload-file", hello, "--fields")
        for name in names:
            self.assertRegex(listed, rf"(?m)^  [0-9a-f]{{4}}  .* {re.escape(name)} ", name)
        self.assertIn("TLS", listed)

    def test_tls_at_its_limits(self):
        """a name may be as long as the record's greatest length has room for it, and no longer"""
        hello = self.hello("x.test")
        rest = hello.stat().st_size - 5 - len("x.test")
        words = ("--template", "tcp", "--dst", "192.0.2.25:465", "--payload-file", hello, "--set")
        most = 16384 + 2048 - rest
        run("craft", *words, "tls.handshake.extensions_server_name=" + "x" * most)
        self.assertIn("tls.record.length says at most 18432", run("craft", *words, "tls.handshake.extensions_server_name=" + "x" * (most + 1), expect=REFUSED))
        self.assertIn("has 2 octets", run("craft", *words, "tls.handshake.ciphersuite=hex:010203", expect=REFUSED))

    def test_keep(self):
        words = ("--template", "pop3", "--text", "NOOP", "--payload", "")
        self.make(*words, "--keep")
        self.assertEqual(self.read("ip.len"), [[str(20 + 20 + 6)]])
        self.make("--template", "pop3", "--set", "ip.ttl=3", "--keep", "ip.checksum,tcp.checksum")
        self.assertEqual(self.read("ip.checksum.status", "tcp.checksum.status"), [["0", "1"]])
        self.make("--template", "syn", "--set", "tcp.checksum=0x1234", "--set", "ip.len=1000")  # what is set is kept
        self.assertEqual(self.read("tcp.checksum", "ip.len", "ip.checksum.status"), [["0x1234", "1000", "1"]])

    def test_whole_capture(self):
        self.make("--from", LOGIN, "--set", "ip.dst=203.0.113.9")
        dissected = self.read("ip.dst", "ip.checksum.status", "tcp.checksum.status")
        self.assertEqual(dissected, [["203.0.113.9", "1", "1"]] * 24)

    def test_a_connection_of_templates(self):
        self.make("--dst", "192.0.2.9:110", "--template", "syn", "--template", "pop3", "--text", "USER a", "--set", "pop.request.parameter=charlotte",
                  "--template", "pop3", "--text", "QUIT")
        first = int(self.read("tcp.seq_raw")[0][0])
        self.assertEqual([int(p[0]) - first for p in self.read("tcp.seq_raw")], [0, 1, 1 + len("USER charlotte\r\n")])
        self.assertIn("charlotte", run("analyze", self.file, "--conversation", "1"))

    def test_hex_is_read_again(self):
        text = run("craft", "--template", "dns", "--text", "example.org MX", "--hex")
        hexed = self.folder / "made.txt"
        hexed.write_text(text)
        self.assertIn("example.org", run("analyze", "--from-hex", hexed, "--conversation", "1", "--hex"))

    def test_standard_output_is_for_one_thing(self):
        octets = subprocess.run([GLASSPOST, "craft", "--template", "syn", "-w", "-"], capture_output=True, check=True, timeout=60).stdout
        self.assertEqual(octets[:4], b"\x0a\x0d\x0d\x0a")
        for words in (["--hex"], ["--fields"], ["--send", "tcp://127.0.0.1:9"]):
            for language, said in (("en", "no room on standard output"), ("zh", "已占用标准输出")):
                with self.subTest(words=words, language=language):
                    done = subprocess.run([GLASSPOST, "craft", "--template", "pop3", *words, "-w", "-", "--lang", language], capture_output=True,
                                          text=True, timeout=60)
                    self.assertEqual((done.returncode, done.stdout), (USAGE, ""))
                    self.assertIn(said, done.stderr)

    def test_what_cannot_be(self):
        for words, said, status in (
                (("--set", "tcp.flag.syn=1"), "did you mean tcp.flags.syn?", REFUSED),
                (("--set", "dns.id=1"), "is not in this packet (it has Ethernet, Internet Protocol version 4, Transmission Control Protocol)", REFUSED),
                (("--set", "ip.ttl=256"), "from 0 to 255", REFUSED),
                (("--set", "ip.src=1.2.3"), "is no IPv4 address", REFUSED),
                (("--set", "tcp.checksum.status=1"), "is calculated from other octets", REFUSED),
                (("--set", "ip.src#2=192.0.2.1"), "there are only 1", REFUSED),
                (("--set", "tcp.options=hex:01"), "a multiple of 4", REFUSED),
                (("--keep", "ip.ttl"), "is not computed", REFUSED),
                (("--set", "ip.ttl"), "says no value", USAGE),
                (("--wiat", "3"), "did you mean --wait?", USAGE),
                (("--save", "x.pcapng"), "are of --send", USAGE)):
            with self.subTest(words=words):
                self.assertIn(said, run("craft", "--template", "syn", *words, expect=status))
        self.assertIn("did you mean syn?", run("craft", "--template", "sin", expect=USAGE))
        self.assertIn("has only 24 frames", run("craft", "--from", LOGIN, "--frame", "25", expect=REFUSED))
        self.assertIn("--from FILE", run("craft", "--frame", "1", expect=USAGE))

    def test_bounds(self):
        """at the limit and one past it"""
        self.make(*["--template", "syn"] * 10_000)
        self.assertEqual(len(self.read("frame.number")), 10_000)
        self.assertIn("too many packets", run("craft", *["--template", "syn"] * 10_001, expect=USAGE))
        for name, most in (("tcp", 1440), ("udp", 65_000)):
            self.make("--template", name, "--text", "x" * most)
            self.assertIn(f"at most {most}", run("craft", "--template", name, "--text", "x" * (most + 1), expect=REFUSED))
        big = self.folder / "big"
        for size, status in ((65_535 - 28, DONE), (65_535 - 27, REFUSED)):  # ip.len
            big.write_bytes(bytes(size))
            self.file.unlink(missing_ok=True)
            said = run("craft", "--template", "udp", "--payload-file", big, "-w", self.file, expect=status)
            self.assertEqual("ip.len: has no room" in said, status == REFUSED)
        big.write_bytes(bytes(65_536))
        self.assertIn("at most 65535", run("craft", "--template", "udp", "--payload-file", big, expect=USAGE))

    def test_every_field_by_its_name(self):
        """each number of a POP3 segment that --fields names, set to another value, is that value when it is read again"""
        listed = run("craft", "--from", LOGIN, "--frame", "6", "--fields")
        names = re.findall(r"^  [0-9a-f]{4}  (?:[0-9a-f]{2} ?)+…? +(\S+) +number", listed, re.M)
        self.assertGreater(len(names), 30)
        for name in names:
            again = run("craft", "--from", LOGIN, "--frame", "6", "--set", f"{name}=0", "--fields")
            self.assertRegex(again, rf"(?m)^  [0-9a-f]{{4}}  .* {re.escape(name)} +number +0(x0+)?$", name)


class Sending(unittest.TestCase):
    """In a namespace with a loopback interface of its own."""

    @classmethod
    def setUpClass(cls):
        from serving import Server
        cls.server = Server(GLASSPOST, "server.classroom = true\n", users=[(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)
        cls.pop3 = cls.server.port["pop3"]

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gp-craft-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def login(self):
        """the capture's own commands, USER and PASS with another name and password"""
        frames = tshark(LOGIN, "frame.number", "pop.request.command")
        words = ["--from", LOGIN]
        for number, command in frames:
            if command:
                words += ["--frame", number]
                if command in ("USER", "PASS"):
                    words += ["--set", "pop.request.parameter=" + (USER if command == "USER" else PASSWORD)]
        return words

    def test_login_with_edited_messages(self):
        live, kept = self.folder / "live.pcap", self.folder / "kept.pcapng"
        listener = subprocess.Popen(["tcpdump", "--immediate-mode", "-i", "lo", "-U", "-w", str(live), "-Z", "root", f"tcp port {self.pop3}"],
                                    stderr=subprocess.PIPE, text=True)
        while "listening" not in (line := listener.stderr.readline()):
            self.assertTrue(line, "tcpdump does not start")
        try:
            told = run("craft", *self.login(), "--send", f"tcp://127.0.0.1:{self.pop3}", "--save", kept)
            for _ in range(100):  # until both sides are seen to close
                ends = subprocess.run(["tshark", "-r", str(live), "-Y", "tcp.flags.fin==1"], capture_output=True, text=True).stdout
                if len(ends.splitlines()) >= 2:
                    break
                time.sleep(0.1)
        finally:
            listener.terminate()
            listener.wait(20)
            listener.stderr.close()
        self.assertIn(USER, told)
        self.assertNotIn(PASSWORD, told)
        for capture in (live, kept):
            told = run("analyze", capture, "--conversation", "1", "--show-secrets")
            for part in (f"USER {USER}", f"PASS {PASSWORD}", "STAT", "QUIT"):
                self.assertIn(part, told, capture)
            facts = run("analyze", capture, "--json", "--show-secrets")
            self.assertIn(USER, facts)
            self.assertNotIn('"-ERR', facts)

    def test_a_wrong_password_is_answered_too(self):
        told = run("craft", "--template", "pop3", "--text", f"USER {USER}", "--template", "pop3", "--text", "PASS wrong", "--send",
                   f"tcp://127.0.0.1:{self.pop3}", "--wait", "10000")
        self.assertIn("-ERR", told)

    def test_nobody_there(self):
        self.assertIn("127.0.0.1:9", run("craft", "--template", "pop3", "--send", "tcp://127.0.0.1:9", expect=CANNOT))
        self.assertIn("nobody listens", run("craft", "--template", "dns", "--send", "udp://127.0.0.1:9", expect=CANNOT))

    def lead(self, serve):
        """a server of one connection: its port, and what it gives back when it is done"""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        result = []

        def accept():
            connection, _ = listener.accept()
            with connection, connection.makefile("rwb") as stream:
                result.append(serve(connection, stream))

        thread = threading.Thread(target=accept)
        thread.start()
        return listener.getsockname()[1], lambda: (thread.join(60), result[0])[1]

    def test_the_next_payload_waits_for_the_end_of_the_reply(self):
        """a reply that comes in two halves: nothing is sent between them, whatever the time"""
        for protocol, greeting, asked, halves in (
                ("smtp", b"220 here\r\n", ("EHLO me", "NOOP"), (b"250-here\r\n", b"250 SIZE 9\r\n")),
                ("pop3", b"+OK here\r\n", ("CAPA", "NOOP"), (b"+OK these\r\nUSER\r\n", b"UIDL\r\n.\r\n")),
                ("imap", b"* OK here\r\n", ("a1 CAPABILITY", "a2 NOOP"), (b"* CAPABILITY IMAP4rev1\r\n", b"a1 OK done\r\n"))):
            with self.subTest(protocol=protocol):
                def serve(connection, stream):
                    connection.sendall(greeting[:3])
                    early = bool(self.readable(connection, 0.3))
                    connection.sendall(greeting[3:])
                    stream.readline()
                    for half in halves:
                        connection.sendall(half[:-1])
                        early |= self.readable(connection, 0.3)
                        connection.sendall(half[-1:])
                        if half is halves[0]:
                            early |= self.readable(connection, 0.3)
                    line = stream.readline()
                    connection.sendall({"smtp": b"250 yes\r\n", "pop3": b"+OK\r\n", "imap": b"a2 OK yes\r\n"}[protocol])
                    return early, line

                port, done = self.lead(serve)
                words = [w for text in asked for w in ("--template", protocol, "--text", text)]
                run("craft", *words, "--send", f"tcp://127.0.0.1:{port}")
                self.assertEqual(done(), (False, asked[1].encode() + b"\r\n"))

    @staticmethod
    def readable(connection, seconds):
        return bool(select.select([connection], [], [], seconds)[0])

    def test_lines_of_a_message_need_no_answer(self):
        def serve(connection, stream):
            connection.sendall(b"220 here\r\n")
            stream.readline()
            connection.sendall(b"250 yes\r\n")
            stream.readline()
            connection.sendall(b"250 yes\r\n")
            stream.readline()
            connection.sendall(b"354 go on\r\n")
            while (line := stream.readline()) != b".\r\n":
                self.assertTrue(line)
            connection.sendall(b"250 taken\r\n")
            return True

        port, done = self.lead(serve)
        texts = ("MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA", "Subject: one", "", ".")
        started = time.monotonic()
        told = run("craft", *[w for t in texts for w in ("--template", "smtp", "--text", t)], "--send", f"tcp://127.0.0.1:{port}",
                   "--wait", "20000")
        self.assertLess(time.monotonic() - started, 15)
        self.assertTrue(done())
        self.assertIn("250 taken", told)

    def test_an_answer_whose_end_is_known_is_read_to_it(self):
        """more than is kept of it, and no more than may be awaited of it; the next command is the judge of where it ended"""
        most = 64 << 20
        head, end = b"+OK here it is\r\n", b"\r\n.\r\n"
        for size, status in ((most - len(head + end), DONE), (most, REFUSED)):
            def serve(connection, stream):
                connection.sendall(b"+OK here\r\n")
                stream.readline()
                connection.sendall(head)
                line = b"x" * 65_534 + b"\r\n"
                for _ in range(size // len(line)):
                    connection.sendall(line)
                connection.sendall(b"y" * (size % len(line)) + (end if status == DONE else b""))
                early = self.readable(connection, 0.2) if status == DONE else False
                line = stream.readline() if status == DONE or self.readable(connection, 20) else b""
                if status == DONE:
                    connection.sendall(b"+OK bye\r\n")
                return line

            port, done = self.lead(serve)
            run("craft", "--template", "pop3", "--text", "RETR 1", "--template", "pop3", "--text", "QUIT", "--send",
                f"tcp://127.0.0.1:{port}", "--wait", "5000", expect=status)
            self.assertEqual(done(), b"QUIT\r\n")

    def peak(self, *words):
        """KiB of memory, at most, of a command that succeeds; what it says goes nowhere"""
        child = subprocess.Popen([GLASSPOST, *map(str, words)], stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(child.returncode, DONE, words)
        return usage.ru_maxrss

    def test_many_rounds_in_bounded_memory(self):
        """a hundred times as many, of 1,400 octets each: no more memory, over TCP and UDP, told and saved"""
        def smtp(connection, stream):
            connection.sendall(b"220 here\r\n")
            lines = 0
            while stream.readline():
                connection.sendall(b"250 yes\r\n")
                lines += 1
            return lines

        few, many = 400, 40_000
        peaks = []
        for rounds in (few, many):
            port, done = self.lead(smtp)
            peaks.append(self.peak("craft", "--template", "smtp", "--text", "NOOP " + "x" * 1393, "--send", f"tcp://127.0.0.1:{port}", "--count",
                                   rounds, "--save", self.folder / f"tcp-{rounds}.pcapng"))
            self.assertEqual(done(), rounds)
        self.assertLess(peaks[1] - peaks[0], 8 << 10)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(60)

            def echo():
                for _ in range(few + many):
                    listener.sendto(*listener.recvfrom(2048))

            thread = threading.Thread(target=echo)
            thread.start()
            peaks = [self.peak("craft", "--template", "udp", "--text", "x" * 1400, "--send", f"udp://127.0.0.1:{listener.getsockname()[1]}", "--count",
                               rounds, "--save", self.folder / f"udp-{rounds}.pcapng") for rounds in (few, many)]
            thread.join(60)
        self.assertLess(peaks[1] - peaks[0], 8 << 10)
        self.assertEqual(len(tshark(self.folder / f"udp-{few}.pcapng", "frame.number")), 2 * few)

    def test_where_nothing_can_be_saved_nothing_is_sent(self):
        kept = self.folder / "kept.pcapng"
        kept.write_text("another's")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener, socket.create_server(("127.0.0.1", 0)) as stream:
            listener.bind(("127.0.0.1", 0))
            for scheme, where in (("udp", listener), ("tcp", stream)):
                for path, said in ((kept, "is there already"), (self.folder / "none" / "kept.pcapng", "cannot be written")):
                    with self.subTest(scheme=scheme, said=said):
                        told = run("craft", "--template", "udp", "--text", "hello", "--send", f"{scheme}://127.0.0.1:{where.getsockname()[1]}",
                                   "--save", path, expect=CANNOT)
                        self.assertIn(said, told)
                        self.assertFalse(self.readable(where, 0.2))
        self.assertEqual(kept.read_text(), "another's")
        run("craft", "--template", "udp", "--text", "hello", "--send", "udp://127.0.0.1:9", "--save", self.folder / "of-nothing", expect=CANNOT)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["kept.pcapng"])

    def test_interrupted(self):
        """what was said is saved under its name, and nothing else is left"""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            for scheme in ("tcp", "udp"):
                with self.subTest(number=number, scheme=scheme):
                    kept = self.folder / f"{number}-{scheme}.pcapng"
                    if scheme == "tcp":
                        def serve(connection, stream):
                            connection.sendall(b"+OK here\r\n")
                            stream.readline()
                            connection.sendall(b"+OK once\r\n")
                            stream.readline()
                            child.send_signal(number)
                            return stream.readline()

                        port, done = self.lead(serve)
                    else:
                        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                        self.addCleanup(listener.close)
                        listener.bind(("127.0.0.1", 0))
                        listener.settimeout(30)
                        port = listener.getsockname()[1]
                    child = subprocess.Popen([GLASSPOST, "craft", "--template", "pop3" if scheme == "tcp" else "udp", "--text", "NOOP", "--count", "2",
                                              "--send", f"{scheme}://127.0.0.1:{port}", "--save", str(kept), "--wait", "60000"],
                                             stdout=subprocess.DEVNULL)
                    if scheme == "tcp":
                        done()
                    else:
                        listener.sendto(*listener.recvfrom(99))
                        listener.recvfrom(99)
                        child.send_signal(number)
                    self.assertEqual(child.wait(30), 128 + number)
                    if scheme == "tcp":
                        self.assertIn("+OK once", run("analyze", kept, "--conversation", "1"))
                    self.assertGreaterEqual(len(tshark(kept, "frame.number")), 2)
        self.assertEqual(len(list(self.folder.iterdir())), 6)

    @staticmethod
    def dns_answer(query, address):
        return query[:2] + b"\x81\x80" + query[4:6] + b"\0\1\0\0\0\0" + query[12:] + b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes(address)

    def test_a_late_answer_of_another_query(self):
        """over UDP and TCP: the answer to the first query comes before that to the second"""
        words = [w for i, name in ((7, "one.test"), (8, "two.test")) for w in ("--template", "dns", "--text", name, "--set", f"dns.id={i}")]
        late = lambda q: self.dns_answer(q, (192, 0, 2, 1))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.settimeout(30)

            def serve():
                first, _ = listener.recvfrom(512)
                second, client = listener.recvfrom(512)
                other = self.dns_answer(b"\0\x08" + first[2:], (192, 0, 2, 3))  # the right number, another question
                for answer in (late(first), other, self.dns_answer(second, (192, 0, 2, 2))):
                    listener.sendto(answer, client)

            thread = threading.Thread(target=serve)
            thread.start()
            told = run("craft", *words, "--send", f"udp://127.0.0.1:{listener.getsockname()[1]}", "--wait", "700", expect=REFUSED)
            thread.join(20)
        self.assertIn("192.0.2.2", told)
        self.assertNotIn("192.0.2.1", told)
        self.assertNotIn("192.0.2.3", told)
        self.assertIn("1 of 2 were answered", told)

        def over_tcp(connection, stream):
            first, second = (stream.read(int.from_bytes(stream.read(2), "big")) for _ in range(2))
            for answer in (late(first), self.dns_answer(second, (192, 0, 2, 2))):
                octets = len(answer).to_bytes(2, "big") + answer
                connection.sendall(octets[:9])
                time.sleep(0.2)  # quiet, but not the end
                connection.sendall(octets[9:])
            return True

        port, done = self.lead(over_tcp)
        told = run("craft", *words, "--send", f"tcp://127.0.0.1:{port}", "--wait", "700", expect=REFUSED)
        self.assertTrue(done())
        self.assertIn("192.0.2.2", told)
        self.assertNotIn("192.0.2.1", told)

    def test_an_endless_answer(self):
        most = 1 << 20
        for size in (most, most + 1):
            listener = socket.create_server(("127.0.0.1", 0))

            def serve():
                connection, _ = listener.accept()
                with connection:
                    connection.recv(100)
                    connection.sendall(b"x" * size)
                    connection.recv(100)

            thread = threading.Thread(target=serve)
            thread.start()
            told = run("craft", "--template", "tcp", "--text", "go", "--send", f"tcp://127.0.0.1:{listener.getsockname()[1]}")
            self.assertEqual(told.count("x"), most)
            thread.join(20)
            listener.close()

    def test_raw_syn(self):
        told = run("craft", "--template", "syn", "--dst", f"127.0.0.1:{self.pop3}", "--send")
        self.assertIn("SYN-ACK: the port is open", told)
        self.assertIn("(tcp.flags.ack): 1", told)
        self.assertIn("RST: nobody listens there", run("craft", "--template", "syn", "--dst", "127.0.0.1:9", "--send"))

    def test_raw_without_the_right(self):
        self.folder.chmod(0o755)
        program = shutil.copy(GLASSPOST, self.folder / "glasspost")
        for where in ([], ["--interface", "lo"]):
            done = subprocess.run([program, "craft", "--template", "syn", "--dst", "127.0.0.1:9", "--send", *where], capture_output=True, text=True, user=65534,
                                  group=65534, extra_groups=[], timeout=60)
            self.assertEqual(done.returncode, CANNOT)
            self.assertIn("CAP_NET_RAW", done.stderr)

    def test_raw_frames(self):
        """out of an interface, to a machine at the other end of its cable"""
        other = subprocess.Popen(["unshare", "--net", "sleep", "100"])
        try:
            for words in ("link add here type veth peer name there", f"link set there netns {other.pid}", "address add 192.0.2.1/24 dev here", "link set here up"):
                for attempt in range(50):  # the namespace may not be there yet
                    if (done := subprocess.run(["ip", *words.split()], capture_output=True, text=True)).returncode == 0:
                        break
                    time.sleep(0.05)
                self.assertEqual(done.returncode, 0, done.stderr)
            within = ["nsenter", "--target", str(other.pid), "--net"]
            for words in ("address add 192.0.2.2/24 dev there", "link set there up"):
                subprocess.run([*within, "ip", *words.split()], check=True)
            mac = re.search(r"link/ether (\S+)", subprocess.run([*within, "ip", "link", "show", "there"], capture_output=True, text=True, check=True).stdout)[1]
            words = ("--template", "syn", "--dst", "192.0.2.2:9", "--interface", "here", "--send")
            self.assertIn("says no MAC address", run("craft", *words, expect=CANNOT))
            told = run("craft", *words, "--set", f"eth.dst={mac}")
            self.assertIn("62 octets sent to 192.0.2.2 out of here", told)
            self.assertIn("RST: nobody listens there", told)
            run("craft", *words, "--set", f"eth.dst={mac}", "--set", "tcp.checksum=1", "--wait", "300", expect=REFUSED)
        finally:
            other.kill()
            other.wait()

    def test_raw_udp_to_a_closed_port(self):
        for address, version in (("127.0.0.1", 4), ("[::1]", 6)):
            with self.subTest(version=version):
                told = run("craft", "--template", "udp", "--dst", f"{address}:9", "--text", "hello", "--send")
                self.assertIn("ICMP: destination unreachable: nobody listens on the port", told)

    def test_loopback_takes_no_frames(self):
        self.assertIn("leave --interface out", run("craft", "--template", "syn", "--dst", f"127.0.0.1:{self.pop3}", "--interface", "lo", "--send",
                                                   "--wait", "300", expect=REFUSED))

    def test_dns(self):
        zone = self.folder / "zone"
        zone.write_text("$ORIGIN example.test.\n$TTL 60\n@ SOA ns hostmaster 1 2 3 4 5\n@ NS ns\nns A 192.0.2.53\nmail A 192.0.2.25\n@ MX 10 mail\n")
        server = subprocess.Popen([GLASSPOST, "dns", "serve", str(zone), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        try:
            line = server.stdout.readline()
            port = re.search(r"127\.0\.0\.1:(\d+)", line + server.stdout.readline())[1]
            words = ("--template", "dns", "--set", "dns.qry.name=example.test", "--set", "dns.qry.type=MX")
            for scheme in ("udp", "tcp"):
                with self.subTest(scheme=scheme):
                    kept = self.folder / f"{scheme}.pcapng"
                    self.assertIn("mail.example.test", run("craft", *words, "--send", f"{scheme}://127.0.0.1:{port}", "--save", kept))
                    self.assertEqual(tshark(kept, "frame.number")[0], ["1"])
            told = run("craft", "--template", "dns", "--text", "mail.example.test A", "--dst", f"127.0.0.1:{port}", "--send")
            self.assertIn("192.0.2.25", told)
        finally:
            server.terminate()
            server.wait(20)
            server.stdout.close()


def without_namespace():
    """why there can be none; empty: there can"""
    if os.geteuid() != 0:
        return "needs root"
    for program in ("unshare", "ip", "tshark", "tcpdump"):
        if not shutil.which(program):
            return f"there is no {program}"
    return "" if subprocess.run(["unshare", "-n", "true"], capture_output=True).returncode == 0 else "no namespace can be made"


class InNamespace(unittest.TestCase):
    def test_sending(self):
        if why := without_namespace():
            self.skipTest(why)
        script = 'ip link set lo up && exec "$@"'
        done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh", sys.executable, __file__, GLASSPOST], env=dict(os.environ, **{INSIDE: "1"}),
                              timeout=240)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    GLASSPOST = str(pathlib.Path(sys.argv[1]).resolve())
    inside = INSIDE in os.environ
    suite = unittest.TestSuite()
    for case in (Sending,) if inside else (Making, InNamespace):
        suite.addTests(unittest.defaultTestLoader.loadTestsFromTestCase(case))
    sys.exit(0 if unittest.TextTestRunner(verbosity=2 if inside else 1).run(suite).wasSuccessful() else 1)
