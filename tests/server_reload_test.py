#!/usr/bin/env python3
"""SIGHUP under the relay: mail that is sent afterwards goes by the new settings, and what was under way arrives once.

  server_reload_test.py GLASSPOST
"""
import base64
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from serving import Server  # noqa: E402

GLASSPOST = ""
SETTINGS = 'smtp.relay_networks = ["127.0.0.0/8"]\nconversations.keep = "off"\nretry.first = "1 s"\nretry.maximum = "1 s"\n'


class Sink:
    """takes mail on a port of its own; the reply to a message waits until `may_answer` is set"""

    def __init__(self):
        self.subjects = []
        self.logins = []
        self.begun = threading.Event()  # a whole message is here
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.port = self.listening.getsockname()[1]
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(client,), daemon=True).start()

    def talk(self, client):
        with client, client.makefile("rb") as lines:
            def say(reply):
                client.sendall(reply + b"\r\n")
            say(b"220 sink.test")
            for line in lines:
                word = line.split()[0].upper() if line.split() else b""
                if word == b"EHLO":
                    say(b"250-sink.test\r\n250 AUTH PLAIN")
                elif word == b"AUTH":
                    self.logins.append(base64.b64decode(line.split()[2]).split(b"\0")[2].decode())
                    say(b"235 ok")
                elif word == b"DATA":
                    say(b"354 go on")
                    subject = ""
                    for text in lines:
                        if text == b".\r\n":
                            break
                        if text.startswith(b"Subject: "):
                            subject = text[9:].strip().decode()
                    self.begun.set()
                    self.may_answer.wait(60)
                    self.subjects.append(subject)
                    say(b"250 taken")
                elif word == b"QUIT":
                    return say(b"221 bye")
                else:
                    say(b"250 ok")

    def close(self):
        self.may_answer.set()
        self.listening.close()


def until(found, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found():
            return True
        time.sleep(0.02)
    return False


class FirstStart(unittest.TestCase):
    def test_the_domain_that_is_configured_is_there(self):
        with Server(GLASSPOST, 'server.classroom = true\nserver.domain = "A.test"\n', [("ada@a.test", "secret")]) as server:
            self.assertEqual(len(server.fetch("ada@a.test", "secret")), 0)


class Reload(unittest.TestCase):
    def setUp(self):
        self.sinks = [Sink(), Sink()]
        for sink in self.sinks:
            self.addCleanup(sink.close)

    def serve(self, settings):
        server = Server(GLASSPOST, SETTINGS + settings)
        self.addCleanup(server.close)
        return server

    def to(self, sink, more=""):
        return f'smarthost.host = "127.0.0.1"\nsmarthost.port = {self.sinks[sink].port}\nsmarthost.tls = "off"\n' + more

    def reload(self, server, settings):
        told = server.log().count("info reloaded")
        server.configure(SETTINGS + settings)
        server.process.send_signal(signal.SIGHUP)
        self.assertTrue(until(lambda: server.log().count("info reloaded") > told), server.log())

    def send(self, server, *subjects):
        with server.smtp() as client:
            for subject in subjects:
                self.assertEqual(client.ask(b"MAIL FROM:<ada@localhost.test>")[0], 250)
                self.assertEqual(client.ask(b"RCPT TO:<bob@far.test>")[0], 250)
                self.assertEqual(client.ask(b"DATA")[0], 354)
                self.assertEqual(client.ask(f"Subject: {subject}\r\n\r\nhello\r\n.".encode())[0], 250)

    def arrives(self, sink, subject):
        self.assertTrue(until(lambda: subject in self.sinks[sink].subjects), f"{subject} is not at {sink}: {[s.subjects for s in self.sinks]}")

    def queue(self, server):
        return subprocess.run([GLASSPOST, "queue", "list", "--json", "--data", os.path.join(server.folder, "data")], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, check=True).stdout.splitlines()

    def test_another_smarthost(self):
        server = self.serve(self.to(0))
        self.send(server, "one")
        self.arrives(0, "one")
        self.reload(server, self.to(1))
        self.send(server, "two")
        self.arrives(1, "two")
        self.reload(server, self.to(1))  # nothing differs
        self.send(server, "three")
        self.arrives(1, "three")
        self.assertEqual([s.subjects for s in self.sinks], [["one"], ["two", "three"]])

    def test_another_route(self):
        route = 'relay.route = [{{ domain = "far.test", host = "127.0.0.1", port = {}, tls = "off" }}]\n'
        server = self.serve(route.format(self.sinks[0].port))
        self.send(server, "one")
        self.arrives(0, "one")
        self.reload(server, route.format(self.sinks[1].port))
        self.send(server, "two")
        self.arrives(1, "two")
        self.assertEqual([s.subjects for s in self.sinks], [["one"], ["two"]])

    def test_tls_policy_and_password_in_its_file(self):
        server = self.serve(self.to(0))
        secret = os.path.join(server.folder, "smarthost-password")

        def write(text):
            with open(secret, "w", encoding="utf-8") as f:
                f.write(text)
        write("old\n")
        login = self.to(0, f'smarthost.user = "u"\nsmarthost.password_file = "{secret}"\n')
        self.reload(server, login)
        self.send(server, "one")
        self.arrives(0, "one")
        write("new\n")
        self.reload(server, login)  # the same settings
        self.send(server, "two")
        self.arrives(0, "two")
        self.assertEqual(self.sinks[0].logins, ["old", "new"])
        os.unlink(secret)
        self.reload(server, login)
        self.assertIn("keeps the settings that it has", server.log())
        self.send(server, "three")
        self.arrives(0, "three")
        self.reload(server, self.to(0).replace('"off"', '"required"'))
        self.send(server, "four")  # the sink has no TLS
        self.assertTrue(until(lambda: "STARTTLS" in server.log() or "TLS" in server.log()))
        time.sleep(1.5)
        self.assertEqual(self.sinks[0].subjects, ["one", "two", "three"])
        self.reload(server, self.to(0))
        self.arrives(0, "four")

    def test_what_is_under_way_arrives_once(self):
        server = self.serve(self.to(0))
        self.sinks[0].may_answer.clear()
        self.send(server, "slow")
        self.assertTrue(self.sinks[0].begun.wait(20))
        self.reload(server, self.to(1))
        self.send(server, "swift")
        self.arrives(1, "swift")  # though the slow one has no answer yet
        self.sinks[0].may_answer.set()
        self.arrives(0, "slow")
        self.assertTrue(until(lambda: self.queue(server) == []))
        self.assertEqual([s.subjects for s in self.sinks], [["slow"], ["swift"]])

    def test_many_reloads_and_much_mail(self):
        server = self.serve(self.to(0))
        wanted = [f"m{n}" for n in range(400)]
        sending = threading.Thread(target=lambda: [self.send(server, *wanted[n:n + 20]) for n in range(0, len(wanted), 20)])
        sending.start()
        for n in range(12):
            self.reload(server, self.to((n + 1) % 2))
            time.sleep((n % 4) * 0.4)
        sending.join()
        self.assertTrue(until(lambda: self.queue(server) == [], 60), server.log()[-3000:])
        self.assertEqual(sorted(self.sinks[0].subjects + self.sinks[1].subjects), sorted(wanted))

    def test_sigterm_during_the_change(self):
        server = self.serve(self.to(0))
        self.sinks[0].may_answer.clear()
        self.send(server, "slow")
        self.assertTrue(self.sinks[0].begun.wait(20))
        self.reload(server, self.to(1))
        self.reload(server, self.to(0))  # a second one before the first is done
        threading.Timer(2, self.sinks[0].may_answer.set).start()
        self.assertEqual(server.stop(), 0)
        self.assertLess(server.took, 15)
        self.assertEqual(self.sinks[0].subjects, ["slow"])
        server.start()
        self.send(server, "next")
        self.arrives(0, "next")
        self.assertEqual([s.subjects for s in self.sinks], [["slow", "next"], []])

    def test_sigterm_cuts_what_does_not_end(self):
        server = self.serve('server.shutdown = "1 s"\n' + self.to(0))
        self.sinks[0].may_answer.clear()
        self.send(server, "slow")
        self.assertTrue(self.sinks[0].begun.wait(20))
        self.reload(server, 'server.shutdown = "1 s"\n' + self.to(1))
        time.sleep(1.5)  # the new relay has begun
        self.assertEqual(server.stop(), 0)
        self.assertLess(server.took, 15)
        server.start()
        self.arrives(1, "slow")  # given back, not lost

    def test_sessions_and_relay_end_in_the_same_time(self):
        server = self.serve('server.shutdown = "4 s"\n' + self.to(0))
        self.sinks[0].may_answer.clear()
        self.send(server, "slow")
        self.assertTrue(self.sinks[0].begun.wait(20))
        endless = server.smtp()
        self.assertEqual([endless.ask(x)[0] for x in (b"MAIL FROM:<>", b"RCPT TO:<postmaster>", b"DATA")], [250, 250, 354])
        self.assertEqual(server.stop(within=20), 0)
        self.assertTrue(3.5 < server.took < 7, server.took)
        endless.close()

    def test_what_needs_a_restart_is_said_each_time(self):
        server = self.serve(self.to(0))
        for n in range(2):
            self.reload(server, self.to(0) + "server.threads = 3\n")
            self.assertEqual(server.log().count("server.threads changes with a restart only"), n + 1)


if __name__ == "__main__":
    GLASSPOST = sys.argv.pop(1)
    unittest.main()
