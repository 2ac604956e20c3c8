"""A `glasspost serve` of a test's own, on free ports and a folder that goes away, and clients that say exactly the octets they are told to."""
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

CRLF = b"\r\n"
PORTS = ("smtp", "submission", "submissions", "pop3", "pop3s", "http")


def tables(text):
    """of "section.key = value" lines, TOML with sections; so that a test's lines may be added to those of all tests"""
    sections = {}
    for line in text.strip().splitlines():
        key, value = line.split("=", 1)
        section, name = key.strip().split(".")
        sections.setdefault(section, {})[name] = value.strip()
    return "".join(f"[{s}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for s, keys in sections.items())


def trusting(most):
    """a context that asks for no certificate; one for all, since making one takes longer than a handshake"""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = most
    return context


TLS = trusting(ssl.TLSVersion.TLSv1_3)
TLS_12 = trusting(ssl.TLSVersion.TLSv1_2)


class Server:
    """Runs from its construction to stop(); the folder is of `with`, or of close()."""

    BASE = """
        server.host = "mail.localhost.test"
        auth.argon2_memory = "1 MiB"
        auth.argon2_passes = 1
    """ + "".join(f'listen.{p} = ["127.0.0.1:0"]\n' for p in PORTS if p != "http") + 'http.listen = ["127.0.0.1:0"]\n'

    def __init__(self, program, settings="", users=(), environment=None):
        self.program = program
        self.folder = tempfile.mkdtemp(prefix="glasspost-test-")
        self.environment = dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=16", **(environment or {}))  # so that memory can be measured
        self.environment.pop("STATE_DIRECTORY", None)
        self.configure(settings)
        self.process = None
        self.expected_status = 0
        try:
            self.start()
            for name, password in users:
                self.add_user(name, password)
        except BaseException:
            self.kill()
            raise

    def configure(self, settings):
        self.settings = settings
        path = os.path.join(self.folder, "mail.toml")
        with open(path, "w", encoding="utf-8") as f:
            f.write(tables(self.BASE + f'server.data = "{self.folder}/data"\n' + settings))
        return path

    def start(self):
        self.errors = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen([self.program, "serve", "--config", os.path.join(self.folder, "mail.toml")], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=self.errors, env=self.environment)
        self.port = {}
        while len(self.port) < len(PORTS):
            line = self.process.stdout.readline().decode()
            if not line:
                raise AssertionError(f"it does not start: {self.log()[-2000:]}")
            told = re.match(r"\s+(\w+)\s+127\.0\.0\.1:(\d+)", line)
            if told:
                self.port[told[1]] = int(told[2])

    def add_user(self, name, password):
        secret = os.path.join(self.folder, "password")
        with open(secret, "w", encoding="utf-8") as f:
            f.write(password + "\n")
        run = subprocess.run([self.program, "user", "add", name, "--password-file", secret, "--data", os.path.join(self.folder, "data")], stdin=subprocess.DEVNULL,
                             text=True, capture_output=True, timeout=60, env=self.environment)
        if run.returncode != 0:
            raise AssertionError(f"user add: {run.stdout}{run.stderr}")

    def stop(self, number=signal.SIGTERM, within=40):
        """the exit status; the time that it took is told in `took`"""
        if self.process is None:
            return 0
        began = time.monotonic()
        self.process.send_signal(number)
        try:
            status = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"it does not end within {within} s")
        self.took = time.monotonic() - began
        self.process.stdout.close()
        self.errors.close()
        self.process = None
        return status

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()
            self.errors.close()
            self.process = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self):
        try:
            status = self.stop()
            said = self.log()
            if status != self.expected_status or "ERROR: AddressSanitizer" in said or "runtime error" in said or "LeakSanitizer" in said:
                raise AssertionError(f"it ended with {status}:\n{said[-6000:]}")
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as f:
            return f.read()

    def resident(self):
        """octets"""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int(re.search(r"VmRSS:\s+(\d+) kB", f.read())[1]) * 1024

    def cpu(self):
        """seconds"""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as f:
            words = f.read().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def connect(self, kind, source=None, timeout=20):
        return Client(self.port[kind], source, timeout)

    def smtp(self, kind="smtp", source=None, hello=b"EHLO client.test"):
        client = self.connect(kind, source)
        if kind == "submissions":
            client.tls()
        client.code()
        if hello:
            client.ask(hello)
        return client

    def pop3(self, user=None, password=None, kind="pop3"):
        client = self.connect(kind)
        if kind == "pop3s":
            client.tls()
        client.line()
        if user:
            assert client.say("USER " + user).startswith(b"+OK")
            assert client.say("PASS " + password).startswith(b"+OK")
        return client

    def fetch(self, user, password):
        """all messages, as they are kept, and takes them away"""
        with self.pop3() as client:
            assert client.say("UTF8").startswith(b"+OK")
            for _ in range(100):  # a client that went away without QUIT may still have the maildrop for a moment
                assert client.say("USER " + user).startswith(b"+OK")
                if not (said := client.say("PASS " + password)).startswith(b"-ERR [IN-USE]"):
                    break
                time.sleep(0.05)
            assert said.startswith(b"+OK"), said
            count = int(client.say("STAT").split()[1])
            found = []
            for n in range(count):
                found.append(client.many(f"RETR {n + 1}"))
                client.say(f"DELE {n + 1}")
            client.say("QUIT")
        return found

    def healthy(self):
        """it serves: a greeting, a reply and a close, and how long that took"""
        began = time.monotonic()
        with self.smtp() as client:
            assert client.ask(b"QUIT")[0] == 221
            assert client.at_end()
        return time.monotonic() - began


class Client:
    def __init__(self, port, source=None, timeout=20):
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout, (source, 0) if source else None)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.kept = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.socket.close()

    def tls(self, tls12=False):
        self.socket = (TLS_12 if tls12 else TLS).wrap_socket(self.socket)

    def send(self, octets):
        self.socket.sendall(octets)

    def read(self):
        """what comes next; b"" at the end"""
        octets = self.socket.recv(65536)
        self.kept += octets
        return octets

    def line(self):
        """without its end, which is CRLF"""
        while b"\n" not in self.kept:
            if not self.read():
                raise AssertionError(f"closed after {self.kept!r}")
        line, self.kept = self.kept.split(b"\n", 1)
        assert line.endswith(b"\r"), line
        return line[:-1]

    def reply(self):
        """its lines"""
        lines = [self.line()]
        while lines[-1][3:4] == b"-":
            lines.append(self.line())
        for line in lines:
            assert re.fullmatch(rb"[2345]\d\d[- ].*", line) and line[:3] == lines[0][:3], lines
        return lines

    def code(self):
        return int(self.reply()[0][:3])

    def ask(self, command):
        """(code, the reply as one text)"""
        self.send(command + CRLF)
        lines = self.reply()
        return int(lines[0][:3]), b"\n".join(line[4:] for line in lines)

    def say(self, command):
        self.send((command if isinstance(command, bytes) else command.encode()) + CRLF)
        return self.line()

    def many(self, command=None):
        """a POP3 reply of many lines: the octets, dots taken off"""
        status = self.say(command) if command else self.line()
        assert status.startswith(b"+OK"), status
        lines = []
        while True:
            line = self.line()
            if line == b".":
                return b"".join(x + CRLF for x in lines)
            lines.append(line[1:] if line.startswith(b".") else line)

    def rest(self):
        """all that still comes until the other side closes"""
        with contextlib.suppress(ConnectionResetError, ssl.SSLError):
            while self.read():
                pass
        kept, self.kept = self.kept, b""
        return kept

    def at_end(self):
        return self.rest() == b""

    def quiet(self, seconds=0.3):
        """nothing comes"""
        self.socket.settimeout(seconds)
        try:
            return not self.kept and not self.read() and False
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(20)
