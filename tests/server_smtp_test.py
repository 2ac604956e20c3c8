#!/usr/bin/env python3
"""SMTP and submission on the wire, as RFC 5321 and its extensions say it, against a server of its own: what is easy to get wrong, and what an
attacker tries.

  server_smtp_test.py GLASSPOST
"""
import base64
import os
import re
import socket
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from serving import CRLF, Server  # noqa: E402

GLASSPOST = ""
USER, PASSWORD = "ada@localhost.test", "correct horse"
ADA = b"<ada@localhost.test>"
PLAIN = base64.b64encode(b"\0ada@localhost.test\0correct horse")


class OnTheWire(unittest.TestCase):
    SETTINGS = ""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(GLASSPOST, "server.classroom = true\nlimits.errors = 1000\n" + cls.SETTINGS, [(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def smtp(self, kind="smtp", **more):
        client = self.server.smtp(kind, **more)
        self.addCleanup(client.close)
        return client

    def submission(self):
        client = self.smtp("submission")
        self.assertEqual(client.ask(b"AUTH PLAIN " + PLAIN)[0], 235)
        return client

    def enveloped(self, client=None, recipient=ADA):
        """a transaction up to RCPT"""
        client = client or self.smtp()
        self.assertEqual(client.ask(b"MAIL FROM:<bob@example.org>")[0], 250)
        self.assertEqual(client.ask(b"RCPT TO:" + recipient)[0], 250)
        return client

    def fetched(self):
        return self.server.fetch(USER, PASSWORD)

    def expect(self, client, dialogue):
        """pairs of a command and the beginning of its reply"""
        for command, reply in dialogue:
            code, text = client.ask(command)
            self.assertTrue(f"{code} ".encode() + text, command)
            self.assertTrue((f"{code} ".encode() + text).startswith(reply), (command, code, text))


class Dialogue(OnTheWire):
    def test_greeting_and_hello(self):
        with self.server.connect("smtp") as client:
            self.assertEqual(client.line(), b"220 mail.localhost.test ESMTP Glasspost")
            code, text = client.ask(b"ehlo [127.0.0.1]")
            self.assertEqual((code, text.split(b"\n")[0]), (250, b"mail.localhost.test"))
            self.assertEqual(sorted(text.split(b"\n")[1:]), sorted([b"PIPELINING", b"SIZE 52428800", b"STARTTLS", b"ENHANCEDSTATUSCODES", b"8BITMIME",
                                                                    b"DSN", b"SMTPUTF8", b"CHUNKING"]))
            self.assertEqual(client.ask(b"HELO client.test"), (250, b"mail.localhost.test"))
            self.expect(client, [(b"EHLO", b"501"), (b"EHLO [1.2.3", b"501"), (b"EHLO a b", b"501"), (b"EHLO [IPv6:::1]", b"250")])

    def test_before_hello(self):
        client = self.smtp(hello=None)
        self.expect(client, [(b"MAIL FROM:<>", b"503 5.5.1"), (b"RCPT TO:" + ADA, b"503 5.5.1"), (b"DATA", b"503 5.5.1"), (b"STARTTLS", b"503"),
                             (b"NOOP", b"250"), (b"RSET", b"250"), (b"VRFY ada", b"252"), (b"HELP", b"214"), (b"MAIL FROM:<>", b"503")])

    def test_commands_that_only_talk(self):
        client = self.smtp()
        self.expect(client, [(b"NOOP", b"250"), (b"NOOP anything at all", b"250"), (b"noop", b"250"), (b"HELP", b"214"), (b"HELP MAIL", b"214"),
                             (b"VRFY ada@localhost.test", b"252"), (b"VRFY nobody@localhost.test", b"252"), (b"VRFY", b"501"),
                             (b"EXPN list", b"502"), (b"EXPN", b"502"), (b"RSET", b"250"), (b"RSET now", b"501"), (b"TURN", b"502"),
                             (b"ETRN example.org", b"502"), (b"SEND FROM:<a@b.test>", b"502"), (b"XCLIENT ADDR=127.0.0.1", b"502"), (b"LHLO x.test", b"502"),
                             (b"GET / HTTP/1.1", b"500"), (b"", b"500"), (b" NOOP", b"500"), (b"NOOP  ", b"250"), (b"QUIT now", b"501")])
        self.assertEqual(client.ask(b"vrfy ada")[1], client.ask(b"vrfy nobody")[1].replace(b"nobody", b"ada"))
        self.assertEqual(client.ask(b"QUIT"), (221, b"2.0.0 mail.localhost.test Bye"))
        self.assertTrue(client.at_end())

    def test_second_mail_keeps_the_state(self):
        client = self.enveloped()
        self.assertEqual(client.ask(b"MAIL FROM:<eve@example.org>")[0], 503)
        self.expect(client, [(b"DATA", b"354"), (b"Subject: kept\r\n\r\n.", b"250 2.0.0")])
        (message,) = self.fetched()
        self.assertIn(b"Return-Path: <bob@example.org>\r\n", message)

    def test_hello_and_rset_reset(self):
        for command in (b"EHLO again.test", b"HELO again.test", b"RSET"):
            client = self.enveloped()
            self.expect(client, [(command, b"250"), (b"RCPT TO:" + ADA, b"503"), (b"DATA", b"503"), (b"BDAT 0 LAST", b"503"), (b"MAIL FROM:<>", b"250")])

    def test_arguments_of_starttls_and_data(self):
        client = self.smtp()
        self.expect(client, [(b"STARTTLS now", b"501")])
        self.enveloped(client)
        self.expect(client, [(b"DATA now", b"501"), (b"STARTTLS", b"503"), (b"DATA", b"354"), (b".", b"250")])
        self.assertEqual(len(self.fetched()), 1)

    def test_pipelined_group(self):
        client = self.smtp()
        client.send(b"MAIL FROM:<bob@example.org>\r\nRCPT TO:<ada@localhost.test>\r\nRCPT TO:<nobody@localhost.test>\r\nDATA\r\n")
        self.assertEqual([client.code() for _ in range(4)], [250, 250, 550, 354])
        client.send(b"Subject: one\r\n\r\n.\r\nRSET\r\nMAIL FROM:<bob@example.org>\r\nRCPT TO:<nobody@localhost.test>\r\nDATA\r\nNOOP\r\nQUIT\r\n")
        self.assertEqual([client.code() for _ in range(7)], [250, 250, 250, 550, 554, 250, 221])
        self.assertEqual(len(self.fetched()), 1)

    def test_pipelined_octet_by_octet(self):
        client = self.smtp()
        for octet in b"MAIL FROM:<bob@example.org>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\nx: y\r\n\r\n..z\r\n.\r\nQUIT\r\n":
            client.send(bytes([octet]))
        self.assertEqual([client.code() for _ in range(5)], [250, 250, 354, 250, 221])
        (message,) = self.fetched()
        self.assertTrue(message.endswith(b"x: y\r\n\r\n.z\r\n"), message)

    def test_no_354_without_valid_recipient(self):
        client = self.smtp()
        self.expect(client, [(b"MAIL FROM:<>", b"250"), (b"DATA", b"503"), (b"RCPT TO:<nobody@localhost.test>", b"550 5.1.1"), (b"DATA", b"554 5.5.1"),
                             (b"BDAT 7 LAST\r\nhello", b"554"), (b"RCPT TO:" + ADA, b"250"), (b"RSET", b"250")])

    def test_half_closed(self):
        """who has said all waits for the replies"""
        client = self.smtp(hello=None)
        client.send(b"EHLO x.test\r\nMAIL FROM:<>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\n")
        time.sleep(0.05)
        client.send(b"Subject: half\r\n\r\n.\r\n")
        client.socket.shutdown(socket.SHUT_WR)
        codes = re.findall(rb"^(\d\d\d) ", client.rest(), re.M)
        self.assertEqual(codes, [b"250", b"250", b"250", b"354", b"250"])
        self.assertEqual(len(self.fetched()), 1)

    def test_cut_off_in_the_message(self):
        client = self.enveloped()
        self.assertEqual(client.ask(b"DATA")[0], 354)
        client.send(b"Subject: never\r\n\r\nends here\r\n.")
        client.socket.shutdown(socket.SHUT_WR)
        self.assertEqual(client.rest(), b"")
        self.assertEqual(self.fetched(), [])


class Lines(OnTheWire):
    def test_over_long(self):
        """answered once; nothing of it is executed, in whatever pieces it comes"""
        for length in (2049, 12_290, 100_000):
            client = self.smtp()
            line = b"NOOP " + b"RSET " * (length // 5)
            client.send(line[:length] + CRLF + b"VRFY x\r\n")
            self.assertEqual([client.code(), client.code()], [500, 252], length)
            client.send(line[: length // 2])
            time.sleep(0.02)
            client.send(line[length // 2 : length] + CRLF + b"VRFY x\r\n")
            self.assertEqual([client.code(), client.code()], [500, 252], length)
        client = self.smtp()
        self.assertEqual(client.ask(b"NOOP " + b"x" * (2048 - 5))[0], 250)
        self.assertEqual(client.ask(b"NOOP " + b"x" * (2048 - 4))[0], 500)

    def test_over_long_with_line_feed_inside(self):
        """a bare LF ends no line, whatever its length: what follows it is no command"""
        for length in (10, 3000, 20_000, 70_000):
            client = self.smtp()
            client.send(b"x" * length + b"\nMAIL FROM:<bob@example.org>\r\nVRFY x\r\n")
            self.assertEqual([client.code(), client.code()], [500, 252], length)
            self.assertEqual(client.ask(b"RCPT TO:" + ADA)[0], 503)

    def test_endless(self):
        client = self.smtp()
        client.send(b"x" * (1 << 20))
        self.assertTrue(client.quiet(0.1))
        client.send(b"x" * 8)
        self.assertEqual(client.code(), 421)
        self.assertTrue(client.at_end())

    def test_odd_octets(self):
        client = self.smtp()
        for line in (b"NO\0OP", b"NOOP \0", b"NOOP\rRSET", b"MAIL FROM:<a@b.test\0>", b"MAIL FROM:<a\r@b.test>", b"MAIL FROM:<a\x7f@b.test>",
                     b"MAIL\tFROM:<>", b"\xff\xfe\xfd", b"\r", b"NOOP \xff"):
            self.assertEqual(client.ask(line)[0], 500, line)
        self.assertEqual(client.ask("NOOP 你好".encode())[0], 250)

    def test_bare_line_feed(self):
        client = self.smtp()
        client.send(b"NOOP\nNOOP\n")
        self.assertEqual(client.code(), 500)
        client.send(b"NOOP\r\nVRFY x\r\n")
        self.assertEqual(client.code(), 252)
        self.assertTrue(client.quiet(0.1))


class Paths(OnTheWire):
    SETTINGS = 'smtp.chunking = true\n'

    def test_reverse_paths(self):
        client = self.smtp()
        good = [b"<>", b"<bob@example.org>", b'<"bob"@example.org>', b'<"b o\\"b>"@example.org>', b'<"@"@example.org>', b"<bob@[192.0.2.1]>",
                b"<bob@[IPv6:2001:db8::1]>", b"<@a.test,@b.test:bob@example.org>", b"<!#$%&'*+-/=?^_`{|}~@example.org>", b" <bob@example.org>",
                b"bob@example.org", b"<" + b"l" * 64 + b"@example.org>", b"<postmaster>", b"<a@" + b".".join([b"d" * 63] * 3) + b">"]
        bad = [b"", b"<", b"<bob@example.org", b"bob@example.org>", b"<bob>", b"<bob@>", b"<@example.org>", b"<b ob@example.org>", b"<bob@exa mple.org>",
               b"<bob@-a.test>", b"<bob@a..test>", b"<.bob@example.org>", b"<b..ob@example.org>", b'<"bob@example.org>', b"<bob@[192.0.2.256]>",
               b"<bob@[192.0.2.1>", b"<bob@[IPv6:1::2::3]>", b"<" + b"l" * 65 + b"@example.org>", b"<a@" + b".".join([b"d" * 63] * 4) + b".test>",
               b"<a@" + b"d" * 64 + b".test>", b"<a@b@c.test>", b"<bob@example.org>x"]
        for path in good:
            self.assertEqual(client.ask(b"MAIL FROM:" + path)[0], 250, path)
            self.assertEqual(client.ask(b"RSET")[0], 250)
        for path in bad:
            self.assertIn(client.ask(b"MAIL FROM:" + path)[0], (501, 553, 555), path)
        for line in (b"MAIL", b"MAIL <a@b.test>", b"MAIL TO:<a@b.test>", b"MAIL FROM <a@b.test>", b"RCPT FROM:<a@b.test>"):
            self.assertIn(client.ask(line)[0], (501, 503), line)

    def test_recipients_here(self):
        client = self.smtp()
        self.assertEqual(client.ask(b"MAIL FROM:<>")[0], 250)
        for path in (b"<Postmaster>", b"<postMASTER>", b"<POSTMASTER@LOCALHOST.TEST>", b'<"ada"@localhost.test>', b'<"a\\da"@localhost.test>',
                     b"<postmaster@[127.0.0.1]>", b"<ada@[127.0.0.1]>", b"<@example.org:ada@localhost.test>", b"<ada+tag@localhost.test>",
                     b"<abuse@localhost.test>"):
            self.assertEqual(client.ask(b"RCPT TO:" + path)[0], 250, path)
        for path in (b"<>", b"<ada>", b"<\"postmaster\"@>", b"<nobody@localhost.test>", b"<\"ada \"@localhost.test>"):
            self.assertIn(client.ask(b"RCPT TO:" + path)[0], (501, 550, 553), path)

    def test_no_open_relay(self):
        tricks = [b"<eve@example.org>", b"<eve%example.org@localhost.test>", b"<eve%example.org@[127.0.0.1]>", b'<"eve@example.org"@localhost.test>',
                  b'<"eve@example.org">', b'<"eve%example.org"@localhost.test>', b"<example.org!eve@localhost.test>", b"<example.org!eve>",
                  b"<@localhost.test:eve@example.org>", b"<@localhost.test,@127.0.0.1:eve@example.org>", b"<@[127.0.0.1]:eve@example.org>",
                  b"<eve@example.org@localhost.test>", b"<eve@localhost.test@example.org>", b"<eve@[10.1.2.3]>", b"<eve@[127.0.0.2]>",
                  b"<eve@[IPv6:::1]>", b"<eve@[IPv6:::ffff:10.1.2.3]>", b"<postmaster@example.org>", b"<ada@localhost>", b"<ada@localhost.test.>",
                  b"<ada@sub.localhost.test>", b"<ada@xlocalhost.test>", b"<ada@localhost.test.example.org>", b"<ada@LOCALHOST.TEST%example.org>",
                  b'<"eve\\@example.org"@localhost.test>', b'<"@localhost.test:eve"@example.org>', b"<localhost.test!example.org!eve>",
                  b"<ada@127.0.0.1>", b"<ada@mail.localhost.test>", b"eve@example.org", b" <eve@example.org>", b"<eve@example.org> <ada@localhost.test>",
                  b"<ada@localhost.test,eve@example.org>", b"<ada@localhost.test>,<eve@example.org>", b"<eve@example.org> NOTIFY=SUCCESS",
                  b"<ada@localhost.test\0@example.org>", "<eve@例子.test>".encode(), b"<+eve@example.org>", b"<|cat@localhost.test>", b"</etc/passwd@localhost.test>"]
        for sender in (b"<>", b"<ada@localhost.test>", b"<eve@example.org>"):
            client = self.smtp()
            self.assertEqual(client.ask(b"MAIL FROM:" + sender)[0], 250)
            for path in tricks:
                code, text = client.ask(b"RCPT TO:" + path)
                self.assertTrue(500 <= code <= 559, (path, code, text))
            self.assertEqual(client.ask(b"DATA")[0], 554)
        client = self.smtp("submission")
        self.assertEqual(client.ask(b"MAIL FROM:<ada@localhost.test>")[0], 530)
        self.assertEqual(client.ask(b"RCPT TO:<eve@example.org>")[0], 503)

    def test_a_hundred_recipients_and_more(self):
        client = self.smtp()
        client.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<ada+%d@localhost.test>\r\n" * 1001 % tuple(range(1001)))
        codes = [client.code() for _ in range(1002)]
        self.assertEqual((codes[:1001], codes[1001]), ([250] * 1001, 452))
        self.expect(client, [(b"DATA", b"354"), (b".", b"250")])
        self.assertEqual(len(self.fetched()), 1)

    def test_many_refused_recipients(self):
        client = self.smtp()
        client.send(b"MAIL FROM:<>\r\n" + b"RCPT TO:<guess%d@localhost.test>\r\n" * 201 % tuple(range(201)))
        codes = [client.code() for _ in range(202)]
        self.assertEqual(codes, [250] + [550] * 200 + [421])
        self.assertTrue(client.at_end())


class Parameters(OnTheWire):
    def test_of_mail(self):
        client = self.smtp()
        for parameters, code in ((b"SIZE=1000", 250), (b"SIZE=52428800", 250), (b"SIZE=52428801", 552), (b"SIZE=", 501), (b"SIZE=1x", 501), (b"SIZE", 501),
                                 (b"SIZE=18446744073709551615", 552), (b"BODY=8BITMIME", 250), (b"BODY=7bit", 250), (b"BODY=BINARYMIME", 555), (b"BODY=9BIT", 501),
                                 (b"SMTPUTF8", 250), (b"SMTPUTF8=1", 501), (b"RET=HDRS ENVID=abc+2Bdef", 250), (b"RET=FULL", 250), (b"RET=SOME", 501),
                                 (b"ENVID=a+xx", 501), (b"ENVID=" + b"e" * 101, 501), (b"XYZZY", 555), (b"XYZZY=1", 555), (b"NOTIFY=NEVER", 555), (b"ORCPT=rfc822;a", 555),
                                 (b"SIZE=1 SIZE=1", 501), (b"SIZE=1 BODY=8BITMIME RET=FULL ENVID=x", 250), (b"=", 555), (b"BODY=8BITMIME XYZZY", 555),
                                 (b"BY=100;R", 555), (b"REQUIRETLS", 555), (b"MT-PRIORITY=3", 555), (b"AUTH=<>", 555)):
            self.assertEqual(client.ask(b"MAIL FROM:<bob@example.org> " + parameters)[0], code, parameters)
            client.ask(b"RSET")
        self.assertEqual(client.ask(b"HELO old.test")[0], 250)
        self.assertEqual(client.ask(b"MAIL FROM:<> SIZE=1")[0], 555)

    def test_of_rcpt(self):
        client = self.smtp()
        self.assertEqual(client.ask(b"MAIL FROM:<> RET=HDRS")[0], 250)
        for parameters, code in ((b"NOTIFY=NEVER", 250), (b"NOTIFY=SUCCESS,FAILURE,DELAY", 250), (b"NOTIFY=NEVER,SUCCESS", 501), (b"NOTIFY=", 501), (b"NOTIFY=ALWAYS", 501),
                                 (b"ORCPT=rfc822;ada+2Bx@localhost.test", 250), (b"ORCPT=rfc822", 501), (b"ORCPT=;a", 501), (b"ORCPT=rfc822;" + b"o" * 600, 501),
                                 (b"NOTIFY=NEVER NOTIFY=NEVER", 501), (b"XYZZY", 555), (b"SIZE=1", 555)):
            self.assertEqual(client.ask(b"RCPT TO:" + ADA + b" " + parameters)[0], code, parameters)

    def test_utf8(self):
        client = self.smtp()
        self.expect(client, [("MAIL FROM:<鲍勃@例子.test>".encode(), b"553 5.6.7"), ("MAIL FROM:<鲍勃@例子.test> SMTPUTF8".encode(), b"250"),
                             ("RCPT TO:<无人@localhost.test>".encode(), b"550"), (b"RCPT TO:" + ADA, b"250"), (b"DATA", b"354"),
                             ("Subject: 你好\r\n\r\n.".encode(), b"250"), (b"MAIL FROM:<>", b"250"), ("RCPT TO:<无人@localhost.test>".encode(), b"553 5.6.7")])
        (message,) = self.fetched()
        self.assertIn("Return-Path: <鲍勃@例子.test>\r\n".encode(), message)
        self.assertIn(b"with UTF8SMTP id", message)


class Content(OnTheWire):
    LOOK_ALIKES = [b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r.\r\n", b"\r\n.\r", b"\n.\r", b"\r.\n", b"\r\n.\0\r\n", b"\r\n\0.\r\n", b"\r\n.\r\0\n",
                   b"\r\0\n.\r\n", b"\r\r\n.\n", b"\r\n.\r\r\n", b"\n\n.\r\n", b"\r\n.\x0b\r\n", b"\r\n.\x0c\r\n", b"\r\n.\x85", b"\r\n.\xe2\x80\xa8", b"\r\n. \r\n", b"\r\n.\t\r\n"]
    SMUGGLED = b"MAIL FROM:<eve@example.org>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\nSubject: smuggled\r\n\r\n"
    BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")

    def submit(self, client, content, pieces=None):
        """the code of the message's reply; what comes next is heard as the next command"""
        self.enveloped(client)
        self.assertEqual(client.ask(b"DATA")[0], 354)
        for piece in pieces or [content]:
            client.send(piece)
            if pieces:
                time.sleep(0.002)
        code = client.code()
        self.assertEqual(client.ask(b"VRFY x")[0], 252, content)
        return code

    def test_look_alikes(self):
        for look_alike in self.LOOK_ALIKES:
            content = b"Subject: s\r\n\r\nfirst" + look_alike + self.SMUGGLED + b"\r\n.\r\n"
            bare = self.BARE.search(content) is not None
            at = content.index(look_alike)
            splits = [None] + [[content[: at + i], content[at + i :]] for i in range(len(look_alike) + 1)]
            splits.append([content[:at], *(bytes([c]) for c in look_alike), content[at + len(look_alike) :]])
            client = self.smtp()
            for pieces in splits:
                self.assertEqual(self.submit(client, content, pieces), self.EXPECTED if bare else 250, (look_alike, pieces))
            messages = self.fetched()
            self.assertEqual(len(messages), 0 if bare and self.EXPECTED != 250 else len(splits), look_alike)
            for message in messages:
                self.assertIn(b"smuggled", message)  # in it, not beside it
                self.assertIsNone(self.BARE.search(message))

    EXPECTED = 554

    def test_in_chunks(self):
        for bare in (b"a\nb", b"a\rb", b"\n.\n", b"\r", b"\n", b"a\r\r\nb"):
            for split in range(len(bare) + 1):
                client = self.enveloped()
                content = b"Subject: s\r\n\r\n" + bare + b"\r\n"
                at = content.index(bare) + split
                first, second = content[:at], content[at:]
                client.send(b"BDAT %d\r\n%sBDAT %d LAST\r\n%s" % (len(first), first, len(second), second))
                codes = [client.code(), client.code()]
                real = self.BARE.search(content)
                self.assertEqual(codes[1], self.EXPECTED if real else 250, (bare, split))
                self.assertEqual(client.ask(b"VRFY x")[0], 252)
        for message in self.fetched():
            self.assertIsNone(self.BARE.search(message))

    def test_dots_and_lengths(self):
        """what comes is what is kept, behind the trace fields"""
        lines = [b"Subject: dots", b"", b".", b"..", b".a", b"...", b"", b"a" * 998, b"b" * 5000, b"\0", b"\xff", b".\0", b"end"]
        content = b"".join(x + CRLF for x in lines)
        stuffed = b"".join((b"." + x if x.startswith(b".") else x) + CRLF for x in lines)
        client = self.enveloped()
        self.assertEqual(client.ask(b"DATA")[0], 354)
        client.send(stuffed + b".\r\n")
        self.assertEqual(client.code(), 250)
        self.enveloped(client)
        client.send(b"BDAT %d\r\n%sBDAT 0 LAST\r\n" % (len(content), content))
        self.assertEqual([client.code(), client.code()], [250, 250])
        messages = self.fetched()
        self.assertEqual([m[m.index(b"Subject: dots") :] for m in messages], [content, content])
        for message in messages:
            trace = message[: message.index(b"Subject: dots")]
            self.assertRegex(trace.decode(), r"^Return-Path: <bob@example\.org>\r\nDelivered-To: ada@localhost\.test\r\n"
                             r"Received: from client\.test \(\[127\.0\.0\.1\]\)\r\n\tby mail\.localhost\.test \(Glasspost\) with ESMTP id \w+\r\n"
                             r"\tfor <ada@localhost\.test>; \w{3}, \d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}\r\n$")

    def test_chunks(self):
        client = self.smtp()
        # Out of order, and without recipients: the octets are passed over all the same.
        self.expect(client, [(b"BDAT 12\r\nQUIT\r\nQUIT", b"503"), (b"BDAT 6 LAST\r\nQUIT", b"503"), (b"MAIL FROM:<>", b"250"),
                             (b"BDAT 6\r\nQUIT", b"503"), (b"BDAT 6 LATS\r\nQUIT", b"50"), (b"RCPT TO:" + ADA, b"250"), (b"BDAT 6 FIRST\r\nQUIT", b"501")])
        client.send(b"BDAT 14\r\nSubject: x\r\n\r\nMAIL FROM:<>\r\nBDAT 5\r\nDATA\nBDAT 0 LAST\r\n")
        self.assertEqual([client.code() for _ in range(4)], [250, 503, self.EXPECTED, self.EXPECTED])
        self.assertEqual(client.ask(b"VRFY x")[0], 252)
        self.fetched()

    def test_chunk_without_size(self):
        """nobody knows where its octets end, so nothing behind it may count as a command"""
        for size in (b"x", b"-1", b"1.5", b"99999999999999999999999", b"0x10", b"4611686018427387905"):
            client = self.enveloped()
            client.send(b"BDAT " + size + b" LAST\r\nMAIL FROM:<eve@example.org>\r\nVRFY x\r\n")
            said = client.rest()
            self.assertRegex(said, rb"^421 [^\r]*\r\n$", size)

    def test_chunk_and_data_mixed(self):
        client = self.enveloped()
        self.expect(client, [(b"BDAT 3\r\na", b"250"), (b"DATA", b"503"), (b"RCPT TO:" + ADA, b"503"), (b"MAIL FROM:<>", b"503"), (b"RSET", b"250"),
                             (b"BDAT 2 LAST\r\n", b"503")])
        self.assertEqual(self.fetched(), [])

    def test_loop(self):
        for count, code in ((0, 250), (100, 250), (101, 554)):
            client = self.enveloped()
            self.assertEqual(client.ask(b"DATA")[0], 354)
            said, text = client.ask(b"".join(b"received : from a by b; x\r\n" if i % 2 else b"Received:\r\n from c\r\n" for i in range(count)) + b"\r\nReceived: body\r\n.")
            self.assertEqual((said, text[:5]), (code, b"2.0.0" if code == 250 else b"5.4.6"))
        self.fetched()

    def test_header_at_the_limit(self):
        """256 KiB, our own Received in it"""
        limit = 256 << 10
        line = b"X-Long: " + b"x" * 990 + CRLF
        for over, code in ((-1024, 250), (1024, 552)):
            client = self.enveloped()
            self.assertEqual(client.ask(b"DATA")[0], 354)
            lines = line * ((limit + over) // len(line))
            client.send(lines + b"\r\nbody\r\n.\r\n")
            self.assertEqual(client.code(), code, over)
            self.assertEqual(client.ask(b"VRFY x")[0], 252)
        # One line without end, and no empty line at all.
        for content, code in ((b"X: " + b"y" * (limit + 1) + b"\r\n\r\n.\r\n", 552), (b"no header at all\r\n" * 20_000 + b".\r\n", (250, 552))):
            client = self.enveloped()
            self.assertEqual(client.ask(b"DATA")[0], 354)
            client.send(content)
            self.assertIn(client.code(), code if isinstance(code, tuple) else (code,))
            self.assertEqual(client.ask(b"VRFY x")[0], 252)
        self.fetched()


class Normalised(Content):
    """the same, where bare line ends are made CRLF: they never end the message either"""
    SETTINGS = 'smtp.bare_line_ends = "normalise"\n'
    EXPECTED = 250


class Size(OnTheWire):
    SETTINGS = 'limits.message = "64 KiB"\n'

    def test_at_the_limit_and_one_past_it(self):
        limit = 64 << 10
        for octets, code in ((limit, 250), (limit + 1, 552), (limit * 8, 552)):
            content = b"Subject: s\r\n\r\n"
            body = content + b"x" * (octets - len(content) - 2) + CRLF
            client = self.enveloped()
            self.assertEqual(client.ask(b"DATA")[0], 354)
            client.send(body + b".\r\n")
            self.assertEqual(client.code(), code, octets)
            self.assertEqual(client.ask(b"VRFY x")[0], 252)
            self.enveloped(client)
            client.send(b"BDAT %d LAST\r\n" % len(body) + body)
            self.assertEqual(client.code(), code, octets)
            self.assertEqual(client.ask(b"VRFY x")[0], 252)
        client = self.smtp()
        self.assertEqual(client.ask(b"MAIL FROM:<> SIZE=65537")[0], 552)
        self.assertEqual(len(self.fetched()), 2)


class Tls(OnTheWire):
    def test_injection(self):
        """what was sent in the clear behind STARTTLS is never heard"""
        for kind in ("smtp", "submission"):
            for injected in (b"NOOP\r\n", b"EHLO eve.test\r\nMAIL FROM:<eve@example.org>\r\nRCPT TO:<ada@localhost.test>\r\nDATA\r\n", b"MAIL FROM:<eve@", b"x" * 30_000):
                client = self.smtp(kind)
                client.send(b"STARTTLS\r\n" + injected)
                self.assertEqual(client.code(), 220)
                self.assertTrue(client.quiet(0.05))
                # Some of it may still have been on its way: then there is no TLS, and nothing else either.
                try:
                    client.tls()
                except OSError:
                    self.assertGreater(len(injected), 1000)
                    continue
                self.assertTrue(client.quiet(0.1))
                # And what was said before is forgotten.
                self.assertEqual(client.ask(b"MAIL FROM:<>")[0], 503)
                code, text = client.ask(b"EHLO again.test")
                self.assertEqual((code, b"STARTTLS" in text), (250, False))
                self.assertEqual(client.ask(b"STARTTLS")[0], 503)
        self.assertEqual(self.fetched(), [])

    def test_login_is_forgotten(self):
        client = self.submission()
        self.assertEqual(client.ask(b"STARTTLS")[0], 220)
        client.tls()
        self.expect(client, [(b"EHLO x.test", b"250"), (b"MAIL FROM:" + ADA, b"530"), (b"AUTH PLAIN " + PLAIN, b"235"), (b"MAIL FROM:" + ADA, b"250")])

    def test_received_says_so(self):
        client = self.smtp("submissions")
        self.expect(client, [(b"AUTH PLAIN " + PLAIN, b"235"), (b"MAIL FROM:" + ADA, b"250"), (b"RCPT TO:" + ADA, b"250"), (b"DATA", b"354"),
                             (b"Subject: s\r\n\r\n.", b"250")])
        (message,) = self.fetched()
        self.assertRegex(message, rb"\(using TLSv1\.3 \w+\)\r\n\tby mail\.localhost\.test \(Glasspost\) with ESMTPSA id ")
        self.assertRegex(message, rb"\r\nMessage-ID: <[^>]+@mail\.localhost\.test>\r\n")
        self.assertRegex(message, rb"\r\nDate: \w{3}, ")

    def test_garbage_in_place_of_a_handshake(self):
        for kind in ("smtp", "submissions"):
            for garbage in (b"\0" * 100, b"GET / HTTP/1.0\r\n\r\n", b"\x16\x03\x01\xff\xff" + b"\1" * 100, b"\x16\x03\x01\x00\x05\x01\xff\xff\xff\xff", os.urandom(4000),
                            b"\x80\x80\x01\x03\x01", b"\x15\x03\x01\x00\x02\x02\x28", b"\x17\x03\x03\x00\x20" + b"x" * 32):
                client = self.server.connect(kind)
                self.addCleanup(client.close)
                if kind == "smtp":
                    client.code()
                    client.ask(b"EHLO x.test")
                    self.assertEqual(client.ask(b"STARTTLS")[0], 220)
                client.send(garbage)
                client.socket.shutdown(socket.SHUT_WR)
                said = client.rest()
                self.assertTrue(said == b"" or said[0] == 0x15, said)  # nothing, or an alert
        self.assertLess(self.server.healthy(), 5)


class Login(OnTheWire):
    SETTINGS = "server.classroom = false\nlimits.failed_logins_per_hour = 0\n"

    @classmethod
    def setUpClass(cls):
        cls.server = Server(GLASSPOST, "limits.failed_logins_per_hour = 0\n", [(USER, PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def test_no_plaintext_without_tls(self):
        client = self.smtp("submission")
        text = client.ask(b"EHLO x.test")[1]
        self.assertIn(b"\nAUTH SCRAM-SHA-256\n", text + b"\n")
        self.expect(client, [(b"AUTH PLAIN " + PLAIN, b"538"), (b"AUTH LOGIN", b"538"), (b"AUTH PLAIN", b"538"), (b"AUTH CRAM-MD5", b"504"),
                             (b"AUTH XOAUTH2 YWJj", b"504"), (b"MAIL FROM:<>", b"530"), (b"AUTH", b"501")])
        # Port 25 is not for logins.
        self.assertEqual(self.smtp().ask(b"AUTH PLAIN " + PLAIN)[0], 503)

    def secure(self):
        return self.smtp("submissions")

    def test_once_and_not_in_a_transaction(self):
        client = self.smtp("submissions", hello=None)
        self.expect(client, [(b"AUTH PLAIN " + PLAIN, b"503"), (b"HELO x.test", b"250"), (b"AUTH PLAIN " + PLAIN, b"503"), (b"EHLO x.test", b"250"), (b"MAIL FROM:<>", b"530"),
                             (b"AUTH PLAIN " + PLAIN, b"235 2.7.0"), (b"AUTH PLAIN " + PLAIN, b"503"), (b"EHLO x.test", b"250"), (b"AUTH PLAIN " + PLAIN, b"503"),
                             (b"MAIL FROM:" + ADA, b"250"), (b"AUTH PLAIN " + PLAIN, b"503"), (b"RCPT TO:" + ADA, b"250"), (b"AUTH PLAIN " + PLAIN, b"503"),
                             (b"DATA", b"354"), (b".", b"250")])
        self.fetched_over_tls()

    def fetched_over_tls(self):
        with self.server.connect("pop3s") as client:
            client.tls()
            client.line()
            client.say("USER " + USER)
            self.assertTrue(client.say("PASS " + PASSWORD).startswith(b"+OK"))
            count = int(client.say("STAT").split()[1])
            for n in range(count):
                client.say(f"DELE {n + 1}")
            client.say("QUIT")
        return count

    def test_cancel_and_what_is_no_base64(self):
        client = self.secure()
        for mechanism in (b"PLAIN", b"LOGIN", b"SCRAM-SHA-256"):
            self.expect(client, [(b"AUTH " + mechanism, b"334 "), (b"*", b"501")])
            self.expect(client, [(b"AUTH " + mechanism, b"334 "), (b"!!!", b"501")])
            self.expect(client, [(b"AUTH " + mechanism, b"334 "), (b"QUIT", b"501"), (b"NOOP", b"250")])
            self.expect(client, [(b"AUTH " + mechanism, b"334 "), (b"A" * 12_289, b"500"), (b"NOOP", b"250")])
            self.expect(client, [(b"AUTH " + mechanism + b" ====", b"501")])
            client.errors = 0
        client = self.secure()
        self.expect(client, [(b"AUTH LOGIN", b"334 VXNlcm5hbWU6"), (base64.b64encode(USER.encode()), b"334 UGFzc3dvcmQ6"), (b"*", b"501"), (b"MAIL FROM:" + ADA, b"530"),
                             (b"AUTH LOGIN " + base64.b64encode(USER.encode()), b"334 UGFzc3dvcmQ6"), (base64.b64encode(PASSWORD.encode()), b"235"),
                             (b"MAIL FROM:" + ADA, b"250")])

    def test_wrong_passwords(self):
        answers = set()
        for credentials in (b"\0ada@localhost.test\0wrong", b"\0nobody@localhost.test\0wrong", b"\0nobody@example.org\0wrong", b"\0ada@localhost.test\0" + b"w" * 256,
                            b"\0" + "阿达@localhost.test".encode() + b"\0x", b"\0postmaster@localhost.test\0x", b"\0' OR 1=1 --\0x", b"\0ada@localhost.test\0 correct horse"):
            client = self.secure()
            answers.add(client.ask(b"AUTH PLAIN " + base64.b64encode(credentials)))
        self.assertEqual(answers, {(535, b"5.7.8 Authentication failed")})
        client = self.secure()
        wrong = b"AUTH PLAIN " + base64.b64encode(b"\0ada@localhost.test\0wrong")
        self.expect(client, [(wrong, b"535"), (wrong, b"535"), (wrong, b"535"), (wrong, b"421")])
        self.assertTrue(client.at_end())
        # To act as another is not offered.
        self.assertIn(self.secure().ask(b"AUTH PLAIN " + base64.b64encode(b"eve@localhost.test\0ada@localhost.test\0correct horse"))[0], (535, 501, 504))

    def test_sender_is_his_own(self):
        client = self.secure()
        self.expect(client, [(b"AUTH PLAIN " + PLAIN, b"235"), (b"MAIL FROM:<postmaster@localhost.test>", b"553 5.7.1"), (b"MAIL FROM:<bob@example.org>", b"553 5.7.1"),
                             (b"MAIL FROM:<ada+x@localhost.test>", b"250"), (b"RSET", b"250"), (b"MAIL FROM:<>", b"250"), (b"RSET", b"250"),
                             (b'MAIL FROM:<"ada"@LOCALHOST.test>', b"250"), (b"RCPT TO:<eve@example.org>", b"250"), (b"RSET", b"250")])

    def test_parameter_auth(self):
        client = self.secure()
        self.expect(client, [(b"AUTH PLAIN " + PLAIN, b"235"), (b"MAIL FROM:" + ADA + b" AUTH=<>", b"250"), (b"RSET", b"250"), (b"MAIL FROM:" + ADA + b" AUTH=a+xx", b"501")])


class Errors(unittest.TestCase):
    def test_too_many(self):
        with Server(GLASSPOST, "limits.errors = 20\n") as server:
            client = server.smtp()
            client.send(b"XYZZY\r\n" * 30)
            said = client.rest().split(CRLF)[:-1]
            self.assertEqual([line[:3] for line in said], [b"500"] * 20 + [b"421"])
            client = server.smtp()
            client.send(b"NOOP\r\n" * 200)
            said = client.rest().split(CRLF)[:-1]
            self.assertEqual((said[-1][:3], len(said) < 150), (b"421", True))
            client = server.smtp()
            client.send(b"EHLO x.test\r\n" * 1000)
            self.assertRegex(client.rest(), rb"\r\n421 [^\r]*\r\n$")


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
