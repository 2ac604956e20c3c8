"""What the tests talk to: a domain here.test with SMTP, submission and POP3. Glasspost, or Postfix with Dovecot in its place.

The second shows that the tests themselves are right: what real servers do must pass them.
"""
import base64
import hashlib
import hmac
import json
import os
import pathlib
import socket
import struct
import subprocess
import time

from peers.dovecot import Dovecot
from peers.postfix import Postfix
from peers.process import Server

HOST, ADDRESS = "mail.here.test", "127.0.0.10"
PORTS = {"smtp": 25, "submission": 10587, "submissions": 10465, "pop3": 10110, "pop3s": 10995}


class Site:
    """host, address, smtp, submission, submissions, pop3, pop3s (ports), ca (file), users {address: password}, apop"""

    host, address = HOST, ADDRESS
    smtp, submission, submissions, pop3, pop3s = PORTS.values()


class RealSite(Site):
    """Postfix and Dovecot"""

    name = "postfix and dovecot"
    apop = False  # it could, but then all who log in need it

    def __init__(self, world, users, certificate, domain="here.test", host=HOST, address=ADDRESS, smarthost=None, label="site"):
        self.world, self.users, self.ca = world, users, certificate / "ca.pem"
        self.host, self.address = host, address
        self.dovecot = Dovecot(world, label + "-dovecot", address=address, users=users, mail=f"maildir:{world.work}/{label}-postfix/mail/%u", pop3=self.pop3, pop3s=self.pop3s,
                               certificate=certificate)
        settings = {"local_header_rewrite_clients": "permit_sasl_authenticated", "smtpd_sender_login_maps": f"texthash:{world.work}/{label}-logins",
                    "smtpd_sender_restrictions": "reject_authenticated_sender_login_mismatch", "smtpd_reject_unlisted_sender": "no"}
        (world.work / f"{label}-logins").write_text("".join(f"{u} {u}\n" for u in users))
        if smarthost:
            (world.work / f"{label}-passwords").write_text(f"[{smarthost['host']}]:{smarthost['port']} {smarthost['user']}:{smarthost['password']}\n")
            settings |= {"relayhost": f"[{smarthost['host']}]:{smarthost['port']}", "smtp_sasl_auth_enable": "yes", "smtp_tls_security_level": "encrypt",
                         "smtp_sasl_password_maps": f"texthash:{world.work}/{label}-passwords", "smtp_sasl_security_options": "", "smtp_host_lookup": "native"}
        self.postfix = Postfix(world, label + "-postfix", host=host, address=address, submission=self.submission, submissions=self.submissions, domains=[domain],
                               mailboxes={u: u for u in users}, certificate=certificate, sasl=self.dovecot.sasl, settings=settings)

    def start(self):
        self.dovecot.start()
        self.postfix.start()
        return self

    def stop(self):
        self.postfix.stop()
        self.dovecot.stop()

    def logs(self):
        return self.postfix.logs() + self.dovecot.logs()


def glasspost_config(*, host, address, ports, data, certificate=None, name_server=None, smarthost=None, more=""):
    """The one place that knows the configuration's keys."""
    listen = "".join(f'{name} = ["{address}:{port}"]\n' for name, port in ports.items())
    text = f'[server]\nhost = "{host}"\ndata = "{data}"\n[listen]\n{listen}[http]\nlisten = []\n'
    if certificate:
        text += f'[tls]\ncertificate = "{certificate}/cert.pem"\nkey = "{certificate}/key.pem"\n'
    if name_server:
        text += f'[resolver]\nname_servers = ["{name_server}"]\n'
    text += '[retry]\nfirst = "2s"\ngrowth = 1.0\nmaximum = "4s"\n'
    if smarthost:
        text += f'[smarthost]\nhost = "{smarthost["host"]}"\nport = {smarthost["port"]}\ntls = "required"\nuser = "{smarthost["user"]}"\npassword = "{smarthost["password"]}"\n'
    return text + more


class Glasspost(Server):
    """`glasspost serve`, with a data folder and users of its own"""

    name = "glasspost"

    def __init__(self, world, program, label=None, *, domain, users, config):
        """config: glasspost_config's arguments but data; users: {address: password}"""
        super().__init__(world, label)
        self.program = str(program)
        self.data = self.folder / "data"
        self.data.mkdir(mode=0o700)
        self.conf = self.folder / "glasspost.toml"
        self.conf.write_text(glasspost_config(data=self.data, **config))
        self.conf.chmod(0o600)
        self.listens = [(config["address"], port) for port in config["ports"].values()]
        self.domain, self.users = domain, users

    def ask(self, *requests):
        """the answers of the administration socket (server/admin_frames.h) to requests as in server/admin.h"""
        answers = []
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(60)
            s.connect(str(self.data / "glasspost.sock"))
            with s.makefile("rb") as answer:
                for request in requests:
                    text = json.dumps(request).encode()
                    s.sendall(struct.pack("!I", len(text)) + b"J" + text)
                    while True:
                        length, kind = struct.unpack("!Ic", answer.read(5))
                        content = answer.read(length)
                        if kind == b"J" and "ok" in (got := json.loads(content)):
                            break
                    if not got["ok"]:
                        raise RuntimeError(f"glasspost refuses {request}: {got}")
                    answers.append(got)
        return answers

    def start(self):
        self.launch([self.program, "serve", "--config", str(self.conf)])
        until = time.monotonic() + 10
        while not (self.data / "glasspost.sock").exists() and time.monotonic() < until:
            time.sleep(0.02)
        self.ask({"do": "domain.add", "domain": self.domain})
        self.add_users(self.users)
        return self

    def add_users(self, users):
        """users: {address: password, or "{SCHEME}verifier"}"""
        self.ask(*({"do": "user.add", "address": user, **({"verifiers": [password]} if password.startswith("{") else {"password": password})} for user, password in users.items()))


def scram(password):
    """a {SCRAM-SHA-256} verifier (RFC 5803, in Dovecot's form), which costs less than ARGON2ID to make and to check"""
    salt = os.urandom(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, 4096)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    return "{SCRAM-SHA-256}4096," + ",".join(base64.b64encode(part).decode() for part in (salt, stored, server))


class GlasspostSite(Site):
    name = "glasspost"
    apop = False

    def __init__(self, world, users, certificate, program, domain="here.test", host=HOST, address=ADDRESS, smarthost=None, label="site"):
        self.users, self.ca = users, certificate / "ca.pem"
        self.host, self.address = host, address
        # One user is added with the password itself, as people do it.
        verifiers = {user: scram(password) if user.isascii() else password for user, password in users.items()}
        self.server = Glasspost(world, program, label, domain=domain, users=verifiers,
                                config={"host": host, "address": address, "ports": PORTS, "certificate": certificate, "name_server": "127.0.0.53:53", "smarthost": smarthost})

    def start(self):
        self.server.start()
        return self

    def stop(self):
        self.server.stop()

    def logs(self):
        return self.server.logs()


def serves(program):
    """whether that glasspost has the command already"""
    if not program or not os.access(pathlib.Path(program), os.X_OK):
        return False
    return subprocess.run([program, "help", "serve"], capture_output=True).returncode == 0
