#!/usr/bin/env python3
"""Speaking by hand in a terminal: lines edited and completed, history, passwords without echo, Ctrl-C.

  talk_terminal_test.py GLASSPOST
"""
import fcntl
import os
import pathlib
import pty
import select
import struct
import sys
import termios
import time
import unittest

import talk_test
from talk_test import OK, PASSWORD, USER, Scripted


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, arguments, environment, columns=100):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.execve(talk_test.GLASSPOST, [talk_test.GLASSPOST, *arguments], environment)
        fcntl.ioctl(self.file, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.said = ""
        self.at = 0

    def read(self, seconds):
        if select.select([self.file], [], [], seconds)[0]:
            try:
                self.said += os.read(self.file, 65536).decode("utf-8", "replace")
                return True
            except OSError:
                return False
        return False

    def wait(self, text, seconds=10):
        """until it says so, after what was waited for before"""
        end = time.monotonic() + seconds
        while (at := self.said.find(text, self.at)) < 0:
            if time.monotonic() > end:
                raise AssertionError(f"{text!r} is not said; but {self.said[self.at:]!r}")
            self.read(0.1)
        before = self.said[self.at:at]
        self.at = at + len(text)
        return before

    def cooked(self):
        """the terminal edits lines and makes signals of keys: nobody reads them yet"""
        modes = termios.tcgetattr(self.file)[3]
        return modes & termios.ICANON and modes & termios.ECHO

    def type(self, text):
        """once keys are read, and what the program had to say is said: to print it, it lets go of the keys"""
        until = time.monotonic() + 5
        while time.monotonic() < until:
            before = self.cooked()
            if not self.read(0.15) and not before and not self.cooked():
                break
        os.write(self.file, text.encode())

    def end(self, seconds=10):
        """the exit status"""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                while self.read(0):
                    pass
                os.close(self.file)
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, 9)
        os.waitpid(self.pid, 0)
        raise AssertionError(f"it does not end: {self.said[-500:]!r}")


class InATerminal(talk_test.TalkTest):
    def terminal(self, *arguments, columns=100):
        return Terminal(["talk", *arguments], self.environment, columns)

    def start(self, protocol="smtp", kind="smtp", *rest, address=None, columns=100):
        host = address or f"localhost:{self.server.port[kind]}"
        return self.terminal(protocol, host, "--ca", self.ca, "--no-report", "--color", "never", *rest, columns=columns)

    def test_completion_help_and_history(self):
        history = pathlib.Path(self.folder, ".local/state/glasspost/history-talk")
        history.unlink(missing_ok=True)
        t = self.start()
        t.wait("smtp -> ")
        t.type("eh\t")
        t.wait("EHLO ")
        t.type("me\r")
        t.wait("250 CHUNKING")
        t.wait("smtp -> ")
        t.type("?\r")
        t.wait("Next: STARTTLS")
        t.wait("MAIL")
        t.wait("RFC 5321 §4.1.1.2")
        t.wait("smtp -> ")
        time.sleep(0.3)  # a ^C before the prompt is read is a signal
        t.type("x\t\tstray\x03NOOP\r")  # ^C drops what was typed
        t.wait("250 2.0.0 Ok")
        t.wait("smtp -> ")
        t.type("\x1b[A\r")  # the line before
        t.wait("250 2.0.0 Ok")
        t.wait("smtp -> ")
        t.type("AUTH PLAIN AGFkYQBlbmlnbWEtMTc=\r")
        t.wait("<** 5")
        t.wait("smtp -> ")
        t.type("QUIT\r")
        t.wait("the server closed the connection")
        self.assertEqual(t.end(), OK)
        self.assertEqual(history.stat().st_mode & 0o777, 0o600)
        self.assertEqual(history.read_text().split("\n")[:4], ["EHLO me", "NOOP", "NOOP", "QUIT"])
        t = self.start()
        t.wait("smtp -> ")
        t.type("\x1b[A")  # of the conversation before
        t.wait("QUIT")
        t.type("\r")
        self.assertEqual(t.end(), OK)

    def test_candidates_are_those_allowed_now(self):
        t = self.start()
        t.wait("smtp -> ")
        t.type("HELO me\r")
        t.wait("250 ")
        t.wait("smtp -> ")
        t.type("R\t\r")
        t.wait("250 ")
        t.wait("smtp -> ")
        t.type("S\t\t")
        t.wait("STARTTLS  SEND")
        t.type("\x03\x04")
        t.wait("the connection is closed")
        self.assertEqual(t.end(), OK)

    def test_replies_while_typing(self):
        def talk(server, stream):
            stream.write(b"220 hello\r\n")
            time.sleep(1.5)
            stream.write(b"421 going away\r\n")
            server.heard.append(stream.readline())

        for columns in 100, 20:  # on one row, on several
            with Scripted(talk) as server:
                t = self.start(address=server.address, columns=columns)
                t.wait("smtp -> ")
                t.type("NOOP while this is typed")
                t.wait("421 going away")
                t.wait("smtp -> ")
                t.type("!\r")
                self.assertEqual(t.end(), OK)
                self.assertEqual(server.heard, [b"NOOP while this is typed!\r\n"])

    def test_a_message(self):
        t = self.start()
        t.wait("smtp -> ")
        for line in "EHLO me", "MAIL FROM:<a@b.test>", f"RCPT TO:<{USER}>":
            t.type(line + "\r")
            t.wait("250 ")
            t.wait("smtp -> ")
        t.type("DATA\r")
        t.wait("data -> ")
        t.type("Subject: 你好\r")
        t.wait("data -> ")
        t.type(".x\r")
        t.wait("goes out as ..x")
        t.wait("data -> ")
        t.type(".\r")
        t.wait("250 2.0.0")
        t.wait("smtp -> ")
        t.type("QUIT\r")
        self.assertEqual(t.end(), OK)
        self.assertIn("Subject: 你好\r\n.x\r\n".encode(), self.fetch()[-1])

    def test_the_password_is_asked_without_echo(self):
        t = self.start("pop3", "pop3s", "--tls")
        t.wait("pop3 ~> ")
        t.type(f":auth LOGIN {USER}\r")
        t.wait("Password for ada@localhost.test: ")
        t.type(PASSWORD + "\r")
        t.wait("+OK")
        t.wait("pop3 ~> ")
        t.type("STAT\r")
        t.wait("+OK ")
        t.type("\x04")
        self.assertEqual(t.end(), OK)
        self.assertNotIn(PASSWORD, t.said)

    def test_no_password_in_the_history(self):
        def talk(server, stream):
            server.ask(stream, b"* OK hello")
            while line := stream.readline():
                stream.write(b"+ go\r\n" if line.endswith(b"}\r\n") else b"* BAD\r\n")

        with Scripted(talk) as server:
            t = self.start("imap", address=server.address)
            t.wait("imap -> ")
            for line in "a1 LOGIN ada geheim-1", "a2 AUTHENTICATE PLAIN Z2VoZWltLTI=", "a3 NOOP", "PASS geheim-3", ":b64 geheim-4", "a5 LOGIN ada {8}", "geheim-5":
                t.type(line + "\r")
                t.wait("imap -> ")
            t.type("\x04")
            t.end(20)
        kept = pathlib.Path(self.folder, ".local/state/glasspost/history-talk").read_text()
        self.assertIn("a3 NOOP", kept)
        for secret in "geheim", "Z2VoZWlt":
            self.assertNotIn(secret, kept)

    def test_the_same_reader_in_dns(self):
        t = Terminal(["dns", "@127.0.0.1:1"], self.environment)
        t.wait("> ")
        t.type("set ty\tmx\x7f\x7f\x7fmx\rset all\r")
        t.wait("querytype = MX")
        t.wait("> ")
        t.type("ex\t\r")
        self.assertEqual(t.end(), OK)

    def test_interrupted_twice(self):
        t = self.start()
        t.wait("smtp -> ")
        t.type("\x03")
        t.wait("^C once more")
        t.wait("smtp -> ")
        time.sleep(0.3)  # what is typed before the prompt is read is the terminal's
        t.type("\x03")
        t.wait("the connection is cut")
        self.assertEqual(t.end(), OK)


if __name__ == "__main__":
    talk_test.SANITIZED = "--sanitized" in sys.argv and not sys.argv.remove("--sanitized")
    talk_test.GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
