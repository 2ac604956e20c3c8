#!/usr/bin/env python3
"""Packets made by hand and sent: what a server answers to them, what is told and kept of it.

  craft_send_test.py GLASSPOST

The network is a namespace of its own, made by unshare; without root, or where tshark or tcpdump is missing, it is skipped.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import craft_test
from craft_test import CANNOT, DONE, LOGIN, REFUSED, run, tshark

INSIDE = "GLASSPOST_CRAFT_NAMESPACE"
SANITIZED = "GLASSPOST_CRAFT_TEST_SANITIZED"
USER, PASSWORD = "ada@localhost.test", "enigma-17"


class Sending(unittest.TestCase):
    """In a namespace with a loopback interface of its own."""

    @classmethod
    def setUpClass(cls):
        from serving import Server
        cls.server = Server(craft_test.GLASSPOST, "server.classroom = true\n", users=[(USER, PASSWORD)])
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
            for attempt in range(100):  # until both sides are seen to close
                if attempt % 10 == 9:  # a busy machine may not have woken the listener for the last packets: another one does
                    socket.create_connection(("127.0.0.1", self.pop3)).close()
                ends = subprocess.run(["tshark", "-r", str(live), "-Y", "tcp.flags.fin==1"], capture_output=True, text=True).stdout
                if len(ends.splitlines()) >= 2:
                    break
                time.sleep(0.1)
        finally:
            listener.terminate()
            listener.wait(20)
            counts = listener.stderr.read()  # "0 packets dropped by kernel"
            listener.stderr.close()
        self.assertIn(USER, told)
        self.assertNotIn(PASSWORD, told)
        for capture in (live, kept):
            told = run("analyze", capture, "--conversation", "1", "--show-secrets")
            for part in (f"USER {USER}", f"PASS {PASSWORD}", "STAT", "QUIT"):
                self.assertIn(part, told, f"{capture}: {counts}")
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
        child = subprocess.Popen([craft_test.GLASSPOST, *map(str, words)], stdout=subprocess.DEVNULL)
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
        if SANITIZED not in os.environ:
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
        if SANITIZED not in os.environ:  # which keep what was freed
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
                    child = subprocess.Popen([craft_test.GLASSPOST, "craft", "--template", "pop3" if scheme == "tcp" else "udp", "--text", "NOOP", "--count", "2",
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

    def test_datagrams_that_answer_something_else(self):
        """as many as are passed over, and one more"""
        for others, status in ((99, DONE), (100, REFUSED)):
            with self.subTest(others=others), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
                listener.bind(("127.0.0.1", 0))
                listener.settimeout(30)

                def serve():
                    query, client = listener.recvfrom(512)
                    for _ in range(others):
                        listener.sendto(b"\xff\xff" + self.dns_answer(query, (192, 0, 2, 1))[2:], client)
                    listener.sendto(self.dns_answer(query, (192, 0, 2, 2)), client)

                thread = threading.Thread(target=serve)
                thread.start()
                told = run("craft", "--template", "dns", "--text", "one.test", "--send", f"udp://127.0.0.1:{listener.getsockname()[1]}", expect=status)
                thread.join(20)
                self.assertEqual("192.0.2.2" in told, status == DONE)
                self.assertNotIn("192.0.2.1", told)

    def test_an_answer_in_drops(self):
        """ten times --wait, and no longer"""
        def serve(connection, stream):
            connection.sendall(b"220 here\r\n")
            stream.readline()
            try:
                while True:
                    connection.sendall(b"2")
                    time.sleep(0.1)
            except OSError:
                return True

        port, done = self.lead(serve)
        started = time.monotonic()
        told = run("craft", "--template", "smtp", "--send", f"tcp://127.0.0.1:{port}", "--wait", "300", expect=REFUSED)
        self.assertTrue(3 <= time.monotonic() - started < 3 + 8)  # and the close
        self.assertIn("0 of 1 were answered", told)
        self.assertTrue(done())

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
        program = shutil.copy(craft_test.GLASSPOST, self.folder / "glasspost")
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
        server = subprocess.Popen([craft_test.GLASSPOST, "dns", "serve", str(zone), "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        try:
            line = server.stdout.readline()
            port = re.search(r"127\.0\.0\.1:(\d+)", line + server.stdout.readline())[1]
            words = ("--template", "dns", "--set", "dns.qry.name=example.test", "--set", "dns.qry.type=MX")
            for scheme in ("udp", "tcp"):
                with self.subTest(scheme=scheme):
                    kept = self.folder / f"{scheme}.pcapng"
                    told = run("craft", *words, "--send", f"{scheme}://127.0.0.1:{port}", "--save", kept)
                    self.assertIn("mail.example.test", told)
                    self.assertRegex(told, rf"\({scheme.upper()}, \d+\.\d\d ms,")
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
        done = subprocess.run(["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script, "sh", sys.executable, __file__, craft_test.GLASSPOST], env=dict(os.environ, **{INSIDE: "1"}),
                              timeout=240)
        self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    if "--sanitized" in sys.argv:
        sys.argv.remove("--sanitized")
        os.environ[SANITIZED] = "1"
    craft_test.GLASSPOST = str(pathlib.Path(sys.argv[1]).resolve())
    inside = INSIDE in os.environ
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(Sending if inside else InNamespace)
    sys.exit(0 if unittest.TextTestRunner(verbosity=2 if inside else 1).run(suite).wasSuccessful() else 1)
