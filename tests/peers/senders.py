"""Programs that send: each takes a message's octets to a site's port 25, 587 or 465, and raises NotSent if it was refused.

A way is "smtp" (25, in the clear), "starttls" (25), "submission" (587 after STARTTLS, with a login), "submissions" (465, with a login).
"""
import smtplib
import ssl
import tempfile

WAYS = ("smtp", "starttls", "submission", "submissions")


class NotSent(Exception):
    pass


def check(done):
    if done.returncode != 0:
        raise NotSent(f"exit status {done.returncode}\n{done.stdout.decode(errors='replace')[-3000:]}\n{done.stderr.decode(errors='replace')[-3000:]}")
    return done


def port(site, way):
    return {"smtp": site.smtp, "starttls": site.smtp, "submission": site.submission, "submissions": site.submissions}[way]


def with_login(way):
    return way.startswith("submission")


class Sender:
    mechanisms = ("PLAIN", "LOGIN")
    ways = WAYS
    verbatim = True  # whether what it is given goes out as it is

    def __init__(self, world):
        self.world = world
        self.folder = world.work

    def file(self, text):
        with tempfile.NamedTemporaryFile("wb", dir=self.folder, delete=False) as f:
            f.write(text if isinstance(text, bytes) else text.encode())
        return f.name


class Smtplib(Sender):
    name = "smtplib"

    def connect(self, site, way, user=None, password=None, mechanism="PLAIN"):
        context = ssl.create_default_context(cafile=site.ca)
        if way == "submissions":
            client = smtplib.SMTP_SSL(site.host, port(site, way), local_hostname="laptop.here.test", context=context, timeout=60)
        else:
            client = smtplib.SMTP(site.host, port(site, way), local_hostname="laptop.here.test", timeout=60)
        try:
            client.ehlo()
            if way in ("starttls", "submission"):
                client.starttls(context=context)
                client.ehlo()
            if with_login(way) and user:
                client.user, client.password = user, password
                client.auth(mechanism, {"PLAIN": client.auth_plain, "LOGIN": client.auth_login}[mechanism], initial_response_ok=mechanism == "PLAIN")
        except Exception:
            client.close()
            raise
        return client

    def send(self, site, way, user, password, sender, recipients, octets, mechanism="PLAIN"):
        with self.connect(site, way, user, password, mechanism) as client:
            options = ["SMTPUTF8", "BODY=8BITMIME"] if not (sender + "".join(recipients)).isascii() else []
            if not octets.isascii() and not options:
                options = ["BODY=8BITMIME"]
            refused = client.sendmail(sender, recipients, octets, options)
            if refused:
                raise NotSent(str(refused))


class Swaks(Sender):
    name = "swaks"

    def send(self, site, way, user, password, sender, recipients, octets, mechanism="PLAIN"):
        arguments = ["--server", site.host, "--port", port(site, way), "--helo", "laptop.here.test", "--from", sender, "--to", ",".join(recipients),
                     "--data", "@" + self.file(octets.removesuffix(b"\r\n")), "--tls-ca-path", site.ca, "--tls-verify", "--timeout", "60s"]
        arguments += {"smtp": [], "starttls": ["--tls"], "submission": ["--tls"], "submissions": ["--tls-on-connect"]}[way]
        if with_login(way):
            arguments += ["--auth", mechanism, "--auth-user", user, "--auth-password", password]
        check(self.world.run("swaks", "/usr/bin/swaks", *arguments, timeout=120))


class Msmtp(Sender):
    name = "msmtp"
    mechanisms = ("PLAIN", "LOGIN", "SCRAM-SHA-256")

    def send(self, site, way, user, password, sender, recipients, octets, mechanism="PLAIN"):
        conf = [f"host {site.host}", f"port {port(site, way)}", f"from {sender}", "domain laptop.here.test", f"tls_trust_file {site.ca}", "set_date_header off", "timeout 60",
                f"tls {'off' if way == 'smtp' else 'on'}", f"tls_starttls {'off' if way == 'submissions' else 'on'}"]
        if with_login(way):
            conf += [f"auth {mechanism.lower()}", f"user {user}", f"password {password}"]
        path = self.file("account default\n" + "".join(line + "\n" for line in conf))
        check(self.world.run("msmtp", "/usr/bin/msmtp", "-C", path, "-d", "--", *recipients, input=octets.replace(b"\r\n", b"\n")))


class Curl(Sender):
    name = "curl"

    def send(self, site, way, user, password, sender, recipients, octets, mechanism="PLAIN"):
        scheme = "smtps" if way == "submissions" else "smtp"
        arguments = ["--silent", "--show-error", "--max-time", 60, "--cacert", site.ca, "--mail-from", sender, "-T", self.file(octets)]
        for one in recipients:
            arguments += ["--mail-rcpt", one]
        if way in ("starttls", "submission"):
            arguments += ["--ssl-reqd"]
        if with_login(way):
            arguments += ["--user", f"{user}:{password}", "--login-options", f"AUTH={mechanism}"]
        check(self.world.run("curl", "/usr/bin/curl", *arguments, f"{scheme}://{site.host}:{port(site, way)}/laptop.here.test"))


class Snail(Sender):
    """makes its message itself, out of the body of what it is given"""

    name = "s-nail"
    verbatim = False

    def send(self, site, way, user, password, sender, recipients, octets, mechanism="PLAIN"):
        head, _, body = octets.partition(b"\r\n\r\n")
        subject = next(line[9:] for line in head.decode().split("\r\n") if line.startswith("Subject: "))
        where = f"{site.host}:{port(site, way)}"
        settings = ["v15-compat=y", "ttycharset=utf-8", f"tls-ca-file={site.ca}", "tls-verify=strict", f"from={sender}", "hostname=laptop.here.test", "mime-encoding=8bit", "nosave"]
        if way in ("starttls", "submission"):
            settings.append("smtp-use-starttls")
        if with_login(way):
            settings += [f"smtp-auth={mechanism.lower()}"]
            where = f"{user.replace('@', '%40')}:{password}@{where}"
        else:
            settings.append("smtp-auth=none")
        settings.append(f"mta={'smtps' if way == 'submissions' else 'smtp'}://{where}")
        arguments = [a for s in settings for a in ("-S", s)]
        check(self.world.run("s-nail", "/usr/bin/s-nail", "-:/", *arguments, "-S", "sendwait", "-s", subject, *recipients, input=body.replace(b"\r\n", b"\n"),
                             env={"HOME": str(self.folder), "LC_ALL": "C.UTF-8", "PATH": "/usr/sbin:/usr/bin"}))


ALL = (Smtplib, Swaks, Msmtp, Curl, Snail)
