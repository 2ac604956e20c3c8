#!/usr/bin/env python3
"""Who may what on the machine: the server gives root's power up once its ports are bound, others may only submit mail through the administration
socket, and the systemd unit is one that systemd takes. Skipped without root (77), the unit's part where there is no systemd-analyze.

  privileges_test.py GLASSPOST
"""
import glob
import grp
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

GLASSPOST = ""
SKIPPED = 77
DONE, REFUSED = 0, 1
EX_NOPERM = 77
USER = "nobody"
UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "packaging", "glasspost.service")
ENVIRONMENT = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG", "STATE_DIRECTORY"))}


def free_endpoint():
    """an address of this machine on which a port is free that only root may bind"""
    for last in range(2, 255):
        with socket.socket() as trial:
            try:
                trial.bind((f"127.43.0.{last}", 25))
            except OSError:
                continue
            return f"127.43.0.{last}:25"
    raise AssertionError("no port 25 is free on loopback")


class Served(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gp")
        self.addCleanup(shutil.rmtree, self.folder)
        os.chmod(self.folder, 0o711)  # others come through to the socket
        self.data = os.path.join(self.folder, "data")
        # Others may not come to where it was built.
        self.program = os.path.join(self.folder, "glasspost")
        shutil.copy(GLASSPOST, self.program)
        os.chmod(self.program, 0o755)

    def serve(self, settings, listening="127.0.0.1:0"):
        config = os.path.join(self.folder, "mail.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[listen]\nsmtp = ["{listening}"]\nsubmission = []\nsubmissions = []\npop3 = ["127.0.0.1:0"]\npop3s = []\n'
                       f"[http]\nlisten = []\n{settings}")
        log = os.path.join(self.folder, "log")
        with open(log, "wb") as errors:
            self.process = subprocess.Popen([self.program, "serve", "--data", self.data, "--config", config, "--lang", "en"],
                                            stdout=subprocess.PIPE, stderr=errors, text=True, env=ENVIRONMENT)
        self.addCleanup(self.stop)
        said = ""
        for line in self.process.stdout:
            said += line
            if "user add" in line:
                return said
        self.fail(f"it does not start: {said}{self.log()}")

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(timeout=60)
        self.process.stdout.close()
        return self.process.returncode

    def run_it(self, *words, user=None, data=b"", name=None):
        """as `user`, by whatever name of the program"""
        program = self.program
        if name:
            program = os.path.join(self.folder, name)
            if not os.path.exists(program):
                os.symlink(self.program, program)
        who = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        run = subprocess.run([program, *words], input=data, capture_output=True, timeout=120, env=ENVIRONMENT, cwd="/", **who)
        return run.returncode, run.stdout.decode() + run.stderr.decode()


class Privileges(Served):
    def test_given_up_once_the_ports_are_bound(self):
        entry = pwd.getpwnam(USER)
        endpoint = free_endpoint()
        self.serve(f'[server]\nuser = "{USER}"\n', endpoint)
        tasks = glob.glob(f"/proc/{self.process.pid}/task/*/status")
        self.assertGreater(len(tasks), 1)
        for task in tasks:  # of each thread, for it is a thread's in Linux
            with open(task, encoding="ascii") as file:
                status = dict(line.rstrip("\n").split(":\t", 1) for line in file)
            self.assertEqual(status["Uid"].split(), [str(entry.pw_uid)] * 4, task)
            self.assertEqual(status["Gid"].split(), [str(entry.pw_gid)] * 4, task)
            self.assertEqual(status["Groups"].split(), [str(entry.pw_gid)], task)
            for power in ("CapPrm", "CapEff", "CapAmb"):
                self.assertEqual(int(status[power], 16), 0, f"{task}: {power}")
        for path in [self.data, *glob.glob(self.data + "/**", recursive=True)]:
            self.assertEqual(os.stat(path).st_uid, entry.pw_uid, path)
        # It works without: what it binds it has, and mail comes into its files.
        address, port = endpoint.split(":")
        with socket.create_connection((address, int(port)), timeout=30) as client:
            client.sendall(b"EHLO me\r\nMAIL FROM:<eve@far.test>\r\nRCPT TO:<postmaster@localhost.test>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\nQUIT\r\n")
            said = b"".join(iter(lambda: client.recv(65536), b"")).decode()
        self.assertIn("queued as", said)
        status, out = self.run_it("user", "list", "--data", self.data)  # root may all
        self.assertEqual((status, "postmaster@localhost.test" in out), (DONE, True), out)
        status, out = self.run_it("user", "list", "--data", self.data, user=USER)  # and so may the server's own user
        self.assertEqual((status, "postmaster@localhost.test" in out), (DONE, True), out)
        self.assertEqual(self.stop(), 0)
        self.serve(f'[server]\nuser = "{USER}"\n', endpoint)  # again, with files that are the user's

    def test_group(self):
        other = next(g for g in grp.getgrall() if g.gr_gid not in (0, pwd.getpwnam(USER).pw_gid))
        self.serve(f'[server]\nuser = "{USER}"\ngroup = "{other.gr_name}"\n')
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            self.assertIn("\nGid:\t" + "\t".join([str(other.gr_gid)] * 4) + "\n", file.read())

    def test_without_such_a_user_it_does_not_serve_as_root(self):
        with self.assertRaisesRegex(AssertionError, "there is no such user"):
            self.serve('[server]\nuser = "no-such-user-here"\n')
        self.assertNotEqual(self.stop(), 0)

    def test_others_only_submit(self):
        self.serve("")
        for words in (["user", "list"], ["domain", "add", "b.test"], ["queue", "list"], ["conversations"], ["journey", "x@a.test"],
                      ["alias", "list"]):
            status, out = self.run_it(*words, "--data", self.data, user=USER)
            self.assertNotEqual(status, DONE, words)
            self.assertIn("only the server's own user and root may do that", out, words)
        status, out = self.run_it("--data", self.data, "-f", "me@localhost.test", "postmaster", user=USER, name="sendmail",
                                  data=b"Subject: from another\n\nhi\n")
        self.assertEqual(status, 0, out)
        status, out = self.run_it("--data", self.data, "-bp", user=USER, name="sendmail")
        self.assertEqual(status, EX_NOPERM, out)
        status, out = self.run_it("user", "list", "--json", "--data", self.data)
        self.assertRegex(out, r'"postmaster@localhost\.test".*"messages":1\b')
        self.assertEqual(self.run_it("domain", "list", "--data", self.data)[1], "localhost.test\n")
        # Nor do the files tell them anything.
        for path in glob.glob(self.data + "/*"):
            if not path.endswith(".sock"):
                self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


    def test_what_is_not_its_own_is_let_alone(self):
        os.makedirs(os.path.join(self.data, "photos"))
        foreign = [os.path.join(self.data, name) for name in ("notes.txt", "photos/a.jpg")]
        for path in foreign:
            with open(path, "w", encoding="ascii") as file:
                file.write("mine\n")
            os.chmod(path, 0o644)
        os.chmod(os.path.join(self.data, "photos"), 0o755)
        elsewhere = os.path.join(self.folder, "run")
        os.makedirs(elsewhere)
        beside = os.path.join(elsewhere, "resolv.conf")
        with open(beside, "w", encoding="ascii") as file:
            file.write("x\n")
        os.chmod(beside, 0o664)
        os.chmod(elsewhere, 0o755)
        for settings in (f'[server]\nuser = "{USER}"\n', f'[server]\nuser = "{USER}"\n[admin]\nsocket = "{elsewhere}/gp.sock"\n'):
            self.serve(settings)
            for path in foreign:
                self.assertEqual((os.stat(path).st_uid, os.stat(path).st_mode & 0o777), (0, 0o644), path)
            self.assertEqual(os.stat(os.path.join(self.data, "photos")).st_mode & 0o777, 0o755)
            self.assertEqual((os.stat(beside).st_mode & 0o777, os.stat(elsewhere).st_mode & 0o777), (0o664, 0o755))
            self.stop()

    def test_a_certificate_that_only_root_can_read_is_said(self):
        self.serve("")  # makes one
        self.stop()
        mine = os.path.join(self.folder, "for-root")
        shutil.copytree(os.path.join(self.data, "tls"), mine)
        os.chmod(mine, 0o700)
        pair = f'[tls]\ncertificate = "{mine}/self-signed.crt"\nkey = "{mine}/self-signed.key"\n'
        self.serve(f'[server]\nuser = "{USER}"\n{pair}')
        self.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 30
        while self.log().count("fault") < 3 and time.monotonic() < deadline:  # two at the start, of both files, and one now
            time.sleep(0.1)
        self.assertEqual(self.log().count(f"user {USER} cannot read it, so SIGHUP will not take a renewed one (Permission denied)"), 2, self.log())
        self.assertIn("no certificate can be read: Permission denied", self.log())


class Unit(unittest.TestCase):
    def test_systemd_takes_it(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("no systemd-analyze here")
        with tempfile.TemporaryDirectory(prefix="gp") as folder:
            with open(UNIT, encoding="utf-8") as file:
                text = file.read()
            installed = re.search(r"^ExecStart=(\S+) serve", text, re.M).group(1)
            path = os.path.join(folder, "glasspost.service")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text.replace(f"={installed} ", f"={os.path.abspath(GLASSPOST)} "))
            run = subprocess.run(["systemd-analyze", "verify", "--man=no", path], capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 0, run.stderr)
            self.assertNotIn("glasspost", run.stderr)
            run = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager", path],
                                 capture_output=True, text=True, timeout=120)
            self.assertEqual(run.returncode, 0, run.stdout + run.stderr)  # hardened: at most 2.0 of 10


if __name__ == "__main__":
    GLASSPOST = sys.argv.pop(1)
    if os.geteuid() != 0:
        print("skipped: whose power is given up, and who others are, takes root to try")
        unit = unittest.main(defaultTest=["Unit"], exit=False)
        sys.exit(SKIPPED if unit.result.wasSuccessful() else 1)
    unittest.main()
