#!/usr/bin/env python3
"""`glasspost dns` and `glasspost dns serve` against each other, against dig, kdig and dnsmasq where they are there, and against servers that
lie, break off or say nothing.

  dns_test.py GLASSPOST
"""
import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from peers import packages  # noqa: E402

GLASSPOST = ""
ZONES = ROOT / "tests/zones"
DONE, REFUSED, USAGE, NO_ANSWER = 0, 1, 2, 3


def run(*arguments, data=None, timeout=60):
    done = subprocess.run([GLASSPOST, "dns", "--lang", "en", *map(str, arguments)], input=data, capture_output=True, text=True, timeout=timeout)
    return done.returncode, done.stdout, done.stderr


def free_port():
    """one that is free on UDP and TCP, on all of 127/8"""
    while True:
        with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("", 0))
            try:
                udp.bind(("", tcp.getsockname()[1]))
                return tcp.getsockname()[1]
            except OSError:
                continue


class Serving:
    """`glasspost dns serve` until the end of `with`"""

    def __init__(self, *arguments, zones=None):
        self.process = subprocess.Popen([GLASSPOST, "dns", "serve", "--lang", "en", *map(str, arguments), *map(str, zones or sorted(ZONES.glob("*.zone")))],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.ports = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise AssertionError("it does not start: " + "".join(self.lines))
            self.lines.append(line)
            told = re.match(r"Serving DNS over UDP and TCP on [\d.]+:(\d+):", line)
            if told:
                self.ports.append(int(told[1]))
            if line.startswith("  To ask it") and len(self.ports) == self.wanted(arguments):
                break

    @staticmethod
    def wanted(arguments):
        return 3 if "--each" in arguments else 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(20)
        self.process.stdout.close()
        assert status == 0, f"it ended with {status}"


def query_of(packet):
    """(id, question's octets) of a query"""
    at = 12
    while packet[at]:
        at += packet[at] + 1
    return packet[:2], packet[12:at + 5]


class Liar(threading.Thread):
    """a server that answers each datagram as `answers(packet, n)` says: a list of datagrams; TCP likewise by `stream(packet)`"""

    def __init__(self, answers, stream=None):
        super().__init__(daemon=True)
        self.answers, self.stream = answers, stream
        self.count = 0
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.tcp = socket.socket()
        self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.port = free_port()
        self.udp.bind(("127.0.0.1", self.port))
        self.tcp.bind(("127.0.0.1", self.port))
        self.tcp.listen()
        self.ended = False
        self.second = threading.Thread(target=self.serve_tcp, daemon=True)

    def run(self):
        while not self.ended:
            packet, client = self.udp.recvfrom(65535)
            if self.ended:
                break
            self.count += 1
            for octets in self.answers(packet, self.count - 1):
                self.udp.sendto(octets, client)

    def serve_tcp(self):
        while not self.ended:
            connection, _ = self.tcp.accept()
            with connection:
                if self.ended:
                    return
                head = connection.recv(2, socket.MSG_WAITALL)
                packet = connection.recv(struct.unpack("!H", head)[0], socket.MSG_WAITALL)
                for piece in self.stream(packet) if self.stream else []:
                    connection.sendall(piece)
                    time.sleep(0.002)

    def __enter__(self):
        self.start()
        self.second.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"x", ("127.0.0.1", self.port))
        socket.create_connection(("127.0.0.1", self.port)).close()
        self.join(5)
        self.second.join(5)
        self.udp.close()
        self.tcp.close()


def answer(packet, records=b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", count=1, flags=0x8180, identification=None, question=None):
    name, asked = query_of(packet)
    return (identification or name) + struct.pack("!HHHHH", flags, 1, count, 0, 0) + (question or asked) + records


class Questions(unittest.TestCase):
    """each kind of question to our own server"""

    @classmethod
    def setUpClass(cls):
        cls.serving = Serving("--listen", "127.0.0.1:0")
        cls.port = cls.serving.ports[0]
        cls.at = f"@127.0.0.1:{cls.port}"

    @classmethod
    def tearDownClass(cls):
        cls.serving.__exit__()

    def short(self, *words):
        status, out, errors = run(*words, self.at, "--short")
        self.assertEqual(errors, "")
        return status, out.splitlines()

    def test_every_type(self):
        for name, kind, data in (
                ("mail.example.test", "A", ["192.0.2.25"]), ("mail.example.test", "AAAA", ["2001:db8::25"]),
                ("example.test", "MX", ["10 mail.example.test.", "20 backup.example.test."]), ("example.test", "TXT", ['"v=spf1 mx -all"']),
                ("www.example.test", "CNAME", ["mail.example.test."]), ("example.test", "NS", ["ns.example.test."]),
                ("example.test", "SOA", ["ns.example.test. hostmaster.example.test. 2026010101 7200 600 1209600 300"]),
                ("_submission._tcp.example.test", "SRV", ["0 1 587 mail.example.test."]), ("example.test", "CAA", ['0 issue "ca.test"']),
                ("_25._tcp.mail.example.test", "TLSA", ["3 1 1 E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"]),
                ("mail.example.test", "ANY", ["192.0.2.25", "2001:db8::25"]), ("3.0.0.127.in-addr.arpa", "PTR", ["ns.example.test."]),
                ("pop.example.test", "A", ["www.example.test.", "mail.example.test.", "192.0.2.25"]), ("any.thing.wild.example.test", "A", ["192.0.2.99"]),
                (".", "NS", ["a.root-servers.test."]), ("odd\\.dot.example.test", "TXT", ['"quoted \\"text\\"; no comment" "second"'])):
            with self.subTest(name=name, kind=kind):
                self.assertEqual(self.short(name, kind), (DONE, data))
        self.assertEqual(self.short("127.0.0.3"), (DONE, ["ns.example.test."]))
        self.assertEqual(self.short("MAIL.Example.TEST"), (DONE, ["192.0.2.25"]))

    def test_as_dig_says_it(self):
        """the type before the name, and the server's port behind #"""
        for words in (("MX", "example.test", self.at), ("example.test", "MX", f"@127.0.0.1#{self.port}"), ("mx", "example.test", f"@127.0.0.1#{self.port}")):
            with self.subTest(words=words):
                status, out, errors = run(*words, "--short")
                self.assertEqual((status, out.splitlines(), errors), (DONE, ["10 mail.example.test.", "20 backup.example.test."], ""))
        for port in ("", "0", "65536", "x"):
            self.assertEqual(run("example.test", f"@127.0.0.1#{port}")[0], NO_ANSWER)

    def test_dig_options(self):
        server, port = "@127.0.0.1", str(self.port)
        for words, data in (
                (["+short", "example.test", "MX", self.at], ["10 mail.example.test.", "20 backup.example.test."]),
                (["-t", "mx", "example.test", server, "-p", port, "+short", "+tcp"], ["10 mail.example.test.", "20 backup.example.test."]),
                ([server, "-p", port, "-x", "127.0.0.3", "+short", "+norec", "+noedns"], ["ns.example.test."]),
                (["-p", port, "mail.example.test", server, "+time=1", "+tries=1", "+short"], ["192.0.2.25"])):
            with self.subTest(words=words):
                status, out, errors = run(*words)
                self.assertEqual((status, out.splitlines(), errors), (DONE, data, ""))
        for words, said in ((["+nothing", "x"], "+short"), (["+time", "x"], "+time=SECONDS"), (["+short=1", "x"], "what is +short=1"), (["-x", "mail.example.test"], "-x takes"),
                            (["-p", "53", "x"], "@SERVER"), ([self.at, "-p", "0", "x"], "not 0"), ([self.at, "-p", "65536", "x"], "not 65536")):
            with self.subTest(words=words):
                status, out, errors = run(*words)
                self.assertEqual((status, out), (USAGE, ""))
                self.assertIn(said, errors)

    def test_statuses(self):
        self.assertEqual(self.short("nothing.example.test"), (REFUSED, []))
        self.assertEqual(self.short("mail.example.test", "MX"), (DONE, []))  # the name is there
        self.assertEqual(self.short("example.test", "AXFR"), (REFUSED, []))
        for words in (["a..b"], ["example.test", "NOTYPE"], ["example.test", "A", "B"], ["a" * 64], ["--short", "--json", "x"], ["--trace"], ["--tries", "11", "x"],
                      ["--no-such", "x"], ["--config", "x"]):
            with self.subTest(words=words):
                status, out, errors = run(*words, self.at)
                self.assertEqual((status, out), (USAGE, ""))
                self.assertIn("glasspost", errors)
        status, out, errors = run("example.test", f"@127.0.0.1:{free_port()}")
        self.assertEqual((status, out), (NO_ANSWER, ""))
        self.assertIn("nobody listens there", errors)

    def test_words(self):
        status, out, _ = run("example.test", "MX", self.at)
        self.assertEqual(status, DONE)
        for words in ("NOERROR: the question was answered.", "the server is the authority for the name", "answer section",
                      "mail for example.test goes to mail.example.test, preference 10", "mail.example.test. 3600 IN A 192.0.2.25"):
            self.assertIn(words, out)
        out = subprocess.run([GLASSPOST, "dns", "example.test", "MX", self.at, "--lang", "zh"], capture_output=True, text=True).stdout
        for words in ("NOERROR：查询得到应答。", "回答部分", "example.test 的邮件送往 mail.example.test"):
            self.assertIn(words, out)

    def test_json(self):
        status, out, _ = run("example.test", "MX", self.at, "--json")
        self.assertEqual(status, DONE)
        told = json.loads(out)
        self.assertEqual(told["server"], {"address": "127.0.0.1", "port": self.port})
        self.assertEqual((told["transport"], told["events"], told["failure"], told["findings"]), ("udp", [], None, []))
        exchange = told["exchange"]
        self.assertEqual((exchange["request"]["verb"], exchange["request"]["argument"]), ("QUERY", "example.test MX"))
        self.assertEqual(exchange["reply"]["status"], "NOERROR")
        self.assertEqual(exchange["reply"]["dns"]["counts"], [1, 2, 0, 4])
        self.assertEqual(exchange["reply"]["dns"]["id"], exchange["request"]["dns"]["id"])
        self.assertIn("example.test. 3600 IN MX 10 mail.example.test.", exchange["reply"]["dns"]["records"])
        self.assertGreater(exchange["elapsed_ms"], 0)

    def test_every_octet_has_its_field(self):
        status, out, _ = run("example.test", "MX", self.at, "--message")
        self.assertEqual(status, DONE)
        for words in ("identification (dns.id): 0x", "flags (dns.flags): 0x0100", "response (dns.flags.response): 1 (an answer)", "questions (dns.count.queries): 1",
                      "answer records (dns.count.answers): 2", "authority records (dns.count.auth_rr): 0", "additional records (dns.count.add_rr): 4",
                      "compression pointer to octet (dns.name.pointer): 12", "type (dns.qry.type): MX (15)", "class (dns.qry.class): IN (1)",
                      "preference (dns.mx.preference): 10", "label (dns.name.label): example"):
            self.assertIn(words, out)
        for part, length in zip(out.split("\n\n"), re.findall(r"\(dns, (\d+) octets\)", out)):
            seen = set()
            for line in part.splitlines():
                row = re.match(r"    ([0-9a-f]{4})  ((?:[0-9a-f]{2} ?)+)(.*)", line)
                if row and "…" not in line:
                    at = int(row[1], 16)
                    seen.update(range(at, at + len(row[2].split())))
            self.assertEqual(seen, set(range(int(length))))

    def test_tcp(self):
        status, out, _ = run("long.example.test", "TXT", self.at, "--no-edns")
        self.assertEqual(status, DONE)
        self.assertIn("truncated: asked again over TCP", out)
        self.assertEqual(out.count("IN TXT"), 5)
        self.assertIn("TCP", out)
        _, told, _ = run("long.example.test", "TXT", self.at, "--no-edns", "--json")
        told = json.loads(told)
        self.assertEqual((told["transport"], told["events"][0]["event"], len(told["exchange"]["reply"]["dns"]["records"])), ("tcp", "truncated", 5))
        _, told, _ = run("long.example.test", "TXT", self.at, "--no-edns", "--no-tcp", "--json")
        self.assertEqual((json.loads(told)["transport"], json.loads(told)["exchange"]["reply"]["dns"]["records"]), ("udp", []))
        _, told, _ = run("example.test", "MX", self.at, "--tcp", "--json")
        self.assertEqual(json.loads(told)["transport"], "tcp")

    def test_tcp_connections_are_served_in_pieces_and_bounded(self):
        query = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\4mail\7example\4test\0\0\1\0\1"
        framed = struct.pack("!H", len(query)) + query
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            for octet in framed:
                s.sendall(bytes([octet]))
            self.assertGreater(len(s.recv(1000)), len(query))
            s.sendall(framed * 3)  # pipelined
            got = b""
            while len(got) < 3 * (len(framed) + 16):
                got += s.recv(1000)
            s.settimeout(5)
            s.sendall(framed * 2000)
            s.shutdown(socket.SHUT_WR)
            got = b""
            while piece := s.recv(65536):
                got += piece
            self.assertEqual(len(got) // (len(framed) + 16), 1000 - 4)

    def test_server_survives_rubbish(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for octets in (b"", b"x", b"\0" * 12, b"\xff" * 600, os.urandom(100), b"\1\2\1\0\0\1\0\0\0\0\0\0\xc0\x0c\0\1\0\1"):
                s.sendto(octets, ("127.0.0.1", self.port))
        with socket.create_connection(("127.0.0.1", self.port), 10) as s:
            s.sendall(b"\xff\xff" + b"x" * 100)
        self.assertEqual(self.short("mail.example.test"), (DONE, ["192.0.2.25"]))

    def test_shell_on_a_pipe(self):
        lines = "mail.example.test\nset type=mx\nexample.test\nset type=SOA\nexample.test\nset type=nonsense\nset nothing\nnope.example.test\n127.0.0.3\nset all\nls x\nexit\nnever\n"
        status, out, errors = run(self.at, data=lines)
        self.assertEqual((status, errors), (DONE, ""))  # of the last question
        self.assertNotIn("> ", out)
        for words in (f"Server:\t\t127.0.0.1\nAddress:\t127.0.0.1#{self.port}\n\nName:\tmail.example.test\nAddress: 192.0.2.25\nName:\tmail.example.test\nAddress: 2001:db8::25\n",
                      "example.test\tmail exchanger = 10 mail.example.test.", "origin = ns.example.test.", "unknown query type: nonsense", "*** Invalid option: nothing",
                      "** server can't find nope.example.test: NXDOMAIN", "querytype = SOA", "*** ls is not done here"):
            self.assertIn(words, out)
        self.assertNotIn("Non-authoritative", out)
        self.assertNotIn("never", out)

    def test_shell_on_a_terminal(self):
        master, slave = pty.openpty()
        process = subprocess.Popen([GLASSPOST, "dns", self.at], stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        told = b""
        for typed, awaited in ((b"", b"> "), (b"set type=mx\n", b"> "), (b"example.test\n", b"20 backup.example.test."), (b"exit\n", None)):
            os.write(master, typed)
            until, before = time.monotonic() + 20, len(told)
            while awaited and awaited not in told[before:] and time.monotonic() < until:
                told += os.read(master, 4096)
            self.assertTrue(awaited is None or awaited in told[before:], told)
        self.assertEqual(process.wait(20), DONE)
        os.close(master)
        self.assertIn(b"Default server: 127.0.0.1", told)

    def test_dig_and_kdig_read_the_same(self):
        for tool in ("dig", "kdig"):
            try:
                tree = packages.ensure([tool])[tool]
            except packages.Unavailable as reason:
                self.skipTest(str(reason))
            library = next(tree.glob("usr/lib/*-linux-gnu"))
            for name, kind in (("example.test", "MX"), ("example.test", "SOA"), ("mail.example.test", "AAAA"), ("pop.example.test", "A"), ("nope.example.test", "A"),
                               ("long.example.test", "TXT"), ("x.y.wild.example.test", "A"), ("3.0.0.127.in-addr.arpa", "PTR"), ("_submission._tcp.example.test", "SRV"),
                               ("_25._tcp.mail.example.test", "TLSA"), ("example.test", "CAA"), ("example.test", "NS"), ("mail.example.test", "TXT"), ("elsewhere.test", "A")):
                for options in ([], ["+noedns"], ["+tcp"]):
                    with self.subTest(tool=tool, name=name, kind=kind, options=options):
                        done = subprocess.run([tree / "usr/bin" / tool, "@127.0.0.1", "-p", str(self.port), name, kind, "+noall", "+answer", "+authority", "+comments" if tool == "dig" else "+header", *options],
                                              env=dict(os.environ, LD_LIBRARY_PATH=str(library)), capture_output=True, text=True, timeout=60)
                        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                        self.assertNotIn("WARNING", done.stdout.replace("WARNING: recursion requested but not available", ""))
                        status = re.search(r"status: (\w+)", done.stdout)[1]
                        theirs = [" ".join(line.split()) for line in done.stdout.splitlines() if line and not line.startswith(";")]
                        reply = json.loads(run(name, kind, self.at, "--json", *(["--tcp"] if "+tcp" in options else []))[1])["exchange"]["reply"]
                        ours = [r for r in reply["dns"]["records"] if not r.startswith(";")][:len(theirs)]
                        self.assertEqual(status, reply["status"])
                        blank = re.compile(r"(?<=[0-9A-F]{20}) (?=[0-9A-F]+$)")  # both cut long digests into pieces
                        self.assertEqual([blank.sub("", t) if kind == "TLSA" else t for t in theirs], ours)


class Hostile(unittest.TestCase):
    def ask(self, answers, *words, stream=None):
        with Liar(answers, stream) as liar:
            status, out, errors = run("a.test", f"@127.0.0.1:{liar.port}", "--timeout", "0.3", *words)
            return status, out, errors, liar.count

    def test_silence_then_answer(self):
        status, out, errors, count = self.ask(lambda p, n: [answer(p)] if n == 2 else [], "--json")
        self.assertEqual((status, errors, count), (DONE, "", 3))
        self.assertEqual([e["event"] for e in json.loads(out)["events"]], ["timed-out", "timed-out"])

    def test_silence(self):
        status, out, errors, count = self.ask(lambda p, n: [], "--tries", "2")
        self.assertEqual((status, count), (NO_ANSWER, 2))
        self.assertIn("no answer came", errors)

    def test_what_is_no_answer_is_passed_over(self):
        def lies(p, n):
            wrong = bytes([p[0] ^ 1, p[1]])
            return [b"", b"rubbish", p, answer(p, identification=wrong), answer(p, question=b"\1b\4test\0\0\1\0\1"), answer(p)]
        status, out, errors, _ = self.ask(lies, "--json")
        self.assertEqual((status, errors), (DONE, ""))
        told = json.loads(out)
        self.assertEqual([e["event"] for e in told["events"]], ["no-answer", "no-answer", "no-answer", "wrong-id", "wrong-question"])
        self.assertEqual(told["exchange"]["reply"]["text"], ["a.test. 60 IN A 192.0.2.1"])

    def test_broken_answers(self):
        for name, records in (("pointer loop", b"\xc0\x18\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"), ("cut", b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0"), ("nothing", b""),
                              ("length", b"\xc0\x0c\0\1\0\1\0\0\0\x3c\xff\xff\xc0\0\2\1"), ("address", b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\3\xc0\0\2")):
            with self.subTest(name=name):
                status, out, errors, count = self.ask(lambda p, n, r=records: [answer(p, r)])
                self.assertEqual((status, count), (NO_ANSWER, 1))
                self.assertIn("the answer is broken", errors)

    def test_flood(self):
        status, _, _, count = self.ask(lambda p, n: [b"x"] * 200, "--tries", "1")
        self.assertEqual((status, count), (NO_ANSWER, 1))

    def test_without_edns(self):
        def old(p, n):
            return [answer(p)] if p[10:12] == b"\0\0" else [p[:2] + b"\x81\x81" + bytes(8)]
        status, out, errors, count = self.ask(old, "--json")
        self.assertEqual((status, errors, count), (DONE, "", 2))
        self.assertEqual([e["event"] for e in json.loads(out)["events"]], ["without-edns"])

    def test_refusals(self):
        for rcode, name in ((2, "SERVFAIL"), (5, "REFUSED"), (3, "NXDOMAIN")):
            status, out, errors, _ = self.ask(lambda p, n, r=rcode: [answer(p, b"", 0, 0x8180 | r)])
            self.assertEqual((status, errors), (REFUSED, ""))
            self.assertIn(name, out)

    def test_tcp_after_truncation(self):
        def cut(p, n):
            return [answer(p, b"", 0, 0x8380)]

        def whole(p):
            m = answer(p)
            return [bytes([b]) for b in struct.pack("!H", len(m)) + m]
        status, out, _, _ = self.ask(cut, "--short", stream=whole)
        self.assertEqual((status, out), (DONE, "192.0.2.1\n"))
        for stream in (lambda p: [], lambda p: [b"\0"], lambda p: [b"\0\x40" + answer(p)]):
            status, _, errors, _ = self.ask(cut, stream=stream)
            self.assertEqual(status, NO_ANSWER)
            self.assertIn("TCP", errors)

    def test_control_octets_do_not_reach_the_terminal(self):
        text = b"\xc0\x0c\0\x10\0\1\0\0\0\x3c\0\6\5\x1b[2J\x07"
        status, out, _, _ = self.ask(lambda p, n: [answer(p, text)], "TXT")
        self.assertEqual(status, DONE)
        self.assertNotIn("\x1b", out)
        self.assertIn("\\027[2J\\007", out)

    def test_non_authoritative(self):
        with Liar(lambda p, n: [answer(p)]) as liar:
            _, out, _ = run(f"@127.0.0.1:{liar.port}", data="set type=a\na.test\n")
        self.assertIn("Non-authoritative answer:\nName:\ta.test\nAddress: 192.0.2.1\n", out)


class Trace(unittest.TestCase):
    def test_from_the_root(self):
        port = free_port()
        with Serving("--each", "--listen", f"127.0.0.1:{port}"):
            at = f"@127.0.0.1:{port}"
            status, out, errors = run("pop.example.test", at, "--trace")
            self.assertEqual((status, errors), (DONE, ""))
            steps = re.findall(r"^(\d)  (\S+)  .*?(127\.0\.0\.\d):", out, re.M)
            self.assertEqual(steps, [("1", ".", "127.0.0.1"), ("2", "test.", "127.0.0.2"), ("3", "example.test.", "127.0.0.3")])
            self.assertIn("mail.example.test. 3600 IN A 192.0.2.25", out)
            self.assertEqual(run("pop.example.test", at, "--trace", "--short")[1].splitlines()[-1], "192.0.2.25")
            # a name server whose address must be looked up first
            status, out, _ = run("host.other.test", at, "--trace")
            self.assertEqual(status, DONE)
            self.assertIn("in search of a name server's address", out)
            self.assertIn("192.0.2.77", out)
            status, out, _ = run("nope.example.test", at, "--trace")
            self.assertEqual(status, REFUSED)
            self.assertIn("NXDOMAIN", out)
            status, out, _ = run("mail.example.test", "MX", at, "--trace")
            self.assertEqual(status, DONE)
            self.assertIn("no such records", out)
            _, out, _ = run("127.0.0.3", at, "--trace", "--json")
            told = [json.loads(line) for line in out.splitlines()]
            self.assertEqual([t["server"]["address"] for t in told], ["127.0.0.1", "127.0.0.2"])

    def test_servers_that_lead_nowhere(self):
        def circle(p, n):  # refers to itself for ever
            return [p[:2] + struct.pack("!HHHHH", 0x8000, 1, 0, 1, 0) + query_of(p)[1] + b"\0\0\2\0\1\0\0\0\x3c\0\3\1a\0"]
        with Liar(circle) as liar:
            status, _, errors = run("a.test", f"@127.0.0.1:{liar.port}", "--trace", "--timeout", "0.3")
            self.assertEqual(status, NO_ANSWER)
            self.assertIn("No server led on", errors)
            self.assertLess(liar.count, 10)


class Zones(unittest.TestCase):
    def test_mistakes(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "bad.zone")
            path.write_text("$ORIGIN a.test.\n$TTL 1h\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.256\nmail MX ten ns\n$INCLUDE x\n")
            status, out, errors = run("serve", path)
            self.assertEqual((status, out), (REFUSED, ""))
            lines = errors.splitlines()
            self.assertEqual([re.search(r":(\d+:\d+): ", line)[1] for line in lines], ["5:6", "6:9", "7:1"])
            self.assertTrue(all("(" in line for line in lines), errors)
            self.assertEqual(run("serve", pathlib.Path(folder, "none"))[0], REFUSED)
            self.assertEqual(run("serve", folder)[0], REFUSED)
        self.assertEqual(run("serve")[0], USAGE)
        self.assertEqual(run("serve", ZONES / "root.zone", "--listen", "nowhere")[0], USAGE)
        self.assertEqual(run("serve", "--check", *sorted(ZONES.glob("*.zone"))), (DONE, "", ""))

    def test_port_in_use(self):
        with Serving("--listen", "127.0.0.1:0", zones=[ZONES / "root.zone"]) as serving:
            status, _, errors = run("serve", ZONES / "root.zone", "--listen", f"127.0.0.1:{serving.ports[0]}")
            self.assertEqual(status, NO_ANSWER)
            self.assertIn("another program listens there", errors)

    def test_show(self):
        with Serving("--show", "--listen", "127.0.0.1:0") as serving:
            run("mail.example.test", f"@127.0.0.1:{serving.ports[0]}")
            self.assertRegex(serving.process.stdout.readline(), r"UDP  mail\.example\.test\. IN A  NOERROR")


class Peers(unittest.TestCase):
    def test_dnsmasq(self):
        try:
            tree = packages.ensure(["dnsmasq"])["dnsmasq"]
        except packages.Unavailable as reason:
            self.skipTest(str(reason))
        port = free_port()
        libraries = ":".join(str(p) for p in tree.glob("usr/lib/*-linux-gnu"))
        process = subprocess.Popen([tree / "usr/sbin/dnsmasq", "-k", "-C", "/dev/null", "--no-resolv", "--no-hosts", "--bind-interfaces", "--listen-address=127.0.0.1",
                                    f"--port={port}", "--user=root", "--pid-file=", "--local=/#/", "--host-record=mail.a.test,192.0.2.5,2001:db8::5", "--mx-host=a.test,mail.a.test,10",
                                    "--txt-record=a.test,v=spf1 mx -all", "--srv-host=_submission._tcp.a.test,mail.a.test,587,1,2", "--cname=www.a.test,mail.a.test"],
                                   env=dict(os.environ, LD_LIBRARY_PATH=libraries), stderr=subprocess.PIPE, text=True)
        try:
            at = f"@127.0.0.1:{port}"
            for _ in range(100):
                if run("mail.a.test", at, "--short", "--tries", "1")[0] == DONE:
                    break
                time.sleep(0.1)
            for name, kind, data in (("mail.a.test", "A", "192.0.2.5"), ("mail.a.test", "AAAA", "2001:db8::5"), ("a.test", "MX", "10 mail.a.test."), ("a.test", "TXT", '"v=spf1 mx -all"'),
                                     ("_submission._tcp.a.test", "SRV", "1 2 587 mail.a.test."), ("www.a.test", "A", "mail.a.test.\n192.0.2.5"), ("192.0.2.5", "PTR", "mail.a.test.")):
                for way in ([], ["--tcp"], ["--no-edns"]):
                    with self.subTest(name=name, kind=kind, way=way):
                        self.assertEqual(run(name, kind, at, "--short", *way), (DONE, data + "\n", ""))
            self.assertEqual(run("nothing.a.test", at, "--short")[0], REFUSED)
        finally:
            process.terminate()
            process.wait(20)
            process.stderr.close()


class Machine(unittest.TestCase):
    def test_config(self):
        status, out, _ = run("--config")
        self.assertEqual(status, DONE)
        for words in ("Host name", socket.gethostname(), "DNS servers", "lo\n", "127.0.0.1/8"):
            self.assertIn(words, out)
        told = json.loads(run("--config", "--json")[1])
        addresses = {(i["name"], a["address"], a["prefix"]) for i in told["interfaces"] for a in i["addresses"]}
        self.assertIn(("lo", "127.0.0.1", 8), addresses)
        if shutil.which("ip"):
            theirs = {(i["ifname"], a["local"], a["prefixlen"]) for i in json.loads(subprocess.run(["ip", "-j", "addr"], capture_output=True).stdout) for a in i["addr_info"]}
            self.assertEqual(addresses, theirs)


if __name__ == "__main__":
    GLASSPOST = sys.argv.pop(1)
    unittest.main()
