#!/usr/bin/env python3
"""Packets made by hand: what tshark reads in them, what cannot be made. How they are sent: craft_send_test.py.

  craft_test.py GLASSPOST

Where tshark is missing, what needs it is skipped.
"""
import os
import pathlib
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
LOGIN = ROOT / "tests/captures/login.pcap"  # USER, PASS, STAT, LIST, UIDL, QUIT
GLASSPOST = ""
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


if __name__ == "__main__":
    GLASSPOST = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
