"""Programs that fetch by POP3: each brings the messages of a maildrop, as octets with lines ending in CRLF.

A way is "pop3" (110, in the clear), "stls" (110 after STLS), "pop3s" (995).
"""
import os
import pathlib
import poplib
import ssl
import sys
import tempfile

from peers.namespace import USERS

poplib._MAXLINE = 1 << 20  # its 2048 is for commands and replies; messages have longer lines

WAYS = ("pop3", "stls", "pop3s")


class NotFetched(Exception):
    pass


said = ""  # by the program that ran last: for the message of a test that fails


def check(done, fine=(0,)):
    global said
    said = (done.stdout[-3000:] + done.stderr[-3000:]).decode(errors="replace")
    if done.returncode not in fine:
        raise NotFetched(f"exit status {done.returncode}\n{said}")
    return done.stdout


def port(site, way):
    return site.pop3s if way == "pop3s" else site.pop3


class Fetcher:
    ways = WAYS
    mechanisms = ("USER",)
    remembers = False  # whether it leaves what it has fetched already

    def __init__(self, world):
        self.world = world
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=world.work))  # what it remembers lies here

    def delivered(self):
        """the files in its Maildir, which are taken away"""
        new = self.folder / "Maildir/new"
        found = []
        for path in sorted(new.iterdir()):
            octets = path.read_bytes()
            found.append(octets if b"\r\n" in octets else octets.replace(b"\n", b"\r\n"))
            path.unlink()
        return found

    def maildir(self):
        for name in ("cur", "new", "tmp"):
            (self.folder / "Maildir" / name).mkdir(parents=True, exist_ok=True)
        return self.folder / "Maildir"


class Poplib(Fetcher):
    name = "poplib"
    mechanisms = ("USER", "APOP")

    def connect(self, site, way, user, password, mechanism="USER"):
        context = ssl.create_default_context(cafile=site.ca)
        if way == "pop3s":
            box = poplib.POP3_SSL(site.host, port(site, way), context=context, timeout=60)
        else:
            box = poplib.POP3(site.host, port(site, way), timeout=60)
        try:
            if way == "stls":
                box.stls(context)
            if mechanism == "APOP":
                box.apop(user, password)
            else:
                if not user.isascii() and "UTF8" in box.capa():
                    box.utf8()
                box.user(user)
                box.pass_(password)
        except Exception:
            box.close()
            raise
        return box

    def fetch(self, site, way, user, password, delete=True, mechanism="USER"):
        box = self.connect(site, way, user, password, mechanism)
        found = []
        count, size = box.stat()
        sizes = {int(line.split()[0]): int(line.split()[1]) for line in box.list()[1]}
        assert len(sizes) == count and sum(sizes.values()) == size, (count, size, sizes)
        unique = {line.split()[1] for line in box.uidl()[1]}
        assert len(unique) == count, unique
        for number in sizes:
            octets = b"".join(line + b"\r\n" for line in box.retr(number)[1])
            assert len(octets) == sizes[number], f"message {number} has {len(octets)} octets, LIST says {sizes[number]}"
            found.append(octets)
            if delete:
                box.dele(number)
        box.quit()
        return found


class Curl(Fetcher):
    name = "curl"
    mechanisms = ("PLAIN", "LOGIN")  # USER only where there is no other

    def fetch(self, site, way, user, password, delete=True, mechanism="PLAIN"):
        scheme = "pop3s" if way == "pop3s" else "pop3"
        common = ["--silent", "--show-error", "--max-time", 60, "--cacert", site.ca, "--user", f"{user}:{password}"]
        common += ["--login-options", f"AUTH={mechanism}"]
        if way == "stls":
            common += ["--ssl-reqd"]

        def curl(number, *more):
            return check(self.world.run("curl", "/usr/bin/curl", *common, *more, f"{scheme}://{site.host}:{port(site, way)}/{number}"))

        numbers = [int(line.split()[0]) for line in curl("").split(b"\r\n") if line]
        found = [curl(number) for number in numbers]
        for number in numbers if delete else []:
            curl(numbers[0], "--request", "DELE", "--head")
        return found


class Mpop(Fetcher):
    name = "mpop"
    mechanisms = ("USER", "PLAIN", "LOGIN", "SCRAM-SHA-256")
    remembers = True

    def fetch(self, site, way, user, password, delete=True, mechanism="USER"):
        conf = self.folder / "mpoprc"
        conf.write_text(f"""account default
host {site.host}
port {port(site, way)}
tls {"off" if way == "pop3" else "on"}
tls_starttls {"off" if way == "pop3s" else "on"}
tls_trust_file {site.ca}
user {user}
password {password}
auth {mechanism.lower()}
keep {"off" if delete else "on"}
received_header off
uidls_file {self.folder}/uidls
delivery maildir {self.maildir()}
timeout 60
""")
        conf.chmod(0o600)
        check(self.world.run("mpop", "/usr/bin/mpop", "-C", conf, "-d", timeout=120))
        return self.delivered()


class Fetchmail(Fetcher):
    name = "fetchmail"
    remembers = True

    def fetch(self, site, way, user, password, delete=True, mechanism="USER"):
        conf = self.folder / "fetchmailrc"
        deliver = self.folder / "deliver"
        deliver.write_text(f'#!/bin/sh\nexec cat >"$(mktemp {self.maildir()}/new/$(date +%s%N).XXXXXX)"\n')
        deliver.chmod(0o755)
        tls = {"pop3": "sslproto ''", "stls": "sslproto TLS1+ sslcertck", "pop3s": "ssl sslcertck"}[way]
        conf.write_text(f"set invisible\npoll {site.host} protocol pop3 service {port(site, way)} {'' if delete else 'uidl'}\n  user '{user}' password '{password}'\n"
                        f"  {tls} sslcertfile {site.ca} {'nokeep' if delete else 'keep'} pass8bits norewrite stripcr\n  mda '{deliver}'\n")
        conf.chmod(0o600)
        env = {"FETCHMAILHOME": str(self.folder), "HOME": str(self.folder), "PATH": "/usr/sbin:/usr/bin:/bin:/sbin", "LC_ALL": "C"}
        done = self.world.run("fetchmail", "/usr/bin/fetchmail", "-f", conf, "--nodetach", "--nosyslog", "-v", "--timeout", 60, timeout=120, env=env)
        check(done, (0, 1))  # 1: no mail
        return self.delivered()


class Getmail(Fetcher):
    name = "getmail"
    ways = ("pop3", "pop3s")
    remembers = True

    def fetch(self, site, way, user, password, delete=True, mechanism="USER"):
        conf = self.folder / "getmailrc"
        self.folder.chmod(0o755)
        for path in (self.maildir(), *self.maildir().iterdir()):  # it does not deliver as root
            os.chown(path, USERS["vmail"], USERS["vmail"])
        kind = "SimplePOP3SSLRetriever" if way == "pop3s" else "SimplePOP3Retriever"
        tls = f"ca_certs = {site.ca}\n" if way == "pop3s" else ""
        conf.write_text(f"""[retriever]
type = {kind}
server = {site.host}
port = {port(site, way)}
username = {user}
password = {password}
{tls}[destination]
type = Maildir
path = {self.maildir()}/
user = vmail
[options]
delete = {"true" if delete else "false"}
read_all = false
received = false
delivered_to = false
verbose = 2
""")
        # Its own modules only, with whatever Python runs the tests: a Python of Debian's need not be there.
        env = {"PYTHONPATH": str(self.world.trees["getmail"] / "usr/lib/python3/dist-packages"), "HOME": str(self.folder), "PATH": "/usr/bin:/bin"}
        check(self.world.run("getmail", sys.executable, "/usr/bin/getmail", f"--getmaildir={self.folder}", f"--rcfile={conf}", timeout=120, env=env))
        return self.delivered()


ALL = (Poplib, Curl, Mpop, Fetchmail, Getmail)
