#!/usr/bin/env python3
"""Domains, users, aliases, queue, conversations, journeys and sendmail from the command line, without a server and with one.

  administration_test.py GLASSPOST
"""
import email.header
import json
import os
import poplib
import pty
import re
import select
import shutil
import signal
import smtplib
import subprocess
import sys
import tempfile
import time
import unittest

GLASSPOST = ""
DONE, REFUSED, USAGE, CANNOT_OPEN = 0, 1, 2, 3
EX_USAGE, EX_DATAERR, EX_NOUSER, EX_TEMPFAIL = 64, 65, 67, 75
HERE = ("127.0.0.1:0",)
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG"))}


class Program(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gp")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.data = os.path.join(self.folder, "data")

    def run_it(self, *words, data=b"", program=None, expect=None, name=None):
        run = subprocess.run([program or GLASSPOST, *words], input=data, capture_output=True, timeout=120, env=ENVIRONMENT)
        out, err = run.stdout.decode(), run.stderr.decode()
        if expect is not None:
            self.assertEqual(run.returncode, expect, f"{words}\n{out}\n{err}")
        return run.returncode, out, err

    def do(self, *words, data=b"", expect=DONE):
        """with the data folder; gives the output"""
        _, out, err = self.run_it(*words, "--data", self.data, data=data, expect=expect)
        return out if expect == DONE else err

    def rows(self, *words):
        return [json.loads(line) for line in self.do(*words, "--json").splitlines()]

    def domain_and_user(self):
        self.do("domain", "add", "a.test")
        self.do("user", "add", "ada@a.test", "--password-file", "-", data=b"enigma\n")

    def sendmail(self, *words, data=b"", expect=0, name="sendmail"):
        link = os.path.join(self.folder, name)
        if not os.path.exists(link):
            os.symlink(GLASSPOST, link)
        _, out, err = self.run_it("--data", self.data, *words, data=data, program=link, expect=expect)
        return out if expect == 0 else err


class WithoutServer(Program):
    def test_no_folder(self):
        self.assertIn("there is no such data folder", self.do("user", "list", expect=CANNOT_OPEN))
        self.assertFalse(os.path.exists(self.data))

    def test_domains(self):
        self.assertIn("postmaster@a.test, abuse@a.test", self.do("domain", "add", "A.Test"))
        self.assertEqual(self.do("domain", "list"), "a.test\n")
        self.assertIn("is there already", self.do("domain", "add", "a.test", expect=REFUSED))
        self.assertIn("is not a domain's name", self.do("domain", "add", "a b", expect=REFUSED))
        self.do("user", "add", "ada@a.test", "--generate")
        self.assertIn("--with-all", self.do("domain", "remove", "a.test", expect=REFUSED))
        self.do("domain", "remove", "a.test", "--with-all")
        self.assertEqual(self.do("domain", "list"), "")

    def test_files_are_their_owners(self):
        self.do("domain", "add", "a.test")
        for name in os.listdir(self.data):
            self.assertEqual(os.stat(os.path.join(self.data, name)).st_mode & 0o077, 0, name)

    def test_users(self):
        self.domain_and_user()
        out = self.do("user", "add", "bob@a.test", "--generate", "--quota", "2M")
        self.assertRegex(out, r"Password: [a-z2-9]{5}(-[a-z2-9]{5}){3}\n")
        self.do("user", "add", "old@a.test", "--verifier", "{SSHA256}" + "A" * 64)
        self.assertIn("{NOTHING}", self.do("user", "add", "odd@a.test", "--verifier", "{NOTHING}x", expect=REFUSED))
        table = self.do("user", "list", "a.test").splitlines()
        self.assertRegex(table[0], r"^user +messages +used +quota +password kept as$")
        self.assertIn("none: cannot log in", table[1])
        self.assertRegex(table[3], r"^ada@a\.test +0 +0 .*ARGON2ID SCRAM-SHA-256$")
        self.assertRegex(table[4], r"^bob@a\.test .*2\.\d MB|2 MiB")
        self.assertEqual(self.rows("user", "list")[-1]["schemes"], ["SSHA256"])
        self.do("user", "quota", "bob@a.test", "0")
        self.do("user", "password", "bob@a.test", "--generate")
        self.do("user", "remove", "bob@a.test")
        self.assertIn("there is no user", self.do("user", "remove", "bob@a.test", expect=REFUSED))
        self.assertIn("glasspost domain add b.test", self.do("user", "add", "x@b.test", "--generate", expect=REFUSED))
        self.assertIn("no terminal", self.do("user", "add", "x@a.test", expect=CANNOT_OPEN))

    def test_misuse(self):
        for words in (["domain"], ["domain", "ad", "x"], ["user", "add"], ["user", "list", "--generate"], ["queue", "hold"],
                      ["queue", "list", "--all"], ["alias", "add", "x@a.test"], ["conversation", "x"], ["journey"],
                      ["user", "add", "x@a.test", "--generate", "--verifier", "x"], ["queue", "retry", "--all", "--held"],
                      ["user", "quota", "x@a.test", "many"], ["user", "list", "--jsn"]):
            _, out, err = self.run_it(*words, "--data", self.data, expect=USAGE)
            self.assertEqual(out, "")
            self.assertIn(f"glasspost help {words[0]}", err)
        self.assertIn("did you mean --json?", self.do("user", "list", "--jsn", expect=USAGE))

    def test_help_in_both_languages(self):
        for command in ("domain", "user", "alias", "queue", "conversations", "conversation", "journey", "sendmail"):
            _, english, _ = self.run_it("help", command, "--lang", "en", expect=DONE)
            _, chinese, _ = self.run_it(command, "--help", "--lang", "zh", expect=DONE)
            self.assertIn("Usage", english)
            self.assertIn("用法", chinese)

    def test_password_on_the_terminal(self):
        self.do("domain", "add", "a.test")
        for typed, status in (("secret\nsecret\n", DONE), ("secret\nother\n", CANNOT_OPEN)):
            child, terminal = pty.fork()
            if child == 0:
                os.execve(GLASSPOST, [GLASSPOST, "user", "add", "eve@a.test", "--data", self.data], ENVIRONMENT)
            shown, lines = "", typed.splitlines(True)
            while True:
                try:
                    shown += os.read(terminal, 1000).decode()
                except OSError:
                    break
                if lines and shown.rstrip(" ").endswith(":"):
                    os.write(terminal, lines.pop(0).encode())
                    shown += "|"
            _, end = os.waitpid(child, 0)
            os.close(terminal)
            self.assertEqual(os.waitstatus_to_exitcode(end), status, shown)
            self.assertNotIn("secret", shown)
            self.assertIn("Once more", shown)

    def test_aliases(self):
        self.domain_and_user()
        self.assertEqual(self.do("alias", "add", "team@a.test", "ada@a.test"), "team@a.test leads to ada@a.test.\n")
        self.do("alias", "add", "@a.test", "ada@a.test")
        self.assertIn("x@b.test", self.do("alias", "add", "team@a.test", "x@b.test"))
        self.assertEqual(self.do("alias", "list").splitlines()[1:], ["@a.test      ada@a.test", "team@a.test  ada@a.test, x@b.test"])
        self.do("alias", "remove", "team@a.test", "x@b.test")
        self.do("alias", "remove", "team@a.test")
        self.assertIn("no alias", self.do("alias", "remove", "team@a.test", expect=REFUSED))
        self.assertIn("this would be a loop: l1@a.test, l1@a.test", self.do("alias", "add", "l1@a.test", "l1@a.test", expect=REFUSED))
        self.do("alias", "add", "l1@a.test", "l2@a.test")
        self.do("alias", "add", "l2@a.test", "l3@a.test")
        self.assertIn("this would be a loop: l3@a.test, L1@a.test, l2@a.test, l3@a.test",
                      self.do("alias", "add", "l3@a.test", "L1@a.test", expect=REFUSED))
        self.do("alias", "add", "ada@a.test", "l3@a.test", "ada@a.test")  # who is a user, too

    def test_chinese_tables_are_aligned(self):
        self.domain_and_user()
        table = self.do("user", "list", "--lang", "zh").splitlines()
        self.assertTrue(table[0].startswith("用户"), table[0])
        wide = lambda text: sum(2 if ord(c) > 0x2E80 else 1 for c in text)
        self.assertEqual(wide(table[0][: table[0].index("口令存为")]), wide(table[3][: table[3].index("ARGON2ID")]))


class Sendmail(Program):
    def test_recipients_of_the_header(self):
        self.domain_and_user()
        self.do("user", "add", "bob@a.test", "--generate")
        message = b"From ada Mon Jan 1\nTo: Ada <ada@a.test>\nBcc: bob,\n  x@b.test\nSubject: hi\nX: kept\n more\n\nbody\n.\nnot this\n"
        out = self.sendmail("-t", "-v", "-F", "Ada, Countess", "-f", "ada@a.test", data=message)
        queue_id = re.match(r"queued as (\S{11})\n", out).group(1)
        entry = self.rows("queue", "list")[0]
        self.assertEqual((entry["id"], entry["sender"], entry["recipient"]), (queue_id, "ada@a.test", "x@b.test"))
        shown = self.do("queue", "show", queue_id, "--message").replace("\r\n", "\n")
        self.assertIn('\nTo: Ada <ada@a.test>\nSubject: hi\nX: kept\n more\nFrom: "Ada, Countess" <ada@a.test>\n\nbody\n', shown)
        self.assertIn("\nMessage-ID: <" + queue_id + "@", shown)
        self.assertNotIn("Bcc", shown)
        self.assertNotIn("not this", shown)
        journey = self.rows("journey", queue_id)[0]
        self.assertEqual([e["event"] for e in journey["events"]], ["accepted", "mailbox", "mailbox", "queued"])
        self.assertIn("laid into the mailbox of bob@a.test", self.do("journey", "bob@a.test"))

    def test_name_beyond_ascii(self):
        self.domain_and_user()
        self.sendmail("-f", "ada@a.test", "-F", "Full Näme", "x@b.test", data=b"Subject: name\n\nx\n")
        head = self.raw(self.rows("queue", "list")[0]["id"]).split("\r\n\r\n")[0]
        self.assertTrue(head.isascii(), head)
        field = re.search(r"\r\nFrom: (.*)", head)[1]
        self.assertEqual(str(email.header.make_header(email.header.decode_header(field))), "Full Näme <ada@a.test>")

    def test_dots(self):
        self.domain_and_user()
        self.sendmail("-oi", "x@b.test", data=b"Subject: a\n\n.\nmore\n")
        self.assertIn("\r\n\r\n.\r\nmore\r\n", self.raw(self.rows("queue", "list")[0]["id"]))

    def raw(self, queue_id):
        run = subprocess.run([GLASSPOST, "queue", "show", queue_id, "--message", "--data", self.data], capture_output=True, env=ENVIRONMENT)
        return run.stdout.decode()

    def test_no_header_at_all(self):
        self.domain_and_user()
        self.sendmail("-i", "x@b.test", data="Grüße: keine\nLine without header\n".encode() * 2)
        self.assertIn("\r\n\r\nGrüße: keine\r\nLine without header\r\n", self.raw(self.rows("queue", "list")[0]["id"]))

    def test_statuses(self):
        self.domain_and_user()
        self.assertIn("no user nobody@a.test", self.sendmail("ada", "nobody", data=b"\nx\n", expect=EX_NOUSER))
        self.sendmail(data=b"\nx\n", expect=EX_USAGE)
        self.sendmail("-Q", "ada", expect=EX_USAGE)
        self.sendmail("-t", data=b"Subject: x\n\n", expect=EX_USAGE)
        self.sendmail("-f", "a@@b", "ada", data=b"\nx\n", expect=EX_DATAERR)
        self.sendmail("-N", "perhaps", "ada", expect=EX_USAGE)
        self.sendmail("-bd", expect=EX_USAGE)
        self.sendmail("-bi")
        self.sendmail(name="newaliases")
        self.assertEqual(self.sendmail("-bv", "ada+tag"), "ada+tag: deliverable\n")
        self.sendmail("-bv", "nobody", expect=EX_NOUSER)
        self.data = os.path.join(self.folder, "nowhere")
        self.sendmail("ada", data=b"\nx\n", expect=EX_TEMPFAIL)

    def test_queue(self):
        self.domain_and_user()
        self.sendmail("-oem", "-oi", "-i", "-FAda", "-fada@a.test", "-B8BITMIME", "-Am", "x@b.test", "y@c.test", data=b"Subject: q\n\nq\n")
        self.assertIn("y@c.test", self.sendmail("-bp"))
        self.assertIn("y@c.test", self.sendmail(name="mailq"))
        self.sendmail("-f", "ada", "-i", "z@d.test", data=b"\n\n")
        self.assertEqual([r["sender"] for r in self.rows("queue", "list", "--destination", "d.test")], ["ada@a.test"])
        self.do("queue", "remove", "--recipient", "z@d.test")
        self.sendmail("-q")
        self.sendmail("-qRb.test")
        self.assertEqual(self.do("queue", "hold", "--destination", "b.test"), "1 entry held.\n")
        self.assertEqual([r["recipient"] for r in self.rows("queue", "list", "--held")], ["x@b.test"])
        self.assertIn("held", self.do("queue", "list"))
        self.assertEqual(self.do("queue", "release", "--all"), "1 entry released.\n")
        queue_id = self.rows("queue", "list")[0]["id"]
        self.assertIn("Subject: q", self.do("queue", "show", queue_id))
        self.assertEqual(self.do("queue", "remove", queue_id.lower()), "2 entries removed.\n")
        self.assertEqual(self.do("queue", "list"), "The queue is empty.\n")
        self.do("queue", "remove", queue_id, expect=REFUSED)
        self.assertIn("taken out of the queue by uid", self.do("journey", queue_id))

    def test_smtp_on_standard_io(self):
        self.domain_and_user()
        dialogue = (b"EHLO me\nMAIL FROM:<ada@a.test>\nRCPT TO:<nobody@a.test>\nRCPT TO:<ada@a.test>\nDATA\nSubject: s\n\n..\nx\n.\n"
                    b"MAIL FROM:<>\nRCPT TO:<ada@a.test>\nDATA\nSubject: two\n\nx\n.\nQUIT\n")
        out = self.sendmail("-bs", data=dialogue)
        self.assertEqual(re.findall(r"^(\d{3}) ", out, re.M), "220 250 250 550 250 354 250 250 250 354 250 221".split())
        self.assertEqual(self.rows("user", "list")[2]["messages"], 2)
        self.sendmail("-bs", data=b"EHLO me\nMAIL FROM:<>\nRCPT TO:<ada@a.test>\nDATA\nhalf", expect=EX_TEMPFAIL)
        self.assertEqual(self.rows("user", "list")[2]["messages"], 2)


class Served:
    """a server in a folder; with or without a configuration of its own"""

    def __init__(self, test, data, config=""):
        self.words = [GLASSPOST, "serve", "--data", data, "--lang", "en", "--classroom"]
        os.makedirs(data, mode=0o700, exist_ok=True)
        self.config = os.path.join(data, "test.toml")
        self.configure(config)
        self.log = open(os.path.join(data, "log"), "w")
        self.process = subprocess.Popen(self.words + ["--config", self.config], stdout=subprocess.PIPE, stderr=self.log, text=True,
                                        env=ENVIRONMENT, umask=0o022)
        test.addCleanup(self.stop)
        self.ports = {}
        for line in self.process.stdout:
            found = re.match(r"\s+(\w+)\s+127\.0\.0\.1:(\d+)", line)
            if found:
                self.ports[found.group(1)] = int(found.group(2))
            if "user add" in line:
                break

    def configure(self, config):
        with open(self.config, "w") as file:
            file.write('[listen]\nsmtp = ["127.0.0.1:0"]\nsubmission = ["127.0.0.1:0"]\nsubmissions = []\npop3 = ["127.0.0.1:0"]\n'
                       'pop3s = []\n[http]\nlisten = []\n' + config)

    def reload(self, config):
        self.configure(config)
        self.process.send_signal(signal.SIGHUP)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        self.process.stdout.close()
        self.log.close()


def until(found, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = found()
        if value:
            return value
        time.sleep(0.1)
    return found()


class WithServer(Program):
    def test_files_are_their_owners_wherever_the_socket_is(self):
        socket_folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, socket_folder)
        os.makedirs(self.data)
        os.chmod(self.data, 0o755)  # an operator's, who lets others in
        config = f'[admin]\nsocket = "{socket_folder}/gp.sock"\n'
        for _ in range(2):
            server = Served(self, self.data, config)
            for name in ("mail.db", "mail.db-wal", "mail.db-shm", "conversations.db", "lock", "secret.key", "tls"):
                self.assertEqual(os.stat(os.path.join(self.data, name)).st_mode & 0o077, 0, name)
            self.assertEqual(os.stat(self.data).st_mode & 0o777, 0o755)
            server.stop()
            os.chmod(os.path.join(self.data, "mail.db"), 0o644)  # as one that was made with another mask, or copied
            os.chmod(os.path.join(self.data, "conversations.db"), 0o660)
        self.do("domain", "list")
        self.assertEqual(os.stat(os.path.join(self.data, "mail.db")).st_mode & 0o077, 0)

    def test_all_through_the_socket(self):
        server = Served(self, self.data)
        self.do("domain", "add", "a.test")
        self.do("user", "add", "ada@a.test", "--password-file", "-", data=b"enigma\n")
        self.sendmail("-f", "x@a.test", "ada@a.test", data=b"Subject: local\n\nhi\n")
        with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=30) as smtp:
            smtp.login("ada@a.test", "enigma")
            smtp.sendmail("ada@a.test", ["ada@a.test"], b"Subject: sent\r\nMessage-ID: <m1@a.test>\r\n\r\nhello\r\n")
        pop = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=30)
        pop.user("ada@a.test")
        pop.pass_("enigma")
        self.assertEqual(pop.stat()[0], 2)
        pop.retr(2)
        pop.dele(2)
        pop.quit()
        rows = until(lambda: len(r := self.rows("conversations")) == 2 and r)
        self.assertEqual([r["protocol"] for r in rows], ["smtp", "pop3"])
        self.assertIn("SMTP", self.do("conversations", "--lang", "en").splitlines()[1])
        self.assertEqual(len(self.rows("conversations", "--protocol", "pop3", "--peer", "127.0.0.1")), 1)
        told = self.do("conversation", str(rows[0]["conversation"]))
        self.assertIn("mail FROM:<ada@a.test>", told)
        self.assertNotIn("enigma", told)
        self.assertIn("信封", self.do("conversation", str(rows[0]["conversation"]), "--lang", "zh"))
        self.assertEqual(json.loads(self.do("conversation", str(rows[1]["conversation"]), "--json"))["protocol"], "pop3")
        self.do("conversation", "99999", expect=REFUSED)
        journey = until(lambda: len((j := self.rows("journey", "m1@a.test")[0])["events"]) == 4 and j)
        self.assertEqual([e["event"] for e in journey["events"]], ["accepted", "mailbox", "fetched", "deleted"])
        self.assertEqual([e["conversation"] for e in journey["events"]], [rows[0]["conversation"]] * 2 + [rows[1]["conversation"]] * 2)
        server.stop()
        # The same without it.
        self.assertEqual([e["event"] for e in self.rows("journey", "m1@a.test")[0]["events"]], ["accepted", "mailbox", "fetched", "deleted"])
        self.assertFalse(os.path.exists(os.path.join(self.data, "glasspost.sock")))

    def test_follow(self):
        server = Served(self, self.data)
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as smtp:
            smtp.ehlo("first.test")
            number = "1"
            follow = subprocess.Popen([GLASSPOST, "conversation", number, "--follow", "--lang", "en", "--data", self.data],
                                      stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
            self.addCleanup(follow.stdout.close)
            seen = ""
            end = time.monotonic() + 30
            asked = False
            while "noop" not in seen and time.monotonic() < end:
                if select.select([follow.stdout], [], [], 0.2)[0]:
                    seen += os.read(follow.stdout.fileno(), 65536).decode()
                if not asked or "noop" not in seen:
                    smtp.noop()
                    asked = True
                    time.sleep(0.3)
            self.assertIn("→ noop", seen)
        seen += follow.stdout.read()
        self.assertEqual(follow.wait(timeout=30), 0)
        self.assertIn("→ QUIT", seen)

    def test_list_follows_by_ends(self):
        server = Served(self, self.data)
        first = smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30)
        first.ehlo("first.test")
        running = until(lambda: [r for r in self.rows("conversations") if r["running"]])
        self.assertEqual([(r["conversation"], r["end"]) for r in running], [(1, None)])
        self.assertIn("still running", self.do("conversations", "--lang", "en"))
        follow = subprocess.Popen([GLASSPOST, "conversations", "--follow", "--json", "--data", self.data], stdout=subprocess.PIPE,
                                  text=True, env=ENVIRONMENT)
        self.addCleanup(follow.stdout.close)
        self.addCleanup(follow.wait)
        self.addCleanup(follow.kill)
        self.assertTrue(json.loads(follow.stdout.readline())["running"])
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as second:
            second.ehlo("second.test")
        told = json.loads(follow.stdout.readline())
        self.assertEqual((told["conversation"], told["running"]), (2, False))
        first.quit()  # begun before the other, over after it
        told = json.loads(follow.stdout.readline())
        self.assertEqual((told["conversation"], told["running"]), (1, False))

    def test_default_domain_is_the_hosts(self):
        server = Served(self, self.data, '[server]\nhost = "mx.example.org"\n')
        self.do("domain", "add", "aaa.test")
        self.do("domain", "add", "example.org")
        self.do("domain", "remove", "localhost.test")
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=30) as smtp:
            smtp.ehlo("far.test")
            smtp.docmd("MAIL FROM:<x@far.test>")
            self.assertEqual(smtp.docmd("RCPT TO:<Postmaster>")[0], 250)
            smtp.data(b"Subject: to whom it concerns\r\n\r\nx\r\n")
        self.sendmail("-f", "abuse", "abuse", data=b"Subject: local\n\nhi\n")
        self.do("user", "password", "abuse@example.org", "--password-file", "-", data=b"enigma\n")
        pop = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=30)
        pop.user("abuse")  # without a domain
        pop.pass_("enigma")
        self.assertEqual(pop.stat()[0], 1)
        pop.quit()
        counts = {r["address"]: r["messages"] for r in self.rows("user", "list", "example.org")}
        self.assertEqual(counts, {"postmaster@example.org": 1, "abuse@example.org": 1})

    def test_settings_of_logins_come_with_a_reload(self):
        server = Served(self, self.data, "[limits]\nfailed_logins_per_hour = 1000\n")
        self.do("domain", "add", "a.test")
        words = ("user", "add", "ada@a.test", "--verifier", "{PLAIN}enigma")
        self.assertIn("auth.apop", self.do(*words, expect=REFUSED))
        server.reload("[auth]\napop = true\n")
        until(lambda: self.run_it(*words, "--data", self.data)[0] == DONE)
        pop = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=30)
        pop.apop("ada@a.test", "enigma")
        pop.quit()

    def test_alias_and_user_of_one_name(self):
        def noted(*words):
            return self.run_it(*words, "--data", self.data, expect=DONE)[2]
        self.do("domain", "add", "a.test")
        self.do("user", "add", "bob@a.test", "--generate")
        self.assertIn("gets nothing of it", noted("alias", "add", "bob@a.test", "x@far.test"))
        self.assertNotIn("gets nothing of it", noted("alias", "add", "bob@a.test", "bob@a.test"))
        self.do("alias", "add", "info@a.test", "bob@a.test")
        self.assertIn("leads elsewhere", noted("user", "add", "info@a.test", "--generate"))
        self.do("domain", "add", "127.0.0.1", expect=REFUSED)

    def test_socket_elsewhere(self):
        Served(self, self.data, f'[admin]\nsocket = "{self.folder}/other.sock"\n')
        self.assertIn("does not listen on", self.do("domain", "list", expect=CANNOT_OPEN))
        self.assertEqual(self.do("domain", "list", "--admin-socket", f"{self.folder}/other.sock"), "localhost.test\n")

    def test_two_hosts_one_journey(self):
        other = os.path.join(self.folder, "b")
        b = Served(self, other, '[server]\nhost = "mx.b.test"\n')
        a = Served(self, self.data, '[server]\nhost = "mx.a.test"\n[[relay.route]]\ndomain = "b.test"\nhost = "127.0.0.1"\n'
                                    f'port = {b.ports["smtp"]}\ntls = "off"\n')
        self.assertTrue(a.ports)
        self.run_it("domain", "add", "b.test", "--data", other, expect=DONE)
        self.run_it("user", "add", "bob@b.test", "--generate", "--data", other, expect=DONE)
        self.do("domain", "add", "a.test")
        out = self.sendmail("-v", "-f", "ada@a.test", "bob@b.test", data=b"Subject: far\n\nhi\n")
        queue_id = out.split()[-1]
        until(lambda: not self.rows("queue", "list"))
        _, out, _ = self.run_it("journey", queue_id, "--json", "--data", self.data, "--data", other, expect=DONE)
        journey = json.loads(out)
        self.assertEqual({leg["host"] for leg in journey["legs"]}, {"mx.a.test", "mx.b.test"})
        self.assertEqual(journey["legs"][1]["joined_by"], "digest")
        events = [(e["host"][3], e["event"]) for e in journey["events"]]
        self.assertIn(("a", "relayed"), events, out)
        self.assertEqual(events[0], ("a", "accepted"))
        self.assertLess(events.index(("b", "mailbox")), events.index(("a", "relayed")))
        _, told, _ = self.run_it("journey", queue_id, "--data", self.data, "--data", other, "--lang", "en", expect=DONE)
        self.assertIn("handed over to", told)
        self.assertIn("laid into the mailbox of bob@b.test", told)


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
