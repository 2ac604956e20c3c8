#!/usr/bin/env python3
"""Packets made by hand: what tshark reads in them, what a server answers to them, what is told of it.

  craft_test.py GLASSPOST

The network is a namespace of its own, made by unshare; without root, or where tshark or tcpdump is missing, what needs them is skipped.
"""
import os
import pathlib
import re
import shutil
import socket
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
