"""Dovecot from its unpacked package: POP3 and IMAP over Maildirs, LMTP, and logins for Postfix."""
import os

from peers.namespace import USERS
from peers.process import Server


class Dovecot(Server):
    name = "dovecot"

    def __init__(self, world, label=None, *, address, users, mail, pop3=110, pop3s=None, imap=None, imaps=None, certificate=None, cleartext=True, mechanisms="plain login scram-sha-256",
                 settings=""):
        """users: {address: password, or "{SCHEME}verifier"}; mail: a mail_location; settings: more of dovecot.conf"""
        super().__init__(world, label)
        etc, state = self.folder / "etc", self.folder / "run"
        etc.mkdir()
        state.mkdir()
        (etc / "users").write_text("".join(f"{u}:{p if p.startswith('{') else '{PLAIN}' + p}::::::\n" for u, p in users.items()), encoding="utf-8")
        self.sasl = self.folder / "auth"
        self.lmtp = self.folder / "lmtp"
        tls = "ssl = no"
        if certificate:
            tls = f"ssl = yes\nssl_cert = <{certificate}/cert.pem\nssl_key = <{certificate}/key.pem\nssl_dh ="
        self.conf = etc / "dovecot.conf"
        self.conf.write_text(f"""\
base_dir = {state}
state_dir = {state}
log_path = {self.folder}/dovecot.log
protocols = pop3 lmtp{' imap' if imap or imaps else ''}
listen = {address}
{tls}
disable_plaintext_auth = {"no" if cleartext else "yes"}
auth_mechanisms = {mechanisms}
auth_username_chars =
mail_location = {mail}
first_valid_uid = 1
pop3_uidl_format = %08Xu%08Xv
passdb {{
  driver = passwd-file
  args = {etc}/users
}}
userdb {{
  driver = static
  args = uid={USERS["vmail"]} gid={USERS["vmail"]} home={self.folder}/home/%u
}}
service auth {{
  unix_listener {self.sasl} {{
    mode = 0666
  }}
}}
service lmtp {{
  unix_listener {self.lmtp} {{
    mode = 0666
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = {pop3}
  }}
  inet_listener pop3s {{
    port = {pop3s or 0}
    ssl = yes
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap or 0}
  }}
  inet_listener imaps {{
    port = {imaps or 0}
    ssl = yes
  }}
}}
{settings}
""", encoding="utf-8")
        (self.folder / "home").mkdir()
        os.chown(self.folder / "home", USERS["vmail"], USERS["vmail"])
        self.listens = [(address, port) for port in (pop3, pop3s, imap, imaps) if port]

    def start(self):
        return self.launch(self.world.command("dovecot", "/usr/sbin/dovecot", "-F", "-c", self.conf))
