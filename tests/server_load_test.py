#!/usr/bin/env python3
"""A server under load and malice: whatever some clients do, the others are served, its memory is bounded, and it ends in order.

  server_load_test.py GLASSPOST [--sanitized]
"""
import base64
import contextlib
import os
import random
import re
import resource
import socket
import statistics
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from serving import CRLF, Server  # noqa: E402

GLASSPOST = ""
SANITIZED = False
KIB, MIB = 1 << 10, 1 << 20
USER, PASSWORD = "ada@localhost.test", "correct horse"
ALL_PORTS = ("smtp", "submission", "submissions", "pop3", "pop3s", "http")
PATIENCE = 10  # seconds, for one answer on a machine that has other things to do
CLASSROOM = "server.classroom = true\nlimits.errors = 1000\n"


class Others:
    """While it is open, clients who mean well: how long each took"""

    def __init__(self, server):
        self.server, self.times, self.failures, self.over = server, [], [], False
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.over:
            try:
                began = time.monotonic()
                with self.server.smtp() as client:
                    assert client.ask(b"MAIL FROM:<bob@example.org>")[0] == 250
                    assert client.ask(b"RCPT TO:<postmaster@localhost.test>")[0] == 250
                    assert client.ask(b"DATA")[0] == 354
                    assert client.ask(b"Subject: well meant\r\n\r\nbody\r\n.")[0] == 250
                    assert client.ask(b"QUIT")[0] == 221
                self.times.append(time.monotonic() - began)
            except (OSError, AssertionError) as e:
                self.failures.append(repr(e))
            time.sleep(0.02)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over = True
        self.thread.join()

    def check(self, test, what):
        test.assertEqual(self.failures, [], what)
        test.assertGreater(len(self.times), 0 if SANITIZED else 3, what)
        test.assertLess(max(self.times), PATIENCE, what)
        tell(f"{what}: {len(self.times)} messages of others, median {statistics.median(self.times) * 1000:.0f} ms, longest {max(self.times) * 1000:.0f} ms")


def tell(text):
    print("   ", text, flush=True)


class Malice(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(GLASSPOST, CLASSROOM + 'limits.failed_logins_per_hour = 0\ntimeouts.command = "6 s"\n', [(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def bounded(self, before, more):
        """after some time for what is given back late"""
        most = more * (4 if SANITIZED else 1)
        for _ in range(50):
            now = self.server.resident()
            if now - before <= most:
                break
            time.sleep(0.1)
        self.assertLessEqual(now - before, most, f"{(now - before) / MIB:.1f} MiB more")

    def test_one_octet_at_a_time(self):
        """a command that never becomes whole ends in time, and is in nobody's way"""
        slow = [self.server.connect("smtp" if i % 2 else "pop3") for i in range(200)]
        of_smtp = slow[1::2]
        tls = [self.server.connect(kind) for kind in ("submissions", "pop3s") for _ in range(50)]
        record = b"\x16\x03\x01\x3f\xff\x01"
        began = time.monotonic()
        ended = 0
        with Others(self.server) as others:
            for turn in range(7):
                for client in slow[:]:
                    try:
                        client.send(b"EHLO x.test"[turn : turn + 1])
                    except OSError:
                        slow.remove(client)
                for client in tls:
                    client.send(record[turn : turn + 1])
                time.sleep(1)
        others.check(self, "slow clients")
        # Those of SMTP are told so once their time for a command is over.
        for client in of_smtp:
            ended += b"\r\n421 4.4.2 " in client.rest()
        self.assertEqual(ended, 100)
        self.assertLess(time.monotonic() - began, 30)
        for client in slow + of_smtp + tls:
            client.close()

    def test_clients_that_never_read(self):
        before = self.server.resident()
        clients = []
        # A maildrop with a message of 5 MB, fetched and not taken.
        with self.server.smtp() as client:
            client.send(b"MAIL FROM:<>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\n")
            self.assertEqual([client.code() for _ in range(3)], [250, 250, 354])
            client.send(b"Subject: long\r\n\r\n" + (b"." * 70 + CRLF) * 70_000 + b".\r\n")
            self.assertEqual(client.code(), 250)
        with Others(self.server) as others:
            reader = self.server.pop3(USER, PASSWORD)
            reader.send(b"RETR 1\r\n" * 500)
            clients.append(reader)
            for i in range(40):
                client = self.server.connect("smtp" if i % 2 else "submission")
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.socket.setblocking(False)
                client.left = b"EHLO x.test\r\n" + (b"MAIL FROM:<a@b.test>\r\n" + b"RCPT TO:<nobody@localhost.test>\r\n" * 10 + b"RSET\r\n") * 10_000
                clients.append(client)
            for _ in range(20):
                for client in clients[1:]:
                    try:
                        client.left = client.left[client.socket.send(client.left) :]
                    except OSError:
                        pass
                time.sleep(0.05)
            self.bounded(before, 64 * MIB)
        others.check(self, "clients that never read")
        for client in clients:
            client.reset()
        time.sleep(0.3)
        with self.server.pop3(USER, PASSWORD) as client:
            text = client.many("RETR 1")
            self.assertTrue(text.endswith(b"." * 69 + CRLF), text[-100:])
            client.say("DELE 1")
            client.say("QUIT")

    def test_floods_of_commands(self):
        """what is said without end ends, or costs no memory"""
        before = self.server.resident()
        with self.server.pop3(USER, PASSWORD) as client:
            with Others(self.server) as others:
                for _ in range(10 if SANITIZED else 100):
                    client.send(b"NOOP\r\nSTAT\r\n" * 1000)
                    for _ in range(2000):
                        self.assertTrue(client.line().startswith(b"+OK"))
            others.check(self, "a flood of POP3's commands")
            self.bounded(before, 48 * MIB)
            client.say("QUIT")
        with self.server.smtp() as client:
            client.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<postmaster@localhost.test>\r\n" * 1000)
            self.assertEqual([client.code() for _ in range(1001)], [250] * 1001)
            try:
                for _ in range(50):
                    client.send(b"RCPT TO:<postmaster@localhost.test>\r\n" * 1000)
                    for _ in range(1000):
                        self.assertIn(client.code(), (452, 421))
            except (OSError, AssertionError):
                pass  # it was closed
        self.bounded(before, 48 * MIB)

    def test_random_octets(self):
        before = self.server.resident()
        generator = random.Random(1)
        words = [b"EHLO x", b"MAIL FROM:<", b"RCPT TO:<", b"DATA", b"BDAT ", b"\r\n", b"\n", b"\r", b".", b"STARTTLS", b"AUTH PLAIN ", b"=", b"USER ", b"PASS ", b"RETR ",
                 b"\0", b"\xff", b"STLS", b"AUTH LOGIN", b"LANG ", b"UTF8", b"GET / HTTP/1.1", b"\x16\x03\x01", b"9" * 20, b"<>", b"x" * 3000, b"QUIT", b"AUTH SCRAM-SHA-256 biws"]
        until = time.monotonic() + 5
        with Others(self.server) as others:
            while time.monotonic() < until:
                for kind in ALL_PORTS:
                    client = self.server.connect(kind)
                    try:
                        if generator.random() < 0.3:
                            client.send(generator.randbytes(generator.randrange(1, 20_000)))
                        else:
                            client.send(b"".join(generator.choice(words) + (b"\r\n" if generator.random() < 0.5 else b"") for _ in range(generator.randrange(1, 200))))
                        if generator.random() < 0.5:
                            client.socket.shutdown(socket.SHUT_WR)
                            client.rest()
                    except OSError:
                        pass
                    client.reset() if generator.random() < 0.3 else client.close()
        others.check(self, "random octets")
        self.bounded(before, 64 * MIB)

    def test_churn(self):
        """connections that come and go: at once, after the greeting, with a reset"""
        before = self.server.resident()
        count = 0
        until = time.monotonic() + 4
        with Others(self.server) as others:
            while time.monotonic() < until:
                for i, kind in enumerate(ALL_PORTS):
                    client = self.server.connect(kind)
                    if count % 3 == 1 and kind in ("smtp", "pop3"):
                        client.line()
                    client.reset() if (count + i) % 2 else client.close()
                    count += 1
        others.check(self, f"{count} connections that come and go")
        self.bounded(before, 64 * MIB)

    def test_long_header_lines_and_counts(self):
        before = self.server.resident()
        with self.server.smtp() as client:
            for content, codes in ((b"X: y\r\n" * 40_000, (250,)), (b"X: y\r\n" * 50_000, (552,)), (b"Subject: s\r\n\r\n" + b"x" * 20_000_000 + CRLF, (250,)),
                                   (b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n\r\n" * 100_000, (250,)),
                                   (b"From: " + b"a@b.test, " * 20_000 + CRLF, (250,)), (b"X: =?utf-8?B?" + b"QQ" * 50_000 + b"?=\r\n", (250,))):
                client.send(b"MAIL FROM:<>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\n")
                self.assertEqual([client.code() for _ in range(3)], [250, 250, 354])
                client.send(content + b"\r\n.\r\n")
                self.assertIn(client.code(), codes, content[:50])
        with self.server.pop3(USER, PASSWORD) as client:
            count = int(client.say("STAT").split()[1])
            self.assertEqual(count, 5)
            for n in range(count):
                client.many(f"TOP {n + 1} 3")
                self.assertTrue(client.say(f"DELE {n + 1}").startswith(b"+OK"))
            self.assertTrue(client.say("QUIT").startswith(b"+OK"))
        self.bounded(before, 64 * MIB)


class Logins(unittest.TestCase):
    def test_failures_of_one_address(self):
        with Server(GLASSPOST, CLASSROOM + "limits.failed_logins_per_hour = 10\n", [(USER, PASSWORD)]) as server:
            def login(password, source):
                with server.smtp("submission", source) as client:
                    return client.ask(b"AUTH PLAIN " + base64.b64encode(b"\0ada@localhost.test\0" + password))[0]
            self.assertEqual([login(b"wrong", "127.0.0.9") for _ in range(10)], [535] * 10)
            self.assertIn(login(b"wrong", "127.0.0.9"), (421, 454))
            self.assertIn(login(PASSWORD.encode(), "127.0.0.9"), (421, 454))  # the right one neither
            self.assertEqual(login(PASSWORD.encode(), "127.0.0.8"), 235)

    def test_unknown_users_take_as_long(self):
        """so that nobody learns who there is"""
        with Server(GLASSPOST, CLASSROOM + 'limits.failed_logins_per_hour = 0\nlimits.failed_logins = 1000\n', [(USER, PASSWORD)]) as server:
            for how in ("plain", "scram", "pop3"):
                times = {b"ada": [], b"nobody": []}
                client = server.pop3() if how == "pop3" else server.smtp("submission")
                with contextlib.closing(client):
                    for i in range(10 if SANITIZED else 120):
                        for name, taken in times.items():
                            if how == "pop3":
                                if i % 10 == 9 and name == b"ada":  # there is a limit to what may be said before a login
                                    client.close()
                                    client = server.pop3()
                                client.say(b"USER " + name + b"@localhost.test")
                            began = time.perf_counter()
                            if how == "plain":
                                code = client.ask(b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"@localhost.test\0wrong%d" % i))[0]
                            elif how == "scram":
                                code, challenge = client.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=" + name + b"@localhost.test,r=abcdefgh"))
                                self.assertRegex(base64.b64decode(challenge), rb"^r=abcdefgh.+,s=[A-Za-z0-9+/=]+,i=4096$")
                                self.assertEqual(code, 334)
                                nonce = base64.b64decode(challenge).split(b",")[0]
                                code = client.ask(base64.b64encode(b"c=biws," + nonce + b",p=" + base64.b64encode(b"x" * 32)))[0]
                            else:
                                code = 535 if client.say(b"PASS wrong%d" % i).startswith(b"-ERR [AUTH]") else 0
                            taken.append(time.perf_counter() - began)
                            self.assertEqual(code, 535)
                known, unknown = (statistics.median(t) for t in (times[b"ada"], times[b"nobody"]))
                tell(f"{how}: known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms")
                if not SANITIZED:
                    # below the 1.2 ms that the checking of a SCRAM proof takes
                    self.assertLess(abs(known - unknown), max(0.35 * known, 0.0006), how)

    def test_made_up_salts_stay(self):
        """the same unknown user is shown the same salt each time, also after a restart, and each another"""
        with Server(GLASSPOST, CLASSROOM, [(USER, PASSWORD)]) as server:
            def salt(name):
                with server.smtp("submission") as client:
                    return re.search(rb",s=([^,]+),", base64.b64decode(client.ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=" + name + b",r=abcdefgh"))[1]))[1]
            before = salt(b"eve@localhost.test")
            self.assertEqual(salt(b"eve@localhost.test"), before)
            server.stop()
            server.start()
            self.assertEqual(salt(b"eve@localhost.test"), before)
            self.assertNotEqual(salt(b"eve@localhost.test"), salt(b"bob@localhost.test"))
            self.assertEqual(len(salt(b"eve@localhost.test")), len(salt(b"ada@localhost.test")))


class Idle(unittest.TestCase):
    def per_connection(self, server, count, begin, finish, what, limit):
        """octets of memory for each of many that have come so far as `begin` and `finish` lead and then wait"""
        def open_some(numbers):
            some = [begin(server, i) for i in numbers]  # together: one at a time each would wait for its turn on a busy machine
            for i, client in zip(numbers, some):
                finish(server, i, client)
            return some
        for client in open_some(range(100)):  # what is allocated once
            client.close()
        clients, batch = [], 250
        before, began = server.resident(), time.monotonic()
        try:
            for i in range(0, count, batch):
                clients += open_some(range(i, min(i + batch, count)))
            took = time.monotonic() - began
            each = (server.resident() - before) / count
            times = sorted(server.healthy() for _ in range(20))
            tell(f"{count} idle connections, {what}: {each / KIB:.1f} KiB each, opened in {took:.1f} s, another is served in {times[10] * 1000:.1f} ms, at most {times[-1] * 1000:.0f}")
            if not SANITIZED:
                self.assertLessEqual(each, limit, what)
            self.assertLess(times[-1], PATIENCE)
        finally:
            for client in clients:
                client.reset()

    @staticmethod
    def source(i):
        return f"127.0.{1 + i // 500 % 200}.{1 + i % 250}"

    def test_ten_thousand(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        many = 1000 if SANITIZED else 10_000
        if hard < many + 1000:
            self.skipTest(f"only {hard} descriptors")
        resource.setrlimit(resource.RLIMIT_NOFILE, (many + 1000, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        def plain(server, i):
            client = server.connect(("smtp", "pop3", "submission")[i % 3], self.source(i))
            client.send(b"CAPA\r\n" if i % 3 == 1 else b"EHLO x.test\r\n")
            return client

        def encrypted(server, i):
            return server.connect(("submissions", "pop3s")[i % 2], self.source(i))

        def greet(server, i, client):
            client.line()
            client.many() if client.port in (server.port["pop3"], server.port["pop3s"]) else client.reply()

        def greet_encrypted(server, i, client):
            client.tls()
            client.send(b"EHLO x.test\r\n" if i % 2 == 0 else b"CAPA\r\n")
            greet(server, i, client)
        # Each on a server of its own: what another's connections gave back would be taken first.
        for count, begin, finish, what, limit in ((many, plain, greet, "plain", 16 * KIB), (many // 20, encrypted, greet_encrypted, "TLS", 64 * KIB)):
            with Server(GLASSPOST, CLASSROOM, [(USER, PASSWORD)]) as server:
                self.per_connection(server, count, begin, finish, what, limit)

    def test_more_than_there_is_place_for(self):
        with Server(GLASSPOST, CLASSROOM + "limits.connections = 60\nlimits.connections_per_address = 20\n") as server:
            mine = [server.connect("smtp", "127.0.0.5") for _ in range(20)]
            for client in mine:
                self.assertEqual(client.code(), 220)
            refused = server.connect("smtp", "127.0.0.5")
            self.assertRegex(refused.rest(), rb"^421 [^\r]+\r\n$")
            refused = server.connect("pop3", "127.0.0.5")
            self.assertRegex(refused.rest(), rb"^-ERR \[SYS/TEMP\] [^\r]+\r\n$")
            self.assertLess(server.healthy(), PATIENCE)  # another address
            time.sleep(0.3)  # until its place is free again
            others = [server.connect("smtp", f"127.0.1.{i}") for i in range(1, 41)]
            for client in others:
                self.assertEqual(client.code(), 220)
            refused = server.connect("smtp", "127.0.2.1")
            self.assertRegex(refused.rest(), rb"^421 [^\r]+\r\n$")
            for client in mine + others:
                client.close()
            time.sleep(0.3)
            self.assertLess(server.healthy(), PATIENCE)

    def test_without_descriptors(self):
        """all of them taken: it waits, at no cost, and goes on when there are some again"""
        if SANITIZED:
            self.skipTest("the sanitizer needs descriptors to look at memory")
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with Server(GLASSPOST, CLASSROOM) as server:
            resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE, (100, hard))
            clients = [server.connect(("smtp", "http")[i % 2], "127.0.0.7") for i in range(150)]
            time.sleep(0.5)
            before = server.cpu()
            time.sleep(1)
            self.assertLess(server.cpu() - before, 0.5)
            for client in clients:
                client.close()
            self.assertLess(server.healthy(), PATIENCE)


class Signals(unittest.TestCase):
    def test_reload_under_load(self):
        with Server(GLASSPOST, CLASSROOM + 'limits.message = "1 MiB"\n') as server:
            with Others(server) as others, server.smtp() as old:
                self.assertEqual(old.ask(b"MAIL FROM:<>")[0], 250)
                for size in (2, 3, 4):
                    server.configure(CLASSROOM + f'limits.message = "{size} MiB"\n')
                    server.process.send_signal(1)
                    for _ in range(100):
                        with server.connect("smtp") as client:
                            client.code()
                            if b"SIZE %d" % (size * MIB) in client.ask(b"EHLO x.test")[1]:
                                break
                        time.sleep(0.05)
                    else:
                        self.fail("not reloaded")
                server.configure(CLASSROOM + 'limits.message = "no size"\n')  # a mistake changes nothing
                server.process.send_signal(1)
                time.sleep(0.3)
                self.assertEqual(old.ask(b"RCPT TO:<postmaster>")[0], 250)
                with server.smtp() as client:
                    self.assertIn(b"SIZE 4194304", client.ask(b"EHLO x.test")[1])
            others.check(self, "reloads")
            self.assertIn("no size", server.log())

    def test_end_under_load(self):
        """what runs is finished, what waits is told, nothing new is begun"""
        with Server(GLASSPOST, CLASSROOM, [(USER, PASSWORD)]) as server:
            running = server.smtp()
            self.assertEqual([running.ask(x)[0] for x in (b"MAIL FROM:<>", b"RCPT TO:<ada@localhost.test>", b"DATA")], [250, 250, 354])
            running.send(b"Subject: last\r\n\r\n")
            idle = [server.smtp() for _ in range(50)]
            logged_in = server.pop3(USER, PASSWORD)
            shaking = server.connect("submissions")
            shaking.send(b"\x16\x03\x01")
            server.process.send_signal(15)
            for client in idle:
                self.assertRegex(client.rest(), rb"^421 4\.3\.2 [^\r]*\r\n$")
            self.assertEqual(logged_in.rest(), b"")
            with self.assertRaises(OSError):
                server.connect("smtp")
            time.sleep(0.5)
            self.assertIsNone(server.process.poll())
            running.send(b"body\r\n.\r\n")
            self.assertEqual(running.code(), 250)
            self.assertEqual(running.code(), 421)
            running.rest()
            began = time.monotonic()
            self.assertEqual(server.process.wait(15), 0)
            self.assertLess(time.monotonic() - began, 8)
            for client in (*idle, shaking, running, logged_in):
                client.close()
            server.stop()
            server.start()
            self.assertIn(b"Subject: last\r\n\r\nbody\r\n", server.fetch(USER, PASSWORD)[0])

    def test_end_in_time(self):
        """a transaction that is never finished is waited for so long and no longer; what was not answered is not kept"""
        with Server(GLASSPOST, CLASSROOM + 'server.shutdown = "2 s"\n', [(USER, PASSWORD)]) as server:
            endless = server.smtp()
            self.assertEqual([endless.ask(x)[0] for x in (b"MAIL FROM:<>", b"RCPT TO:<ada@localhost.test>", b"DATA")], [250, 250, 354])
            deaf = server.connect("smtp")
            deaf.socket.setblocking(False)
            try:
                deaf.socket.send(b"EHLO x.test\r\n" + b"VRFY x\r\nMAIL FROM:<>\r\nRSET\r\n" * 50_000)
            except OSError:
                pass
            time.sleep(0.2)
            self.assertEqual(server.stop(within=12), 0)
            self.assertTrue(1.5 < server.took < 10, server.took)
            server.start()
            self.assertEqual(server.fetch(USER, PASSWORD), [])
            endless.close()
            deaf.close()


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    if "--sanitized" in sys.argv:
        sys.argv.remove("--sanitized")
        SANITIZED = True
    unittest.main()
