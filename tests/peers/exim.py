"""Exim from its unpacked package: takes mail by SMTP, delivers into Maildirs, relays."""
import os

from peers.namespace import USERS
from peers.process import Server


class Exim(Server):
    name = "exim"

    def __init__(self, world, label=None, *, host, address, smtp=25, domain, users, relay_from="", route=None, certificate=None, settings=""):
        """users: the local parts at domain that have a mailbox, mail/LOCALPART; relay_from: addresses of clients; route: a smarthost "host::port" for the rest"""
        super().__init__(world, label)
        self.mail = self.folder / "mail"
        for folder in (self.mail, self.folder / "spool", self.folder / "log"):
            folder.mkdir()
            os.chown(folder, USERS["Debian-exim"], USERS["Debian-exim"])
        tls = f"tls_advertise_hosts = *\ntls_certificate = {certificate}/cert.pem\ntls_privatekey = {certificate}/key.pem" if certificate else "tls_advertise_hosts ="
        away = f"driver = manualroute\n  domains = ! +local_domains\n  route_list = * {route}\n  self = send" if route else "driver = dnslookup\n  domains = ! +local_domains"
        users = ":".join(users)
        self.conf = self.folder / "exim.conf"
        self.conf.write_text(f"""\
exim_user = Debian-exim
exim_group = Debian-exim
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%s.log
primary_hostname = {host}
local_interfaces = {address}
daemon_smtp_ports = {smtp}
domainlist local_domains = {domain}
hostlist relay_from = {relay_from}
acl_smtp_rcpt = rcpt
acl_smtp_data = accept
{tls}
smtputf8_advertise_hosts = *
host_lookup =
rfc1413_query_timeout = 0s
timeout_frozen_after = 1h
keep_environment =
never_users =
message_size_limit = 50M
smtp_accept_max = 200
queue_run_max = 10
{settings}
begin acl
rcpt:
  accept domains = +local_domains
         verify = recipient
  deny domains = +local_domains
       message = no such user here
  accept hosts = +relay_from
  deny message = relay not permitted
begin routers
away:
  {away}
  transport = remote
  no_more
here:
  driver = accept
  local_parts = {users}
  transport = maildir
begin transports
remote:
  driver = smtp
  message_linelength_limit = 1000000
maildir:
  driver = appendfile
  maildir_format
  directory = {self.mail}/$local_part_data
  create_directory
  user = Debian-exim
  group = Debian-exim
  return_path_add
  delivery_date_add = false
  envelope_to_add = false
begin retry
* * F,1h,2s
begin rewrite
begin authenticators
""", encoding="utf-8")
        os.chmod(self.conf, 0o644)
        self.listens = [(address, smtp)]

    def start(self):
        return self.launch(self.world.command("exim", "/usr/sbin/exim4", "-C", self.conf, "-bdf", "-q2s"))

    def messages(self, folder):
        new = self.mail / folder / "new"
        files = sorted(new.iterdir(), key=lambda f: f.stat().st_mtime_ns) if new.is_dir() else []
        return [f.read_bytes().replace(b"\n", b"\r\n") for f in files]
