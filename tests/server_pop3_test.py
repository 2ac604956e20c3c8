#!/usr/bin/env python3
"""POP3 on the wire, as RFC 1939 and its extensions say it, against a server of its own.

  server_pop3_test.py GLASSPOST
"""
import base64
import hashlib
import hmac
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from serving import CRLF, Server  # noqa: E402

GLASSPOST = ""
USER, PASSWORD = "ada@localhost.test", "correct horse"
PLAIN = base64.b64encode(b"\0ada@localhost.test\0correct horse")


class Pop3(unittest.TestCase):
    SETTINGS = "server.classroom = true\nlimits.failed_logins_per_hour = 0\n"

    @classmethod
    def setUpClass(cls):
        cls.server = Server(GLASSPOST, cls.SETTINGS, [(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        if self.SETTINGS == Pop3.SETTINGS:
            self.server.fetch(USER, PASSWORD)  # an empty maildrop

    def deliver(self, *bodies):
        with self.server.smtp() as client:
            for body in bodies:
                client.send(b"MAIL FROM:<bob@example.org>\r\nRCPT TO:<ada@localhost.test>\r\nBDAT %d LAST\r\n" % len(body) + body)
                self.assertEqual([client.code() for _ in range(3)], [250, 250, 250])

    def connect(self, *login, kind="pop3"):
        client = self.server.pop3(*login, kind=kind)
        self.addCleanup(client.close)
        return client

    def logged_in(self):
        return self.connect(USER, PASSWORD)

    def expect(self, client, dialogue):
        for command, reply in dialogue:
            said = client.say(command)
            self.assertTrue(said.startswith(reply), (command, said))


class Authorization(Pop3):
    def test_greeting(self):
        client = self.server.connect("pop3")
        self.addCleanup(client.close)
        self.assertTrue(client.line().startswith(b"+OK"))
        self.expect(client, [("QUIT", b"+OK")])
        self.assertTrue(client.at_end())

    def test_capabilities(self):
        client = self.connect()
        before = client.many("CAPA").split(CRLF)
        for wanted in (b"TOP", b"UIDL", b"RESP-CODES", b"AUTH-RESP-CODE", b"PIPELINING", b"EXPIRE NEVER", b"USER", b"SASL SCRAM-SHA-256 PLAIN LOGIN", b"STLS",
                       b"UTF8 USER", b"LANG", b"IMPLEMENTATION Glasspost"):
            self.assertIn(sorted(wanted.split()), [sorted(line.split()) for line in before])
        after = self.logged_in().many("CAPA").split(CRLF)
        self.assertIn(b"UIDL", after)
        for gone in (b"STLS", b"USER"):
            self.assertNotIn(gone, after)

    def test_nothing_before_login(self):
        client = self.connect()
        self.expect(client, [(c, b"-ERR") for c in ("STAT", "LIST", "LIST 1", "UIDL", "RETR 1", "DELE 1", "RSET", "NOOP", "TOP 1 1")])

    def test_user_and_pass(self):
        client = self.connect()
        self.expect(client, [("PASS x", b"-ERR"), ("USER", b"-ERR"), ("USER nobody@localhost.test", b"+OK"), ("PASS x", b"-ERR [AUTH]"), ("PASS x", b"-ERR"),
                             ("USER " + USER, b"+OK"), ("CAPA", b"+OK")])
        while client.line() != b".":
            pass
        self.expect(client, [("PASS wrong", b"-ERR [AUTH]"), ("user ada", b"+OK"), ("XYZZY", b"-ERR"), ("PASS " + PASSWORD, b"-ERR"), ("uSER ada", b"+OK"), ("pass " + PASSWORD, b"+OK"),
                             ("USER ada", b"-ERR"), ("PASS x", b"-ERR"), ("AUTH PLAIN", b"-ERR"), ("STLS", b"-ERR"), ("UTF8", b"-ERR"), ("APOP a b", b"-ERR")])

    def test_wrong_passwords_end_it(self):
        client = self.connect()
        for last in (False, False, True):
            self.expect(client, [("USER ada", b"+OK"), ("PASS wrong", b"-ERR [AUTH]")])
            self.assertEqual(client.quiet(0.05) if not last else client.at_end(), True)
        answers = set()
        for user in ("ada", "nobody", "nobody@example.org", "' OR 1=1", "x" * 200, "阿达"):
            answers.add(self.connect_and_fail(user))
        self.assertEqual(len(answers), 1, answers)

    def connect_and_fail(self, user):
        client = self.connect()
        self.expect(client, [("USER " + user, b"+OK")])
        return client.say("PASS wrong")

    def test_auth(self):
        client = self.connect()
        self.expect(client, [("AUTH PLAIN " + PLAIN.decode(), b"+OK"), ("STAT", b"+OK"), ("QUIT", b"+OK")])
        client = self.connect()
        self.expect(client, [("AUTH PLAIN", b"+ "), (PLAIN, b"+OK")])
        client.say("QUIT")
        client = self.connect()
        self.expect(client, [("AUTH LOGIN", b"+ VXNlcm5hbWU6"), (base64.b64encode(b"ada"), b"+ UGFzc3dvcmQ6"), (base64.b64encode(PASSWORD.encode()), b"+OK")])
        client.say("QUIT")
        client = self.connect()
        self.assertEqual(sorted(client.many("AUTH").split()), [b"LOGIN", b"PLAIN", b"SCRAM-SHA-256"])
        self.expect(client, [("AUTH PLAIN", b"+ "), ("*", b"-ERR"), ("AUTH PLAIN", b"+ "), ("!!", b"-ERR"), ("AUTH NTLM", b"-ERR"), ("AUTH CRAM-MD5", b"-ERR"),
                             ("AUTH PLAIN", b"+ "), ("QUIT", b"-ERR"), ("AUTH PLAIN", b"+ "), ("A" * 13_000, b"-ERR"), ("CAPA", b"+OK")])

    def test_scram(self):
        client = self.connect()
        first = b"n=ada@localhost.test,r=fyko+d2lbbFgONRv9qkxdawL"
        challenge = base64.b64decode(client.say(b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,," + first))[2:])
        nonce, salt, iterations = re.fullmatch(rb"r=([^,]+),s=([^,]+),i=(\d+)", challenge).groups()
        salted = hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), base64.b64decode(salt), int(iterations))
        key = hmac.new(salted, b"Client Key", "sha256").digest()
        message = first + b"," + challenge + b",c=biws,r=" + nonce
        proof = bytes(a ^ b for a, b in zip(key, hmac.new(hashlib.sha256(key).digest(), message, "sha256").digest()))
        verifier = client.say(base64.b64encode(b"c=biws,r=" + nonce + b",p=" + base64.b64encode(proof)))
        signature = hmac.new(hmac.new(salted, b"Server Key", "sha256").digest(), message, "sha256").digest()
        self.assertEqual(verifier, b"+ " + base64.b64encode(b"v=" + base64.b64encode(signature)))
        self.expect(client, [("", b"+OK"), ("STAT", b"+OK")])

    def test_injection_before_tls(self):
        for injected in (b"USER ada\r\nPASS correct horse\r\nSTAT\r\n", b"CAPA\r\n", b"USER ad", b"x" * 20_000):
            client = self.connect()
            client.send(b"STLS\r\n" + injected)
            self.assertTrue(client.line().startswith(b"+OK"))
            self.assertTrue(client.quiet(0.05))
            try:
                client.tls()
            except OSError:
                self.assertGreater(len(injected), 1000)
                continue
            self.assertTrue(client.quiet(0.1))
            self.expect(client, [("PASS x", b"-ERR"), ("STLS", b"-ERR")])
            self.assertNotIn(b"STLS", client.many("CAPA"))
            self.expect(client, [("USER ada", b"+OK"), ("PASS " + PASSWORD, b"+OK"), ("QUIT", b"+OK")])
        client = self.connect()
        self.expect(client, [("USER ada", b"+OK"), ("STLS", b"+OK")])
        client.tls()
        self.expect(client, [("PASS " + PASSWORD, b"-ERR")])  # what was said in the clear is forgotten

    def test_lines(self):
        client = self.connect()
        self.expect(client, [("USER " + "x" * 248, b"+OK"), ("USER " + "x" * 249, b"-ERR"), ("CAPA now", b"-ERR"), ("STLS now", b"-ERR"), (b"NO\0OP", b"-ERR"), (b"CAPA\rX", b"-ERR"),
                             ("", b"-ERR"), ("USER " + "x" * 30_000, b"-ERR")])
        for length in (100, 1000, 20_000):
            client = self.connect()
            client.send(b"x" * length + b"\nLANG zh\r\nLANG en\r\n")
            self.assertTrue(client.line().startswith(b"-ERR"))
            self.assertTrue(client.line().startswith(b"+OK en"), length)
        client = self.connect()
        client.send(b"x" * 70_000)
        self.assertTrue(client.line().startswith(b"-ERR"))
        self.assertTrue(client.at_end())

    def test_mistakes_and_idle_talk_end(self):
        client = self.connect()
        client.send(b"XYZZY\r\n" * 100)
        self.assertEqual(client.rest().count(b"-ERR"), 20)
        client = self.connect()
        client.send(b"CAPA\r\n" * 100)
        self.assertLessEqual(client.rest().count(b"+OK"), 60)

    def test_languages(self):
        client = self.connect()
        self.assertIn("zh 中文".encode(), client.many("LANG"))
        self.expect(client, [("LANG zh", b"+OK zh "), ("XYZZY", "-ERR 不".encode()[:5]), ("LANG en-GB", b"+OK en"), ("LANG xx", b"-ERR"), ("LANG *", b"+OK"), ("UTF8", b"+OK"), ("STLS", b"-ERR")])


class Transaction(Pop3):
    def test_empty_maildrop(self):
        client = self.logged_in()
        self.expect(client, [("STAT", b"+OK 0 0"), ("RETR 1", b"-ERR"), ("LIST 1", b"-ERR"), ("NOOP", b"+OK"), ("RSET", b"+OK")])
        self.assertEqual((client.many("LIST"), client.many("UIDL")), (b"", b""))
        self.expect(client, [("QUIT", b"+OK")])

    def test_octets_are_exact(self):
        bodies = [b"Subject: a\r\n\r\n.\r\n..\r\n.x\r\n\r\n", b"Subject: b\r\n\r\n" + b"x" * 100_000 + b"\r\n", b"no header\r\n", b"\r\n\r\n", b"Subject: end\r\n\r\nno line end",
                  b"Subject: z\r\n\r\n" + b".\r\n" * 50_000]
        self.deliver(*bodies)
        client = self.logged_in()
        count, octets = map(int, client.say("STAT").split()[1:3])
        listed = [tuple(map(int, line.split())) for line in client.many("LIST").splitlines()]
        self.assertEqual((count, [n for n, _ in listed], sum(size for _, size in listed)), (len(bodies), list(range(1, count + 1)), octets))
        for (n, size), body in zip(listed, bodies):
            message = client.many(f"RETR {n}")
            self.assertEqual(len(message), size)
            self.assertTrue(message.endswith(body if body.endswith(CRLF) else body + CRLF))
            self.assertEqual(client.say(f"LIST {n}"), b"+OK %d %d" % (n, size))
            head, line, rest = message.partition(b"\r\n\r\n")
            self.assertEqual(client.many(f"TOP {n} 0"), head + line)
            self.assertEqual(client.many(f"TOP {n} 999999"), message)
            self.assertEqual(client.many(f"TOP {n} 2"), head + line + b"".join(rest.splitlines(True)[:2]))

    def test_arguments(self):
        self.deliver(b"Subject: a\r\n\r\n")
        client = self.logged_in()
        self.expect(client, [(c, b"-ERR") for c in ("RETR", "RETR 0", "RETR 2", "RETR -1", "RETR 1x", "RETR 1 1", "RETR 99999999999999999999", "RETR 4294967297", "TOP 1", "TOP 1 -1",
                                                    "TOP 1 x", "TOP 2 0", "LIST 0", "UIDL 2", "DELE", "DELE 2", "DELE +1")])
        client = self.connect()
        # The first session has the maildrop still.
        client.say("USER ada")
        self.assertTrue(client.say("PASS " + PASSWORD).startswith(b"-ERR [IN-USE]"))

    def test_deletions(self):
        self.deliver(*(b"Subject: %d\r\n\r\n" % i for i in range(5)))
        client = self.logged_in()
        ids = dict(line.split() for line in client.many("UIDL").splitlines())
        self.assertEqual(len(set(ids.values())), 5)
        self.assertTrue(all(re.fullmatch(rb"[\x21-\x7e]{1,70}", x) for x in ids.values()))
        size = int(client.say("LIST 2").split()[2])
        whole = int(client.say("STAT").split()[2])
        self.expect(client, [("DELE 2", b"+OK"), ("DELE 2", b"-ERR"), ("RETR 2", b"-ERR"), ("LIST 2", b"-ERR"), ("UIDL 2", b"-ERR"), ("TOP 2 0", b"-ERR"), ("STAT", b"+OK 4 %d" % (whole - size))])
        self.assertEqual([line.split()[0] for line in client.many("LIST").splitlines()], [b"1", b"3", b"4", b"5"])
        self.expect(client, [("RSET", b"+OK"), ("STAT", b"+OK 5 %d" % whole), ("DELE 1", b"+OK"), ("DELE 5", b"+OK"), ("QUIT", b"+OK")])
        client = self.logged_in()
        left = dict(line.split() for line in client.many("UIDL").splitlines())
        self.assertEqual(left, {b"1": ids[b"2"], b"2": ids[b"3"], b"3": ids[b"4"]})
        client.say("QUIT")
        # Ids are never used again.
        self.deliver(b"Subject: new\r\n\r\n")
        client = self.logged_in()
        self.assertNotIn(client.say("UIDL 4").split()[2], ids.values())

    def test_nothing_is_deleted_without_quit(self):
        self.deliver(b"Subject: stays\r\n\r\n")
        for end in ("close", "reset", "half"):
            client = self.logged_in()
            self.expect(client, [("DELE 1", b"+OK")])
            if end == "half":
                client.socket.shutdown(1)
                client.rest()
            client.reset() if end == "reset" else client.close()
            for _ in range(50):
                again = self.connect()
                again.say("USER ada")
                if again.say("PASS " + PASSWORD).startswith(b"+OK"):
                    break
                time.sleep(0.05)
            self.expect(again, [("STAT", b"+OK 1 "), ("QUIT", b"+OK")])

    def test_numbers_are_frozen(self):
        self.deliver(b"Subject: old\r\n\r\n")
        client = self.logged_in()
        self.deliver(b"Subject: new\r\n\r\n")
        self.expect(client, [("STAT", b"+OK 1 "), ("RETR 2", b"-ERR"), ("NOOP", b"+OK"), ("QUIT", b"+OK")])
        self.expect(self.logged_in(), [("STAT", b"+OK 2 ")])

    def test_one_at_a_time(self):
        first = self.logged_in()
        second = self.connect()
        self.expect(second, [("USER ada", b"+OK"), ("PASS " + PASSWORD, b"-ERR [IN-USE]"), ("USER ada", b"+OK"), ("PASS " + PASSWORD, b"-ERR [IN-USE]")])
        self.expect(first, [("QUIT", b"+OK")])
        self.expect(second, [("USER ada", b"+OK"), ("PASS " + PASSWORD, b"+OK")])

    def test_pipelined(self):
        self.deliver(*(b"Subject: %d\r\n\r\n.\r\n" % i for i in range(20)))
        client = self.connect()
        client.send(b"CAPA\r\nUSER ada\r\nPASS correct horse\r\nSTAT\r\n" + b"".join(b"RETR %d\r\nDELE %d\r\n" % (i, i) for i in range(1, 21)) + b"RSET\r\nLIST\r\nQUIT\r\nSTAT\r\n")
        client.many()
        self.assertEqual([client.line()[:3] for _ in range(3)], [b"+OK"] * 3)
        for i in range(20):
            self.assertTrue(client.many().endswith(b"Subject: %d\r\n\r\n.\r\n" % i))
            self.assertTrue(client.line().startswith(b"+OK"))
        self.assertTrue(client.line().startswith(b"+OK"))
        self.assertEqual(len(client.many().splitlines()), 20)
        self.assertTrue(client.line().startswith(b"+OK"))
        self.assertTrue(client.at_end())

    def test_octet_by_octet(self):
        client = self.connect()
        for octet in b"USER ada\r\nPASS correct horse\r\nSTAT\r\nQUIT\r\n":
            client.send(bytes([octet]))
        self.assertEqual([client.line()[:3] for _ in range(4)], [b"+OK"] * 4)

    def test_utf8_messages(self):
        with self.server.smtp() as client:
            for command in ("MAIL FROM:<鲍勃@例子.test> SMTPUTF8", "RCPT TO:<ada@localhost.test>", "DATA"):
                self.assertIn(client.ask(command.encode())[0], (250, 354))
            self.assertEqual(client.ask("Subject: 你好\r\nFrom: 鲍勃 <鲍勃@例子.test>\r\n\r\n.".encode())[0], 250)
        client = self.connect()
        self.expect(client, [("USER ada", b"+OK"), ("PASS " + PASSWORD, b"+OK"), ("RETR 1", b"-ERR [UTF8]"), ("TOP 1 0", b"-ERR [UTF8]"), ("QUIT", b"+OK")])
        client = self.connect()
        self.expect(client, [("UTF8", b"+OK"), ("USER ada", b"+OK"), ("PASS " + PASSWORD, b"+OK")])
        self.assertIn("Subject: 你好".encode(), client.many("RETR 1"))


class Secure(Pop3):
    SETTINGS = "limits.failed_logins_per_hour = 0\n"

    def test_no_plaintext_without_tls(self):
        client = self.connect()
        capabilities = client.many("CAPA").splitlines()
        self.assertIn(b"SASL SCRAM-SHA-256", capabilities)
        self.assertNotIn(b"USER", capabilities)
        self.expect(client, [("USER ada", b"-ERR"), ("PASS " + PASSWORD, b"-ERR"), ("AUTH PLAIN " + PLAIN.decode(), b"-ERR"), ("AUTH LOGIN", b"-ERR"), ("AUTH PLAIN", b"-ERR"), ("APOP ada 0", b"-ERR")])
        client = self.connect(USER, PASSWORD, kind="pop3s")
        self.expect(client, [("STAT", b"+OK 0 0"), ("QUIT", b"+OK")])


class Apop(Pop3):
    SETTINGS = "server.classroom = true\nauth.apop = true\n"

    def test_apop(self):
        """for those alone whose password is kept as it is"""
        client = self.server.connect("pop3")
        self.addCleanup(client.close)
        greeting = client.line()
        challenge = re.search(rb"<[^<>]+@mail\.localhost\.test>$", greeting)
        if challenge is None:
            self.skipTest("no account can use it")
        for secret, reply in ((b"wrong", b"-ERR [AUTH]"), (PASSWORD.encode(), b"+OK")):
            digest = hashlib.md5(challenge[0] + secret).hexdigest()
            self.expect(client, [(f"APOP {USER} {digest}", reply)])


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
