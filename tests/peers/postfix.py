"""Postfix from its unpacked package: takes mail by SMTP and submission, delivers into Maildirs, relays."""
import os

from peers.namespace import USERS
from peers.process import Server

MASTER = """\
pickup    unix  n - n 60  1 pickup
cleanup   unix  n - n -   0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n -   - trivial-rewrite
bounce    unix  - - n -   0 bounce
defer     unix  - - n -   0 bounce
trace     unix  - - n -   0 bounce
verify    unix  - - n -   1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n -   - proxymap
smtp      unix  - - n -   {relays} smtp
error     unix  - - n -   - error
retry     unix  - - n -   - error
discard   unix  - - n -   - discard
virtual   unix  - n n -   - virtual
lmtp      unix  - - n -   - lmtp
anvil     unix  - - n -   1 anvil
scache    unix  - - n -   1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""


class Postfix(Server):
    name = "postfix"

    def __init__(self, world, label=None, *, host, address, smtp=25, submission=None, submissions=None, domains=(), mailboxes=None, mailbox_map=None,
                 certificate=None, sasl=None, sessions=100, deliveries=None, relays=None, settings=None):
        """domains: those it has mailboxes for; mailboxes: {address: folder below mail/} (or mailbox_map, a Postfix table);
        sasl: path of Dovecot's socket for logins; sessions, deliveries, relays: processes at most; settings: more of main.cf"""
        super().__init__(world, label)
        etc = self.folder / "etc"
        for folder in ("etc", "spool", "data", "mail"):
            (self.folder / folder).mkdir()
        self.mail = self.folder / "mail"
        os.chown(self.mail, USERS["vmail"], USERS["vmail"])
        os.chown(self.folder / "data", USERS["postfix"], USERS["postfix"])
        (etc / "mailboxes").write_text("".join(f"{a} {f}/\n" for a, f in (mailboxes or {}).items()), encoding="utf-8")
        main = {
            "compatibility_level": "3.6",
            "queue_directory": self.folder / "spool",
            "meta_directory": world.trees["postfix"] / "etc/postfix",
            "data_directory": self.folder / "data",
            "maillog_file": self.folder / "mail.log",
            "maillog_file_prefixes": self.folder,
            "myhostname": host,
            "mydestination": "",
            "local_recipient_maps": "",
            "alias_maps": "",
            "alias_database": "",
            "inet_interfaces": address,
            "inet_protocols": "all" if ":" in address else "ipv4",
            "mynetworks": "",
            "virtual_minimum_uid": "1",
            "virtual_mailbox_limit": "0",
            "virtual_mailbox_domains": " ".join(domains),
            "virtual_mailbox_base": self.mail,
            "virtual_mailbox_maps": mailbox_map or f"texthash:{etc}/mailboxes",
            "virtual_uid_maps": f"static:{USERS['vmail']}",
            "virtual_gid_maps": f"static:{USERS['vmail']}",
            "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination",
            "smtp_host_lookup": "dns, native",
            "message_size_limit": "52428800",
            "smtp_line_length_limit": "0",
            "smtpd_client_connection_count_limit": "0",
            "default_process_limit": "100",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "4s",
            "queue_run_delay": "2s",
        }
        if certificate:
            main |= {"smtpd_tls_security_level": "may", "smtpd_tls_cert_file": certificate / "cert.pem", "smtpd_tls_key_file": certificate / "key.pem",
                     "smtp_tls_security_level": "may", "smtp_tls_CAfile": certificate / "ca.pem"}
        if sasl:
            main |= {"smtpd_sasl_auth_enable": "yes", "smtpd_sasl_type": "dovecot", "smtpd_sasl_path": sasl,
                     "smtpd_tls_auth_only": "yes" if certificate else "no"}
        self.etc = etc
        self.main = main | (settings or {})
        self.write_main()
        services = [f"{address}:{smtp} inet n - n - {sessions} smtpd"]
        self.listens.append((address, smtp))
        if submission:
            services.append(f"{address}:{submission} inet n - n - {sessions} smtpd -o smtpd_tls_security_level=encrypt")
            self.listens.append((address, submission))
        if submissions:
            services.append(f"{address}:{submissions} inet n - n - {sessions} smtpd -o smtpd_tls_wrappermode=yes")
            self.listens.append((address, submissions))
        master = MASTER.format(relays=relays or "-")
        if deliveries:
            master = master.replace("virtual   unix  - n n -   -", f"virtual   unix  - n n -   {deliveries}")
        (etc / "master.cf").write_text("\n".join(services) + "\n" + master)

    def write_main(self):
        (self.etc / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in self.main.items()), encoding="utf-8")

    def reload(self, **settings):
        self.main |= settings
        self.write_main()
        self.world.run("postfix", "/usr/sbin/postfix", "-c", self.etc, "reload")

    def start(self):
        # The first "postfix check" makes the queue's folders; then its master is a child of ours.
        self.world.run("postfix", "/usr/sbin/postfix", "-c", self.etc, "check")
        return self.launch(self.world.command("postfix", "/usr/lib/postfix/sbin/master", "-c", self.etc, "-d"))

    def flush(self):
        """what is deferred is tried now"""
        self.world.run("postfix", "/usr/sbin/postqueue", "-c", self.etc, "-f")

    def queued(self):
        """messages that are in its queue"""
        return sum(len(files) for queue in ("maildrop", "incoming", "active", "deferred") for _, _, files in os.walk(self.folder / "spool" / queue))

    def delivered(self, folder=None):
        """messages that are in the mailboxes"""
        total = 0
        for box in [self.mail / folder] if folder else self.mail.iterdir():
            try:
                total += len(os.listdir(box / "new"))
            except FileNotFoundError:
                pass
        return total

    def messages(self, folder):
        """the octets of each message in a mailbox, lines ending in CRLF, in the order of arrival"""
        new = self.mail / folder / "new"
        files = sorted(new.iterdir(), key=lambda f: f.stat().st_mtime_ns) if new.is_dir() else []
        return [f.read_bytes().replace(b"\n", b"\r\n") for f in files]
