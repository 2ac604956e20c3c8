#!/usr/bin/env python3
"""Accounts whose servers are found: SRV records of dnsmasq, a document over HTTPS, common names; Dovecot and Postfix behind them.

  account_test.py GLASSPOST

Exit status 77: skipped (no root, no namespaces, packages not to be had).
"""
import http.server
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers import namespace  # noqa: E402

MAIL, OLD, WEB = "127.0.0.10", "127.0.0.11", "127.0.0.20"
# In /etc/hosts of this world; what the DNS has stands below. All certificates are for these names but wrong.test.
HOSTS = {"mail.here.test": MAIL, "ns.test": "127.0.0.53"}
NAMES = {"mail.here.test": MAIL, "pop3.common.test": MAIL, "mail.common.test": MAIL, "mail.wrong.test": MAIL, "mail.dead.test": "127.0.0.99", "autoconfig.doc.test": WEB,
         "wellknown.test": WEB, "autoconfig.bad.test": WEB, "mail.old.test": OLD}
CERTIFIED = ["mail.here.test", "pop3.common.test", "mail.common.test", "mail.dead.test"]
SRV = [("_pop3s._tcp.here.test", "mail.here.test", 995, 0, 1), ("_submissions._tcp.here.test", "mail.here.test", 465, 0, 1), ("_pop3._tcp.star.test", "mail.here.test", 110, 0, 1),
       ("_submission._tcp.star.test", "mail.here.test", 587, 0, 1), ("_pop3s._tcp.wrong.test", "mail.wrong.test", 995, 0, 1), ("_submissions._tcp.wrong.test", "mail.wrong.test", 465, 0, 1),
       ("_pop3s._tcp.dead.test", "mail.dead.test", 995, 0, 1), ("_submissions._tcp.dead.test", "mail.dead.test", 465, 0, 1),
       ("_pop3s._tcp.spare.test", "mail.dead.test", 995, 5, 1), ("_pop3s._tcp.spare.test", "mail.here.test", 995, 10, 1), ("_submissions._tcp.spare.test", "mail.here.test", 465, 0, 1),
       ("_pop3s._tcp.old.test", "mail.old.test", 995, 0, 1), ("_submissions._tcp.old.test", "mail.old.test", 465, 0, 1)]
DOMAINS = ("here", "star", "wrong", "dead", "spare", "old", "doc", "common", "wellknown")
PASSWORD = "richtig-17"
DOCUMENT = """<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="doc.test"><domain>doc.test</domain>
<incomingServer type="imap"><hostname>mail.here.test</hostname><port>993</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
<incomingServer type="pop3"><hostname>mail.here.test</hostname><port>995</port><socketType>SSL</socketType><username>%EMAILADDRESS%</username></incomingServer>
<outgoingServer type="smtp"><hostname>mail.here.test</hostname><port>587</port><socketType>STARTTLS</socketType></outgoingServer></emailProvider></clientConfig>"""

W = None  # the world; made once
RUNNING = []


class Web(http.server.BaseHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append(self.headers["Host"] + self.path)
        host = self.headers["Host"]
        found = host == "autoconfig.doc.test" or (host == "wellknown.test" and self.path == "/.well-known/autoconfig/mail/config-v1.1.xml")
        body = DOCUMENT.encode() if found else b"<html>no</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def expired(folder, name):
    """folder/{cert,key}.pem for a name, by the authority of W's certificate, that ended yesterday"""
    folder.mkdir()
    tls = W.work / "tls"

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}", "-keyout", folder / "key.pem", "-out", folder / "csr.pem")
    (folder / "ext").write_text(f"subjectAltName=DNS:{name}\n")
    openssl("x509", "-req", "-in", folder / "csr.pem", "-CA", tls / "ca.pem", "-CAkey", tls / "ca-key.pem", "-CAcreateserial", "-days", -1, "-extfile", folder / "ext", "-out",
            folder / "cert.pem")
    (folder / "key.pem").chmod(0o644)
    return folder


def mail(label, address, users, certificate):
    from peers.dovecot import Dovecot
    from peers.postfix import Postfix

    dovecot = Dovecot(W, label + "-dovecot", address=address, users=users, mail=f"maildir:{W.work}/{label}-mail/%u", pop3=110, pop3s=995, certificate=certificate, cleartext=False)
    (W.work / f"{label}-mail").mkdir()
    shutil.chown(W.work / f"{label}-mail", namespace.USERS["vmail"], namespace.USERS["vmail"])
    RUNNING.append(dovecot.start())
    postfix = Postfix(W, label + "-postfix", host="mail.here.test", address=address, submission=587, submissions=465, domains=["here.test"], mailboxes={u: u for u in users},
                      certificate=certificate, sasl=dovecot.sasl)
    RUNNING.append(postfix.start())


def setUpModule():
    global W
    from peers.dnsmasq import Dnsmasq

    W = namespace.World(["postfix", "dovecot", "dnsmasq"], HOSTS)
    namespace.loopback_up([MAIL, OLD, WEB])
    certificate = namespace.certificate(W.work / "tls", CERTIFIED)
    web = namespace.certificate(W.work / "web", ["autoconfig.doc.test", "wellknown.test"])
    settings = [f"srv-host={name},{target},{port},{priority},{weight}" for name, target, port, priority, weight in SRV]
    settings += ["srv-host=_pop3s._tcp.none.test", "srv-host=_pop3._tcp.none.test", "srv-host=_submissions._tcp.none.test,mail.here.test,465,0,1"]
    RUNNING.append(Dnsmasq(W, hosts={n: a for n, a in NAMES.items() if n != "mail.here.test"}, settings=settings).start())
    users = {f"ada@{d}.test": PASSWORD for d in DOMAINS}
    mail("mail", MAIL, users, certificate)
    mail("old", OLD, users, expired(W.work / "expired", "mail.old.test"))
    server = http.server.ThreadingHTTPServer((WEB, 443), Web)
    server.handle_error = lambda *_: None  # a client that does not like the certificate
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(web / "cert.pem", web / "key.pem")
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    both = (certificate / "ca.pem").read_text() + (web / "ca.pem").read_text()
    (W.work / "ca.pem").write_text(both)


def tearDownModule():
    for peer in reversed(RUNNING):
        peer.stop()
    if W:
        W.remove()


class Found(unittest.TestCase):
    def add(self, domain, *words, password=PASSWORD, expect=0):
        accounts = W.work / f"{self.id()}-{domain}.toml"
        run = subprocess.run([GLASSPOST, "account", "add", f"ada@{domain}.test", "--accounts", accounts, "--ca", W.work / "ca.pem", "--password-file", "-", "--json", *words],
                             input=password + "\n", capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, expect, f"{run.stdout}\n{run.stderr}")
        self.assertNotIn(password, run.stdout + run.stderr)
        said = json.loads(run.stdout)
        self.assertEqual(said["stored"], expect == 0)
        self.assertEqual(accounts.exists(), expect == 0)
        self.warnings = run.stderr
        return said

    def way(self, said, service):
        row = said["found"][service]
        return row["origin"], row["host"], row["port"], row["tls"]

    def results(self, said):
        return [t["result"] for t in said["tests"]]

    def test_by_srv(self):
        said = self.add("here", "--dns", "127.0.0.53")
        self.assertEqual(self.way(said, "pop3"), ("srv", "mail.here.test", 995, "implicit"))
        self.assertEqual(self.way(said, "smtp"), ("srv", "mail.here.test", 465, "implicit"))
        self.assertEqual(self.results(said), ["ok", "ok"])
        self.assertNotIn("another domain", self.warnings)

    def test_by_srv_with_starttls_and_a_host_of_another_domain(self):
        said = self.add("star")  # by resolv.conf
        self.assertEqual(self.way(said, "pop3"), ("srv", "mail.here.test", 110, "starttls"))
        self.assertEqual(self.way(said, "smtp"), ("srv", "mail.here.test", 587, "starttls"))
        self.assertEqual(self.results(said), ["ok", "ok"])
        self.assertIn("another domain", self.warnings)

    def test_the_next_target_where_nobody_listens(self):
        said = self.add("spare")
        self.assertEqual(self.way(said, "pop3"), ("srv", "mail.here.test", 995, "implicit"))

    def test_not_offered(self):
        said = self.add("none", "--no-test")
        self.assertNotIn("pop3", said["found"])
        self.assertEqual(self.way(said, "smtp"), ("srv", "mail.here.test", 465, "implicit"))

    def test_wrong_password(self):
        said = self.add("here", password="falsch", expect=1)
        self.assertEqual(self.results(said), ["login-refused", "login-refused"])
        self.assertIn("Authentication failed", said["tests"][0]["text"])
        self.assertRegex(said["tests"][1]["text"], "^535 5.7.8 ")

    def test_certificates(self):
        for domain, why in (("wrong", "hostname mismatch"), ("old", "certificate has expired")):
            with self.subTest(domain):
                said = self.add(domain, expect=1)
                self.assertEqual(self.results(said), ["tls-failed", "tls-failed"])
                for test in said["tests"]:
                    self.assertIn(why, test["text"])

    def test_nobody_listens(self):
        said = self.add("dead", expect=1)
        self.assertEqual(self.results(said), ["unreachable", "unreachable"])
        self.assertIn("Connection refused", said["tests"][0]["text"])

    def test_by_a_document(self):
        said = self.add("doc")
        self.assertEqual(self.way(said, "pop3"), ("autoconfig", "mail.here.test", 995, "implicit"))
        self.assertEqual(self.way(said, "smtp"), ("autoconfig", "mail.here.test", 587, "starttls"))
        self.assertEqual(self.way(said, "imap"), ("autoconfig", "mail.here.test", 993, "implicit"))
        self.assertEqual(self.results(said), ["ok", "ok"])
        self.assertIn("autoconfig.doc.test/mail/config-v1.1.xml?emailaddress=ada%40doc.test", Web.asked)

    def test_by_a_document_at_the_well_known_place(self):
        said = self.add("wellknown")
        self.assertEqual(self.way(said, "pop3")[0], "autoconfig")
        self.assertEqual(said["found"]["pop3"]["where"], "https://wellknown.test/.well-known/autoconfig/mail/config-v1.1.xml")

    def test_no_document_with_a_certificate_of_others(self):
        said = self.add("bad", expect=1)
        steps = [s["result"] for s in said["found"]["steps"] if s["origin"] == "autoconfig"]
        self.assertIn("hostname mismatch", steps[0])
        self.assertFalse(any("autoconfig.bad.test" in a for a in Web.asked))

    def test_by_common_names(self):
        said = self.add("common")
        self.assertEqual(self.way(said, "pop3"), ("common-name", "pop3.common.test", 995, "implicit"))
        self.assertEqual(self.way(said, "smtp"), ("common-name", "mail.common.test", 465, "implicit"))
        self.assertEqual(self.results(said), ["ok", "ok"])

    def test_without_dns(self):
        said = self.add("here", "--dns", "127.0.0.54", "--pop3", "mail.here.test", "--smtp", "mail.here.test")
        self.assertEqual(self.results(said), ["ok", "ok"], "the host stands in /etc/hosts")
        said = self.add("nodns", "--dns", "127.0.0.54", expect=1)
        self.assertEqual([k for k in said["found"] if k != "steps"], [])


if __name__ == "__main__":
    namespace.enter()
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=1)
