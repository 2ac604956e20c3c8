#!/usr/bin/env python3
"""Real clients and servers: what they send, fetch and relay through a site arrives octet for octet.

  interop_test.py [--site glasspost|real] [--keep] [GLASSPOST] [TEST…]
      --site real   Postfix and Dovecot in Glasspost's place: shows that the tests are right
      --keep        leave the work folder, with all logs
      TEST          as for unittest: Sending, Fetching.test_mpop, …

Exit status 77: skipped (no root, no namespaces, packages not to be had).
"""
import argparse
import email
import email.policy
import os
import pathlib
import poplib
import smtplib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from peers import fetchers, messages, namespace, senders, sites  # noqa: E402

HOSTS = {"mail.here.test": "127.0.0.10", "mail.post.test": "127.0.0.20", "mail.exim.test": "127.0.0.30", "mail.away.test": "127.0.0.40", "dead.two.test": "127.0.0.41",
         "smart.test": "127.0.0.50", "seven.test": "127.0.0.60", "ns.test": "127.0.0.53"}
MX = [("here.test", "mail.here.test", 10), ("post.test", "mail.post.test", 10), ("exim.test", "mail.exim.test", 10), ("away.test", "mail.away.test", 10),
      ("two.test", "dead.two.test", 5), ("two.test", "mail.post.test", 20), ("seven.test", "seven.test", 10), ("null.test", ".", 0)]
BOXES = 90
UTF8_USER = "用户@here.test"
REMOTE = ["bob", "carl", "slow", "用户", *(f"r{i}" for i in range(40))]

W = None  # the world; made once
SITE = None
_free = None


def setUpModule():
    global W, SITE, TLS, DNS, _free
    from peers.dnsmasq import Dnsmasq

    W = namespace.World(["postfix", "dovecot", "exim", "dnsmasq", "swaks", "msmtp", "mpop", "fetchmail", "getmail", "s-nail", "curl"], HOSTS)
    TLS = namespace.certificate(W.work / "tls", list(HOSTS), list(HOSTS.values()))
    DNS = Dnsmasq(W, mx=MX, hosts={**HOSTS, "nomx.test": "127.0.0.20"}).start()
    users = {f"u{i}@here.test": f"pass-{i}-word" for i in range(BOXES)} | {UTF8_USER: "passwort"}
    _free = iter(list(users.items())[:BOXES])
    SITE = make_site(users).start()


def make_site(users, **more):
    if OPTIONS.site == "real":
        return sites.RealSite(W, users, TLS, **more)
    return sites.GlasspostSite(W, users, TLS, OPTIONS.glasspost, **more)


def tearDownModule():
    if SITE:
        SITE.stop()
    if W:
        DNS.stop()
        print(f"kept: {W.work}") if OPTIONS.keep else W.remove()


def fresh():
    """a user whose mailbox is empty: address, password"""
    return next(_free)


def until(condition, seconds=30):
    """the first true result of condition; its last one after that time"""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.1)


def maildrop(user, password, site=None):
    return fetchers.Poplib(W).fetch(site or SITE, "pop3s", user, password, delete=False)


def arrived(user, password, count=1, seconds=30, site=None):
    """at least so many messages of a mailbox"""
    found = []

    def enough():
        nonlocal found
        found = maildrop(user, password, site)
        return len(found) >= count

    until(enough, seconds)
    return found


class Case(unittest.TestCase):
    maxDiff = None

    def same(self, got, wanted):
        self.assertIsNone(messages.difference(messages.without_trace(got), wanted))

    def run(self, result=None):
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before and SITE:
            print(f"\n=== {self.id()}: the site's last lines\n{SITE.logs()[-4000:]}\n===", file=sys.stderr)


class Sending(Case):
    """senders × ways × mechanisms, then kinds of messages"""

    def each_way(self, sender):
        sent = []
        user, password = fresh()
        for way in sender.ways:
            for mechanism in sender.mechanisms if senders.with_login(way) else ("PLAIN",):
                with self.subTest(client=sender.name, way=way, mechanism=mechanism):
                    octets = messages.message(f"{sender.name} {way} {mechanism}", b"Hello.\r\n")
                    sender.send(SITE, way, user, password, user, [user], octets, mechanism=mechanism)
                    sent.append(octets)
        found = arrived(user, password, len(sent))
        self.assertEqual(len(found), len(sent))
        if sender.verbatim:
            self.assertEqual(sorted(map(messages.without_trace, found)), sorted(sent))
        else:
            self.assertEqual(sorted(email.message_from_bytes(f)["Subject"] for f in found), sorted(email.message_from_bytes(s)["Subject"] for s in sent))
            self.assertEqual({f.partition(b"\r\n\r\n")[2] for f in found}, {b"Hello.\r\n"})

    def test_smtplib(self):
        self.each_way(senders.Smtplib(W))

    def test_swaks(self):
        self.each_way(senders.Swaks(W))

    def test_msmtp(self):
        self.each_way(senders.Msmtp(W))

    def test_curl(self):
        self.each_way(senders.Curl(W))

    def test_s_nail(self):
        self.each_way(senders.Snail(W))

    def kinds(self, sender, names, way="submissions"):
        for name in names:
            with self.subTest(client=sender.name, kind=name):
                user, password = self.box
                octets = messages.MESSAGES[name]
                sender.send(SITE, way, user, password, user, [user], octets)
                self.count += 1
                found = arrived(user, password, self.count)
                self.assertEqual(len(found), self.count)
                self.same(found[-1], octets)

    def setUp(self):
        self.count = 0

    def test_kinds_by_smtplib(self):
        self.box = fresh()
        self.kinds(senders.Smtplib(W), messages.MESSAGES)

    def test_kinds_by_smtplib_in_the_clear(self):
        self.box = fresh()
        self.kinds(senders.Smtplib(W), messages.MESSAGES, way="smtp")

    def test_kinds_by_curl(self):
        self.box = fresh()
        self.kinds(senders.Curl(W), [name for name in messages.MESSAGES])

    def test_kinds_by_msmtp(self):
        self.box = fresh()
        self.kinds(senders.Msmtp(W), messages.MESSAGES)

    def test_kinds_by_swaks(self):
        # swaks replaces %…% and \n in what it is given, and takes away a dot at the end: the kinds that have none of these.
        self.box = fresh()
        self.kinds(senders.Swaks(W), ["plain", "eight-bit", "dots-inside", "line-of-998", "spaces", "from-line", "folded-header", "5-MB"])

    def test_a_line_of_5000_octets(self):
        user, password = fresh()
        senders.Smtplib(W).send(SITE, "submissions", user, password, user, [user], messages.LONG_LINE)
        self.same(arrived(user, password)[0], messages.LONG_LINE)

    def test_utf_8_addresses(self):
        for sender in (senders.Smtplib(W), senders.Curl(W)):
            with self.subTest(client=sender.name):
                octets = messages.message(f"utf-8 {sender.name}", "你好\r\n".encode(), messages.EIGHT_BIT)
                sender.send(SITE, "smtp", None, None, "jöran@exämple.test" if sender.name == "smtplib" else "jöran@here.test", [UTF8_USER], octets)
        found = arrived(UTF8_USER, "passwort", 2)
        self.assertEqual([messages.without_trace(f).partition(b"Subject: ")[2].partition(b"\r\n")[0] for f in found], [b"utf-8 smtplib", b"utf-8 curl"])

    def test_return_path_and_received(self):
        user, password = fresh()
        senders.Smtplib(W).send(SITE, "submissions", user, password, user, [user], messages.MESSAGES["plain"])
        trace = messages.trace(arrived(user, password)[0])
        self.assertTrue(trace.startswith(b"Return-Path: <%s>\r\n" % user.encode()), trace)
        self.assertEqual(trace.lower().count(b"return-path:"), 1)
        received = email.message_from_bytes(trace)["Received"]
        self.assertIn("laptop.here.test" if SITE.name == "glasspost" else "by mail.here.test", received)
        self.assertIn("ESMTPSA", received)

    def test_submission_adds_date_and_message_id(self):
        user, password = fresh()
        bare = b"From: %s\r\nSubject: bare\r\n\r\nHello.\r\n" % user.encode()
        senders.Smtplib(W).send(SITE, "submission", user, password, user, [user], bare)
        found = email.message_from_bytes(arrived(user, password)[0])
        self.assertTrue(found["Date"] and found["Message-ID"], found.as_string())
        self.assertEqual(found.get_payload(), "Hello.\r\n")

    def test_many_recipients_and_one_unknown(self):
        boxes = [fresh() for _ in range(3)]
        with senders.Smtplib(W).connect(SITE, "smtp") as client:
            refused = client.sendmail("someone@far.test", [u for u, _ in boxes] + ["nobody-here@here.test"], messages.MESSAGES["plain"])
        self.assertEqual(list(refused), ["nobody-here@here.test"])
        self.assertEqual(refused["nobody-here@here.test"][0], 550)
        for user, password in boxes:
            self.same(arrived(user, password)[0], messages.MESSAGES["plain"])

    def test_many_messages_over_one_connection(self):
        user, password = fresh()
        with senders.Smtplib(W).connect(SITE, "smtp") as client:
            for i in range(50):
                client.sendmail("", [user], messages.message(f"number {i}", b"x\r\n" * i))
        found = arrived(user, password, 50)
        self.assertEqual(sorted(map(messages.without_trace, found)), sorted(messages.message(f"number {i}", b"x\r\n" * i) for i in range(50)))

    def test_refusals(self):
        user, password = fresh()
        other, _ = fresh()
        smtp = senders.Smtplib(W)
        with smtp.connect(SITE, "smtp") as client:
            self.assertEqual(client.docmd("MAIL FROM:<someone@far.test>")[0], 250)
            self.assertIn(client.docmd("RCPT TO:<anyone@post.test>")[0], (550, 551, 553, 554))  # no open relay
        with smtplib.SMTP(SITE.host, SITE.submission, timeout=30) as client:  # before STARTTLS
            client.ehlo()
            self.assertNotIn("PLAIN", client.esmtp_features.get("auth", ""))
            self.assertIn(client.docmd("AUTH PLAIN AGEAYg==")[0], (503, 530, 538))
        with self.assertRaises(smtplib.SMTPAuthenticationError):
            smtp.connect(SITE, "submissions", user, "wrong").close()
        with smtp.connect(SITE, "submissions", user, password) as client:
            client.docmd(f"MAIL FROM:<{other}>")
            self.assertIn(client.docmd(f"RCPT TO:<{other}>")[0], (503, 550, 553))  # another's address
        self.assertEqual(maildrop(user, password), [])


class Fetching(Case):
    """fetchers × ways × mechanisms"""

    def fill(self, user, names=tuple(messages.MESSAGES)):
        with senders.Smtplib(W).connect(SITE, "smtp") as client:
            for name in names:
                client.sendmail("someone@far.test", [user], messages.MESSAGES[name], ["BODY=8BITMIME"])
        return [messages.MESSAGES[name] for name in names]

    def each_way(self, kind, skip=()):
        for way in kind.ways:
            for mechanism in kind.mechanisms:
                if mechanism == "APOP" and not SITE.apop or mechanism != "USER" and way == "pop3" and mechanism != "SCRAM-SHA-256" and SITE.name == "glasspost":
                    continue
                if way == "pop3" and SITE.name == "glasspost" and mechanism == "USER":
                    continue  # no password in the clear; test_no_password_in_the_clear has that
                with self.subTest(client=kind.name, way=way, mechanism=mechanism):
                    user, password = fresh()
                    sent = self.fill(user, [n for n in messages.MESSAGES if n not in skip])
                    arrived(user, password, len(sent))
                    fetcher = kind(W)
                    if kind.remembers:
                        self.compare(fetcher.fetch(SITE, way, user, password, delete=False, mechanism=mechanism), sent)
                        self.assertEqual(fetcher.fetch(SITE, way, user, password, delete=False, mechanism=mechanism), [], "fetched again what it had")
                        self.assertEqual(len(maildrop(user, password)), len(sent))
                        fetcher = kind(W)
                    self.compare(fetcher.fetch(SITE, way, user, password, delete=True, mechanism=mechanism), sent)
                    self.assertEqual(maildrop(user, password), [])

    def compare(self, got, wanted):
        self.assertEqual(len(got), len(wanted), fetchers.said)
        got = {messages.without_trace(g).partition(b"Subject: ")[2].partition(b"\r\n")[0]: messages.without_trace(g) for g in got}
        for octets in wanted:
            name = octets.partition(b"Subject: ")[2].partition(b"\r\n")[0]
            self.assertIsNone(messages.difference(got.get(name, b""), octets), name)

    def test_poplib(self):
        self.each_way(fetchers.Poplib)

    def test_curl(self):
        self.each_way(fetchers.Curl)

    def test_mpop(self):
        self.each_way(fetchers.Mpop)

    def test_fetchmail(self):
        self.each_way(fetchers.Fetchmail)

    def test_getmail(self):
        self.each_way(fetchers.Getmail, skip=["folded-header"])  # it writes an empty field anew

    def test_no_password_in_the_clear(self):
        if SITE.name != "glasspost":
            self.skipTest("Dovecot is told to take it here")
        user, password = fresh()
        with self.assertRaises(poplib.error_proto):
            fetchers.Poplib(W).connect(SITE, "pop3", user, password)

    def test_the_maildrop_is_exclusive_and_nothing_is_deleted_without_quit(self):
        user, password = fresh()
        self.fill(user, ["plain", "dots"])
        arrived(user, password, 2)
        first = fetchers.Poplib(W).connect(SITE, "pop3s", user, password)
        if SITE.name == "glasspost":  # Dovecot lets both in unless told otherwise
            with self.assertRaisesRegex(poplib.error_proto, "IN-USE"):
                fetchers.Poplib(W).connect(SITE, "pop3s", user, password)
        first.dele(1)
        first.close()
        self.assertTrue(until(lambda: len(self.again(user, password)) == 2))

    def again(self, user, password):
        try:
            return maildrop(user, password)
        except poplib.error_proto:  # still locked
            return []

    def test_wrong_password(self):
        user, _ = fresh()
        with self.assertRaises(poplib.error_proto):
            fetchers.Poplib(W).connect(SITE, "pop3s", user, "wrong")


class Relaying(Case):
    """to and from real servers, by the MX records that dnsmasq gives"""

    @classmethod
    def setUpClass(cls):
        from peers.exim import Exim
        from peers.postfix import Postfix

        addresses = [f"{r}@{d}" for r in REMOTE for d in ("post.test", "two.test", "nomx.test")]
        cls.servers = []
        cls.post = Postfix(W, "post", host="mail.post.test", address="127.0.0.20", domains=["post.test", "two.test", "nomx.test"], mailboxes={a: a for a in addresses},
                           certificate=TLS, settings={"mynetworks": "127.0.0.0/8", "smtpd_recipient_restrictions": f"check_recipient_access texthash:{W.work}/slow",
                                                      "smtp_host_lookup": "dns"})
        (W.work / "slow").write_text("slow@post.test 450 4.7.1 come again\n")
        cls.seven = Postfix(W, "seven", host="seven.test", address="127.0.0.60", domains=["seven.test"], mailboxes={"bob@seven.test": "bob"},
                            settings={"smtpd_discard_ehlo_keywords": "8bitmime, smtputf8, chunking, pipelining"})
        cls.exim = Exim(W, host="mail.exim.test", address="127.0.0.30", domain="exim.test", users=REMOTE, relay_from="127.0.0.0/8", certificate=TLS)
        for server in (cls.post, cls.seven, cls.exim):
            cls.servers.append(server.start())

    @classmethod
    def tearDownClass(cls):
        for server in cls.servers:
            server.stop()

    def submit(self, recipients, octets, user=None, options=(), site=None):
        self.user = user or fresh()
        with senders.Smtplib(W).connect(site or SITE, "submissions", *self.user) as client:
            self.assertEqual(client.sendmail(self.user[0], recipients, octets, list(options)), {})

    def reached(self, server, box, count=1, seconds=40):
        found = until(lambda: (lambda m: m if len(m) >= count else None)(server.messages(box)), seconds)
        self.assertTrue(found, f"{box}: nothing arrived\n{server.logs()[-3000:]}")
        return found

    def relays_kinds(self, server, domain, box, kinds):
        user = fresh()
        for name in kinds:
            self.submit([f"{box}@{domain}"], messages.MESSAGES[name], user, ["BODY=8BITMIME"])
        found = self.reached(server, box if server is self.exim else f"{box}@{domain}", len(kinds), 60)
        got = sorted(messages.without_trace(f) for f in found)
        wanted = sorted(messages.MESSAGES[name] for name in kinds)
        self.assertEqual(len(got), len(wanted))
        for a, b in zip(got, wanted):
            self.assertIsNone(messages.difference(a, b))

    def test_to_postfix(self):
        self.relays_kinds(self.post, "post.test", "r0", list(messages.MESSAGES))

    def test_to_exim(self):
        # Exim keeps lines with "\n": what it is given in other octets is as it was.
        self.relays_kinds(self.exim, "exim.test", "r1", list(messages.MESSAGES))

    def from_server(self, server, address, kinds):
        user, password = fresh()
        with smtplib.SMTP(address, 25, timeout=60) as client:
            for name in kinds:
                client.sendmail("bob@post.test", [user], messages.MESSAGES[name], ["BODY=8BITMIME"])
        found = arrived(user, password, len(kinds), 60)
        got, wanted = sorted(messages.without_trace(f) for f in found), sorted(messages.MESSAGES[name] for name in kinds)
        self.assertEqual(len(got), len(wanted))
        for a, b in zip(got, wanted):
            self.assertIsNone(messages.difference(a, b))

    def test_from_postfix(self):
        self.from_server(self.post, "127.0.0.20", list(messages.MESSAGES))

    def test_from_exim(self):
        self.from_server(self.exim, "127.0.0.30", list(messages.MESSAGES))

    def test_there_and_back(self):
        """one message to mailboxes in three places"""
        here, password = fresh()
        self.submit([here, "r2@post.test", "r2@exim.test"], messages.MESSAGES["plain"])
        self.same(arrived(here, password)[0], messages.MESSAGES["plain"])
        self.same(self.reached(self.post, "r2@post.test")[0], messages.MESSAGES["plain"])
        self.same(self.reached(self.exim, "r2")[0], messages.MESSAGES["plain"])

    def test_the_next_mx_if_the_first_is_dead(self):
        self.submit(["r3@two.test"], messages.MESSAGES["dots"])
        self.same(self.reached(self.post, "r3@two.test")[0], messages.MESSAGES["dots"])

    def test_an_address_without_mx(self):
        self.submit(["r4@nomx.test"], messages.MESSAGES["dots"])
        self.same(self.reached(self.post, "r4@nomx.test")[0], messages.MESSAGES["dots"])

    def bounce(self, recipient, status):
        self.submit([recipient], messages.MESSAGES["plain"])
        found = arrived(*self.user, seconds=40)
        self.assertEqual(len(found), 1)
        self.assertTrue(found[0].startswith(b"Return-Path: <>\r\n"), found[0][:200])
        report = email.message_from_bytes(found[0], policy=email.policy.default)
        self.assertEqual(report.get_content_type(), "multipart/report")
        self.assertEqual(report.get_param("report-type"), "delivery-status")
        part = next(p for p in report.walk() if p.get_content_type() in ("message/delivery-status", "message/global-delivery-status"))
        text = part.as_string()
        self.assertRegex(text, r"(?im)^Action: failed")
        self.assertRegex(text, rf"(?im)^Status: {status}")
        self.assertRegex(text, rf"(?im)^Final-Recipient: rfc822; *{recipient}")
        return text

    def test_unknown_recipient_bounces_postfix(self):
        self.assertIn("550", self.bounce("nobody@post.test", r"5\.1\.1"))

    def test_unknown_recipient_bounces_exim(self):
        self.bounce("nobody@exim.test", r"5\.")

    def test_unknown_domain_bounces(self):
        self.bounce("bob@does-not-exist.test", r"5\.(4\.4|1\.2)")

    def test_null_mx_bounces(self):
        self.bounce("bob@null.test", r"5\.1\.(10|0|2)")

    def test_deferred_then_delivered(self):
        self.submit(["slow@post.test"], messages.MESSAGES["plain"])
        until(lambda: "come again" in self.post.logs(400), 20)
        self.assertEqual(self.post.messages("slow@post.test"), [])
        (W.work / "slow").write_text("\n")
        self.post.reload()
        self.same(self.reached(self.post, "slow@post.test")[0], messages.MESSAGES["plain"])
        self.assertEqual(len(self.post.messages("slow@post.test")), 1)

    def test_utf_8_address(self):
        octets = messages.message("utf-8 relay", "你好\r\n".encode(), messages.EIGHT_BIT)
        self.submit(["用户@post.test"], octets, options=["SMTPUTF8", "BODY=8BITMIME"])
        self.same(self.reached(self.post, "用户@post.test")[0], octets)

    def test_utf_8_address_to_a_server_without_it_bounces(self):
        self.submit(["用户@seven.test"], messages.MESSAGES["plain"], options=["SMTPUTF8"])
        found = arrived(*self.user, seconds=40)
        self.assertEqual(len(found), 1)
        self.assertRegex(found[0].decode(), r"(?im)^Status: 5\.")

    def test_eight_bits_to_a_server_without_8bitmime(self):
        """either re-encoded or returned as 5.6.3, never sent as it is"""
        self.submit(["bob@seven.test"], messages.MESSAGES["eight-bit"], options=["BODY=8BITMIME"])
        until(lambda: self.seven.messages("bob") or maildrop(*self.user), 40)
        if not self.seven.messages("bob"):
            self.assertRegex(arrived(*self.user)[0].decode(), r"(?im)^Status: 5\.6\.3")
            return
        found = messages.without_trace(self.seven.messages("bob")[0])
        self.assertTrue(found.isascii(), found)
        parsed = email.message_from_bytes(found)
        self.assertEqual(parsed["Subject"], "eight-bit")
        self.assertEqual(parsed.get_payload(decode=True).replace(b"\r\n", b"\n").decode(), "Grüße aus 北京, Ω\n")

    def test_smarthost_with_a_login(self):
        from peers.dovecot import Dovecot
        from peers.postfix import Postfix

        dovecot = Dovecot(W, "smart-dovecot", address="127.0.0.50", users={"here@smart.test": "let me in"}, mail=f"maildir:{W.work}/none/%u", pop3=10111)
        smart = Postfix(W, "smart", host="smart.test", address="127.0.0.50", submission=10588, certificate=TLS, sasl=dovecot.sasl)
        users = {"away@away.test": "pass word"}
        with dovecot.start(), smart.start():
            site = make_site(users, domain="away.test", host="mail.away.test", address="127.0.0.40", label="away",
                             smarthost={"host": "smart.test", "port": 10588, "user": "here@smart.test", "password": "let me in"})
            site.start()
            try:
                self.submit(["r5@exim.test", "r5@post.test"], messages.MESSAGES["dots"], ("away@away.test", "pass word"), site=site)
                for server, box in ((self.exim, "r5"), (self.post, "r5@post.test")):
                    found = self.reached(server, box)[0]
                    self.same(found, messages.MESSAGES["dots"])
                    self.assertRegex(messages.trace(found), rb"by smart\.test \(Postfix\) with (UTF8SMTP|ESMTP)SA")
            finally:
                site.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--site", choices=["glasspost", "real"], default="glasspost")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("glasspost", nargs="?")
    parser.add_argument("tests", nargs="*")
    OPTIONS = parser.parse_args()
    if OPTIONS.site == "glasspost" and not sites.serves(OPTIONS.glasspost):
        namespace.skip(f"{OPTIONS.glasspost} has no command \"serve\"")
    if OPTIONS.site == "real" and OPTIONS.glasspost == "-" and not os.environ.get("GLASSPOST_LONG"):
        namespace.skip("only with GLASSPOST_LONG")
    namespace.enter()
    unittest.main(argv=[sys.argv[0], *OPTIONS.tests], verbosity=2)
