#!/usr/bin/env python3
"""What `glasspost analyze --conversation N` tells a person, where the experiment's captures do not show it.

  dialogue_test.py GLASSPOST CAPTURE_DIR      CAPTURE_DIR: the captures in this folder's captures/
"""
import base64
import fcntl
import hashlib
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "findings"))
from small_capture import SmallCapture  # noqa: E402

GLASSPOST, CAPTURES = "", ""
ENVELOPE = """S: 220 mx
C: EHLO me
S: 250 mx
C: MAIL FROM:<a@b>
S: 250 ok
C: RCPT TO:<c@d>
S: 250 ok
C: DATA
S: 354 go
"""


def escaped(text):
    """octets as small_capture reads them"""
    octets = text if isinstance(text, bytes) else text.encode()
    return "".join(chr(o) if 32 <= o < 127 and o != 92 else f"\\x{o:02x}" for o in octets)


class Dialogue(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "small.pcap"

    def tell(self, path, *options):
        run = subprocess.run([GLASSPOST, "analyze", "--color", "never", path, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        self.assertEqual((run.returncode, run.stderr), (0, b""))
        return run.stdout.decode()

    def told(self, talk, *options, port=25, first="-c"):
        """the dialogue of one conversation"""
        self.path.write_bytes(SmallCapture(port, 40000).play(talk).pcap())
        return self.tell(self.path, *(["-c", "1"] if first == "-c" else [first]), *(options or ["--lang", "en"]))

    def mail(self, message, *options):
        octets = message if isinstance(message, bytes) else message.encode()
        self.digest = hashlib.sha256(octets).hexdigest()
        return self.told(f"{ENVELOPE}C\\: {escaped(octets)}.\\r\\n\nS: 250 ok\nC: QUIT\nS: 221 bye\n", *options)

    @staticmethod
    def blocks(out):
        """the lines of the message: what stands behind its bar"""
        return [line[9:] for line in out.splitlines() if line[9:10] in ("├", "│", "└")]

    def test_verbs_as_the_client_wrote_them(self):
        talk = "S: 220 mx\nC: ehlo me\nS: 250 mx\nC: Mail from:<a@b>\nS: 250 ok\nC: noSuch thing\nS: 500 what\nC: auth login\nS: 503 no\nC: QUIT\nS: 221 bye\n"
        out = self.told(talk)
        for line in ("→ ehlo me", "→ Mail from:<a@b>", "→ auth login", "→ noSuch thing", "→ QUIT"):
            self.assertIn(line + "\n", out)
        told = json.loads(self.told(talk, "--lang", "en", first="--json"))
        self.assertEqual([e["request"]["verb"] for e in told["exchanges"][1:]], ["EHLO", "MAIL", "NOSUCH", "AUTH", "QUIT"])
        out = self.told("S: +OK\nC: user bob\nS: +OK\nC: pass builder\nS: +OK\nC: Stat\nS: +OK 0 0\nC: quit\nS: +OK\n", port=110)
        for line in ("→ user bob", "→ pass *** (7 octets)", "→ Stat", "→ quit"):
            self.assertIn(line + "\n", out)
        self.assertNotIn("builder", out)
        out = self.told("S: * PREAUTH ready\nC: a uid fetch 1 (FLAGS)\nS: a OK done\nC: b logout\nS: * BYE\nS: b OK\n", port=143)
        self.assertIn("→ a uid fetch 1 (FLAGS)\n", out)

    MULTIPART = (
        b"Subject: =?UTF-8?B?5a6e6aqM?=\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\nContent-Type: text/plain; charset=gbk\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + base64.b64encode("您好，世界\r\nsecond\r\n".encode("gbk")) + b"\r\n--b\r\nContent-Type: text/html\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n<p>soft=\r\n line =3D</p>\r\n--b\r\nContent-Type: image/png; name=x.png\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\niVBORw0=\r\n--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?inner_=C3=A9?=\r\n\r\ninner text\r\n--b--\r\n")

    def test_full_tells_header_and_body_once_and_decoded(self):
        out = self.mail(self.MULTIPART, "--full", "--lang", "en")
        png = hashlib.sha256(base64.b64decode("iVBORw0=")).hexdigest()
        self.assertEqual(self.blocks(out)[4:], [
            "│ Subject: 实验", "│ Content-Type: multipart/mixed; boundary=b", "├ body", "│ 0 multipart/mixed", "│   1 text/plain; charset=gbk, base64, 20 octets",
            "│   2 text/html, quoted-printable, 18 octets", '│   3 image/png "x.png", base64, 5 octets', "│   4 message/rfc822, 47 octets",
            "│     4.1 text/plain, 7bit, 10 octets", "├ part 1 text/plain; charset=gbk, base64, 20 octets", "│ 您好，世界", "│ second",
            "├ part 2 text/html, quoted-printable, 18 octets", "│ <p>soft line =</p>", '├ part 3 image/png "x.png", base64, 5 octets',
            f"│ not text; SHA-256 {png}", "├ part 4 message/rfc822, 47 octets", "│ Subject: inner é", "├ part 4.1 text/plain, 7bit, 10 octets", "│ inner text",
            f"└ the message, header and body: {len(self.MULTIPART)} octets, SHA-256 {self.digest}"])
        self.assertEqual(out.count("multipart/mixed; boundary"), 1)

    def test_body_in_chinese(self):
        blocks = self.blocks(self.mail(self.MULTIPART, "--lang", "zh"))
        self.assertIn("│   1 text/plain; charset=gbk，base64，20 个八位组", blocks)
        self.assertIn('│   3 image/png "x.png"，base64，5 个八位组', blocks)
        self.assertEqual(blocks[-1], f"└ 整封邮件（信头与正文）：{len(self.MULTIPART)} 个八位组，SHA-256 {self.digest[:16]}…")
        blocks = self.blocks(self.mail(self.MULTIPART, "--full", "--lang", "zh"))
        self.assertIn("├ 部分 1 text/plain; charset=gbk，base64，20 个八位组", blocks)

    def test_one_text(self):
        long = "Subject: x\r\n\r\n" + "".join(f"line {i}\r\n" for i in range(20))
        short, full = self.blocks(self.mail(long)), self.blocks(self.mail(long, "--full", "--lang", "en"))
        self.assertEqual(short[4:], ["│ Subject: x", "├ body"] + [f"│ line {i}" for i in range(8)] + ["│ … (--full shows all of it)",
                         f"└ the message, header and body: {len(long)} octets, SHA-256 {self.digest[:16]}…"])
        self.assertEqual(full[4:-1], ["│ Subject: x", "├ body"] + [f"│ line {i}" for i in range(20)])

    def test_full_of_what_cannot_be_taken_apart(self):
        deep = "".join(f"Content-Type: multipart/mixed; boundary=b{i}\r\n\r\n--b{i}\r\n" for i in range(200)) + "\r\nthe end\r\n"
        blocks = self.blocks(self.mail(deep, "--full", "--lang", "en"))
        self.assertEqual(sum("boundary=b0" in line for line in blocks), 1)
        at = blocks.index("├ body")
        self.assertIn("as it was sent", blocks[at + 1])
        self.assertEqual(blocks[at + 2 : at + 4], ["│ --b0", "│ Content-Type: multipart/mixed; boundary=b1"])
        self.assertEqual(blocks[-2], "│ the end")

    def test_names_of_files(self):
        message = ("Content-Type: application/pdf;\r\n name*0*=gb2312''%CA%B5; name*1*=%D1%E9.pdf\r\nContent-Transfer-Encoding: base64\r\n"
                   "Content-Disposition: attachment; filename*=UTF-8''%E6%B8%85%E5%8D%95.pdf\r\n\r\nAAAA\r\n")
        blocks = self.blocks(self.mail(message))
        self.assertIn('│ Content-Disposition: attachment; filename="清单.pdf"', blocks)
        self.assertIn('│ Content-Type: application/pdf; name="实验.pdf"', blocks)
        told = json.loads(self.tell(self.path, "--json", "--attachments"))
        self.assertEqual(told["messages"][0]["attachments"][0]["filename"], "清单.pdf")

    def test_windows_are_scaled_where_both_syns_were_seen(self):
        path = pathlib.Path(CAPTURES) / "send.pcap"
        out = self.tell(path, "-c", "1", "--lang", "en")
        self.assertIn("SYN  seq 1211314940  window 64240  MSS 1460  window scale 10 (× 1024)", out)
        self.assertEqual(re.findall(r"#(\d+) . (?:FIN, )?ACK .* (window .*)", out),
                         [("3", "window 64512 (63 × 1024)"), ("27", "window 66560 (65 × 1024)"), ("28", "window 64512 (63 × 1024)"), ("29", "window 66560 (65 × 1024)")])
        octets = path.read_bytes()
        first = 24 + 16 + struct.unpack_from("<I", octets, 24 + 8)[0]
        without_syn = octets[:24] + octets[first:]
        self.path.write_bytes(without_syn)
        self.assertEqual(re.findall(r"FIN, ACK .* (window .*)", self.tell(self.path, "-c", "1", "--lang", "en")), ["window 65", "window 63"])
        # One side does not scale: nobody does (RFC 7323 §2.2).
        octets = bytearray(octets)
        at = octets.index(bytes([3, 3, 10]), 24)
        octets[at : at + 3] = b"\1\1\1"
        self.path.write_bytes(octets)
        self.assertEqual(re.findall(r"FIN, ACK .* (window .*)", self.tell(self.path, "-c", "1", "--lang", "en")), ["window 65", "window 63"])

    def test_secrets_in_chinese(self):
        path = pathlib.Path(CAPTURES) / "send.pcap"
        out = self.tell(path, "-c", "1", "--lang", "zh")
        for line in ('· base64 解码：用户 "alice@example.test"', "→ ***（16 个八位组）", "· base64 解码：口令 ***（10 个八位组）"):
            self.assertIn(line + "\n", out)
        self.assertNotIn("octets", out)
        self.assertIn('· base64 解码：口令 "wonderland"\n', self.tell(path, "-c", "1", "--lang", "zh", "--show-secrets"))
        self.assertIn("→ PASS ***（7 个八位组）\n", self.tell(pathlib.Path(CAPTURES) / "login.pcap", "-c", "1", "--lang", "zh"))
        # With secrets shown there is no mask: what looks like one is the peer's.
        out = self.told("S: +OK\nC: USER *** (2 octets)\nS: +OK\nC: QUIT\nS: +OK\n", "--lang", "zh", "--show-secrets", port=110)
        self.assertIn("→ USER *** (2 octets)\n", out)

    def test_several_are_told_as_each_alone(self):
        files = [pathlib.Path(CAPTURES) / name for name in ("login.pcap", "send.pcap")]
        tell = lambda *numbers: self.tell(files[0], files[1], "--full", *[w for n in numbers for w in ("-c", str(n))])
        self.assertEqual(tell(1, 2), tell(1) + tell(2))
        self.assertEqual(tell(2, 1, 2), tell(1) + tell(2))
        self.assertIn("Conversation 2\n  SMTP ", tell(2))

    def test_a_flood_of_syns(self):
        for syns, told in ((16, 16), (17, 16), (40, 16)):
            self.path.write_bytes(SmallCapture(25, 40000, handshake=False).play("C syn\n" * syns + "C: EHLO me\n").pcap())
            out = self.tell(self.path, "-c", "1", "--lang", "en")
            self.assertEqual(out.count("→ SYN  seq"), told, syns)

    def places(self, talk, port=25):
        """the packet that each finding names"""
        out = self.told(talk, port=port)
        return re.findall(r"^ +([a-z0-9-]+) · RFC .* · #(\d+)$", out[out.index("── findings") :], re.M)

    def test_findings_name_the_message_s_own_packet(self):
        """not the last one that was read before the message's end was known"""
        hello = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 PIPELINING\n"
        letter = r"Subject: x\r\n\r\nhi\n\r\n"
        none_of = lambda frame: [("no-date", str(frame)), ("no-message-id", str(frame))]
        # All of it was sent before the server's words told what it is.
        ahead = rf"C\: MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n{letter}.\r\nQUIT\r\n"
        talk = hello + ahead + "\nS: 250 ok\nS: 250 ok\nS: 354 go\nS: 250 ok\nS: 221 bye\n"
        self.assertEqual(self.places(talk), [("bare-cr-lf", "8"), *none_of(8)])
        # Given up, which shows with the next command.
        chunk = rf"C\: MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nBDAT {len('Subject: x--') + 2}\r\nSubject: x\r\n\r\n"
        talk = hello + chunk + "\nS: 250 ok\nS: 250 ok\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
        self.assertEqual(self.places(talk), none_of(8))
        # Cut short, which shows with the connection's end.
        talk = f"S: +OK\nC: RETR 1\nS\\: +OK\\r\\n{letter}\nC: NOOP\nC fin\n"
        self.assertLess(set(none_of(6)), set(self.places(talk, 110)))
        talk = f"S: * PREAUTH IMAP4rev2 ready\nC: a FETCH 1 BODY[]\nS\\: * 1 FETCH (BODY[] {{99}}\\r\\n{letter}\nC: b NOOP\nC fin\n"
        self.assertLess(set(none_of(6)), set(self.places(talk, 143)))

    def test_what_shows_at_the_end_names_the_packet_of_the_offer(self):
        talk = "S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: USER a\nS: +OK\nC: PASS b\nS: +OK\nC: QUIT\nS: +OK\n"
        self.assertIn(("starttls-not-used", "8"), self.places(talk, 110))
        talk = "S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] ready\nC: a NOOP\nS: a OK\nC: b LOGOUT\nS: * BYE\nS: b OK\n"
        self.assertEqual(self.places(talk, 143), [("auth-before-tls", "4")])

    def test_tls_that_the_server_does_not_speak(self):
        """what the client did and what the server said are both told"""
        name = b"mail.example.test"
        extension = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
        body = b"\3\3" + bytes(32) + b"\0\0\2\x13\1\1\0" + struct.pack(">H", len(extension)) + extension
        hello = b"\x16\3\1" + struct.pack(">H", len(body) + 4) + b"\1" + struct.pack(">I", len(body))[1:] + body
        for talk in (f"C hex: {hello.hex()}\nS: 220 mx\nS: 500 what\n", f"S: 220 mx\nC hex: {hello.hex()}\nS: 500 what\n"):
            out = self.told(talk, port=465)
            for words in ("  SMTP  192.0.2.1:40000 → 192.0.2.25:465", "TLS mail.example.test: the server answers in the clear", "← 500 what", "server name (SNI): mail.example.test",
                          "versions offered: TLSv1.2", "The client began TLS; the server answered in the clear", "tls-not-spoken · RFC 8446 §4.1.3 · #"):
                self.assertIn(words, out)
            self.assertNotIn("encrypted", out)
            self.assertIn("TLS mail.example.test：服务器以明文应答", self.told(talk, "--lang", "zh", port=465))
            told = json.loads(self.told(talk, "--lang", "en", first="--json", port=465))
            self.assertEqual((told["protocol"], told["tls"]["sni"], [f["id"] for f in told["findings"]]), ("smtp", "mail.example.test", ["tls-not-spoken"]))
            self.assertEqual(told["exchanges"][-1]["reply"]["code"], 500)

    def test_what_looks_like_tls_hides_nothing(self):
        """a server that speaks no TLS carries out the lines behind it, or within it; so they are told"""
        hello = "16 03 01 00 2f 01 00 00 2b 03 03" + " 72" * 32 + " 00 00 04 13 01 13 02 01 00"
        mail = "C: EHLO c\nS: 250 mx\nC: MAIL FROM:<a@b.test>\nS: 250 ok\nC: RCPT TO:<c@d.test>\nS: 250 ok\nC: DATA\nS: 354 go on\nC: Subject: seen\nC:\nC: .\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
        fetch = "C: USER u\nS: +OK\nC: PASS p\nS: +OK\nC: RETR 1\nS: +OK\nS: Subject: seen\nS:\nS: .\nC: QUIT\nS: +OK\n"
        imap = "C: a LOGIN u p\nS: a OK\nC: b SELECT INBOX\nS: b OK\nC: c FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {17}\nS: Subject: seen\nS:\nS: )\nS: c OK\nC: d LOGOUT\nS: * BYE\nS: d OK\n"
        for greeting, no, rest, port in (("220 mx ESMTP", "500 what", mail, 25), ("+OK ready", "-ERR what", fetch, 110), ("* OK IMAP4rev1", "* BAD what", imap, 143)):
            for first in ("16 0d 0a", hello + " 0d 0a", hello + " 17 03 03 40 00 0d 0a", "16 03 01 40 00 0d 0a"):
                for talk in (f"S: {greeting}\nC hex: {first}\nS: {no}\n{rest}", f"C hex: {first}\nS: {greeting}\nS: {no}\n{rest}"):
                    told = json.loads(self.told(talk, "--lang", "en", first="--json", port=port))
                    self.assertEqual([m["subject"] for m in told["messages"]], ["seen"], (first, talk, told))

    def test_who_closes_where_the_capture_begins_with_the_server(self):
        """who is the client is known only from what is said; the packets before that are told right all the same"""
        talk = "S: 250 ok\nC: MAIL FROM:<a@b>\nS: 250 ok\nC: QUIT\nS: 221 bye\n"
        self.path.write_bytes(SmallCapture(25, 40000, handshake=False).play(talk).pcap())
        out = self.tell(self.path, "-c", "1", "--lang", "en")
        close = out[out.index("· close") :]
        self.assertIn("  192.0.2.1:40000 → 192.0.2.25:25", out)
        self.assertRegex(close, r"#6 → FIN, ACK .*\n.*The client will send nothing more \(FIN\)")
        self.assertRegex(close, r"#7 ← FIN, ACK .*\n.*The server will send nothing more either")

    def test_a_long_one(self):
        """many exchanges, more than is held at a time: all are told, and the last as the first"""
        n = 20000
        self.path.write_bytes(SmallCapture(25, 40000).play("S: 220 mx\n" + "C\\*1000: NOOP\\r\\n\nS\\*1000: 250 fine\\r\\n\n" * (n // 1000)).pcap())
        out = self.tell(self.path, "-c", "1", "--lang", "en")
        self.assertEqual((out.count("→ NOOP\n"), out.count("← 250 fine")), (n, n))
        self.assertTrue(out.startswith("Conversation 1\n  SMTP  192.0.2.1:40000 → 192.0.2.25:25\n"))
        self.assertIn(f"\n  {n + 1} exchanges\n", out)
        self.assertEqual(out, self.tell(self.path, "-c", "1", "--lang", "en", "--threads", "-1"))

    @staticmethod
    def on_terminal(columns, *arguments):
        """what is shown on a terminal of so many columns, without its colours"""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 25, columns, 0, 0))
        run = subprocess.Popen([GLASSPOST, "analyze", *arguments], stdout=slave, stderr=slave)
        os.close(slave)
        shown = b""
        while True:
            try:
                piece = os.read(master, 65536)
            except OSError:  # the other end is closed
                piece = b""
            if not piece:
                break
            shown += piece
        os.close(master)
        assert run.wait(60) == 0
        assert b"\x1b[1m" in shown
        return re.sub(rb"\x1b\[\d*m", b"", shown).decode().replace("\r\n", "\n")

    def test_on_a_terminal(self):
        width = lambda text: sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
        send = pathlib.Path(CAPTURES) / "send.pcap"
        for language in ("en", "zh"):
            plain = self.tell(send, "-c", "1", "--lang", language)
            self.assertEqual(self.on_terminal(1000, send, "-c", "1", "--lang", language), plain)
            narrow = self.on_terminal(80, send, "-c", "1", "--lang", language)
            self.assertEqual("".join(narrow.split()), "".join(plain.split()))
            own = [line for line in narrow.splitlines() if line.startswith(" " * 9 + "·") or line.startswith(" " * 11)]
            self.assertGreater(len(own), 30)
            self.assertLessEqual(max(map(width, own)), 80)
            table = self.on_terminal(80, send, "--lang", language).splitlines()
            self.assertEqual(table[2], "    1  01:18:11.977154  SMTP      127.0.0.1:41300 → 127.0.0.1:25")
            self.assertTrue(table[3].startswith("       5.07 ms  3"), table[3])
            self.assertEqual(self.on_terminal(120, send, "--lang", language), self.tell(send, "--lang", language))

    def test_what_may_be_a_secret(self):
        talk = "S: 220 mx\nC: EHLO me\nS: 250 mx\nC: AUTH LOGIN\nS: 503 no\nC: d29uZGVybGFuZA==\nS: 500 what\nC: QUIT\nS: 221 bye\n"
        out = self.told(talk)
        self.assertIn("→ *** (16 octets)\n", out)
        self.assertIn("a secret of the login, so it is masked", out)
        self.assertIn("→ ***（16 个八位组）\n", self.told(talk, "--lang", "zh"))
        talk = "S: +OK\nC: USER bob\nS: +OK\nC: PASS builder77\nS: -ERR builder77 is wrong\nC: QUIT\nS: +OK\n"
        self.assertIn("← -ERR ***（9 个八位组） is wrong", self.told(talk, "--lang", "zh", port=110))

    def joined_late(self, talk, *options, first="-c"):
        """as told, of a capture that begins in the midst of the conversation"""
        self.path.write_bytes(SmallCapture(25, 40000, handshake=False).play(talk).pcap())
        return self.tell(self.path, *(["-c", "1"] if first == "-c" else [first]), *(options or ["--lang", "en"]))

    def test_a_login_whose_beginning_is_lost(self):
        talk = "S: 334 UGFzc3dvcmQ6\nC: WHk3U2VjcmV0UHchOVE=\nS: 235 ok\nC: QUIT\nS: 221 bye\n"
        for out in (self.joined_late(talk), self.told(talk)):
            self.assertIn("the server asks for the password".casefold(), out.casefold())
            self.assertIn("whoever sees the packets has the password", out)
            self.assertIn("cleartext-password", out)
            self.assertNotIn("does not cross the network", out)
        out = self.told("C: WHk3U2VjcmV0UHchOVE=\nS: 235 ok\nC: QUIT\nS: 221 bye\n")
        self.assertIn("it may be the password itself", out)
        told = json.loads(self.told("C: WHk3U2VjcmV0UHchOVE=\nS: 235 ok\nC: QUIT\nS: 221 bye\n", "--lang", "en", first="--json"))
        self.assertEqual([e["request"]["verb"] for e in told["exchanges"]], ["*", "QUIT"])
        self.assertNotIn("unknown-command", [f["id"] for f in told["findings"]])

    def test_a_sender_that_is_not_in_the_capture(self):
        talk = "C: RCPT TO:<c@d>\nS: 250 ok\nC: DATA\nS: 354 go\nC: hello\nC: .\nS: 250 ok\n"
        self.assertIn("reverse-path (MAIL FROM): (not in the capture)\n", self.joined_late(talk))
        self.assertIn("反向路径 (MAIL FROM): （不在捕获中）\n", self.joined_late(talk, "--lang", "zh"))
        told = json.loads(self.joined_late(talk, "--lang", "en", first="--json"))
        self.assertEqual(told["messages"][0]["envelope"], {"reverse_path": None, "forward_paths": ["c@d"]})
        told = json.loads(self.joined_late("C: MAIL FROM:<>\nS: 250 ok\n" + talk, "--lang", "en", first="--json"))
        self.assertEqual(told["messages"][0]["envelope"], {"reverse_path": "", "forward_paths": ["c@d"]})

    def test_hellos_that_come_early_or_in_crumbs(self):
        name = b"mail.example.test"
        sni = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
        body = b"\x03\x03" + bytes(32) + b"\0\0\x02\xc0\x2f\x01\0" + struct.pack(">H", len(sni)) + sni
        message = b"\x01\0" + struct.pack(">H", len(body)) + body
        hello = b"\x16\x03\x01" + struct.pack(">H", len(message)) + message
        talk = "S: 220 mx\nC: EHLO me\nS: 250-mx\nS: 250 STARTTLS\nC\\: STARTTLS\\r\\n" + escaped(hello) + "\nS: 220 go\n"
        told = json.loads(self.told(talk, "--lang", "en", first="--json"))
        self.assertEqual(told["tls"]["sni"], "mail.example.test")
        crumbs = b"".join(b"\x16\x03\x01\0\x01" + bytes([o]) for o in message)
        told = json.loads(self.told(f"C\\: {escaped(crumbs)}\n", "--lang", "en", port=993, first="--json"))
        self.assertEqual((told["protocol"], told["tls"]["sni"]), ("tls", "mail.example.test"))

    SYN = ("000FE245B9C200E57C07DF45080045000040CEF24000400679870A84FE9FDCB50C6508B7006E939D5222"
           "00000000B002FFFF54DB0000020405B4010303030101080A0000000000000000010104020C")

    def from_hex(self, text, *options):
        path = self.path.with_suffix(".hex")
        path.write_text(text)
        run = subprocess.run([GLASSPOST, "analyze", "--color", "never", "--from-hex", path, *(options or ["--lang", "en"])], stdout=subprocess.PIPE, timeout=60)
        return run.stdout.decode()

    def test_frames_that_are_cut(self):
        short, port = "the frame is short", "TCP to port 110, probably POP3"
        for octets in range(1, len(self.SYN) // 2 + 1):
            out = self.from_hex(self.SYN[: octets * 2])
            self.assertEqual(short in out, octets <= 17, octets)  # then IP says how long it was
            self.assertEqual(port in out, octets >= 38, octets)
            self.assertEqual("was not captured, and nothing is guessed" in out, 17 < octets < 78, octets)
        self.assertIn("    001e  dc b5                    destination address (ip.dst): 220.181.…, the rest was not captured\n", self.from_hex(self.SYN[:64]))
        self.assertIn("    0006  00 e5                    source MAC address (eth.src): the rest was not captured\n", self.from_hex(self.SYN[:16]))
        zh = self.from_hex(self.SYN[:64], "--lang", "zh") + self.from_hex(self.SYN[:90], "--lang", "zh") + self.from_hex(self.SYN[:20], "--lang", "zh")
        for words in ("220.181.…，其余未捕获", "TCP 到端口 110，可能是 POP3", "帧太短"):
            self.assertIn(words, zh)

    def test_two_dumps_each_on_one_line(self):
        out = self.from_hex(self.SYN + "\n" + self.SYN + "\n")
        self.assertIn("Frame 2, 79 octets", out)

    def test_a_finding_names_its_packet(self):
        self.assertIn("cleartext-password · RFC 8314 §3 · exchange 5 · #13\n", self.tell(pathlib.Path(CAPTURES) / "send.pcap", "-c", "1", "--lang", "en"))


if __name__ == "__main__":
    GLASSPOST, CAPTURES = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
