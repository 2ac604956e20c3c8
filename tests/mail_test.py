#!/usr/bin/env python3
"""Reading, saving and answering mail from the command line: Maildir, mbox, .eml files and a POP3 maildrop; whatever charset, names and harm are in it.

  mail_test.py GLASSPOST
"""
import base64
import email
import email.policy
import fcntl
import hashlib
import json
import mailbox
import os
import pathlib
import pty
import re
import select
import shutil
import smtplib
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unicodedata
import unittest
from email.message import EmailMessage

from account_test import certificate
from listening import Listening
from serving import Server

GLASSPOST = ""
USER, PASSWORD = "ada@localhost.test", "enigma-17"
OK, USAGE, DATA, NO_INPUT, CANNOT_CREATE, LOGIN, CONFIG = 0, 64, 65, 66, 73, 77, 78
HELLO = "你好，世界"


def in_charset(charset, subject, text):
    """a message whose author, subject and text are in this charset"""
    def word(text):
        return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?="

    return (f"From: {word('王伟')} <wang@example.cn>\nTo: {USER}\nSubject: {word(subject)}\nDate: Mon, 23 Nov 2026 17:15:30 +0800\nMIME-Version: 1.0\n"
            f"Message-ID: <{charset}@example.cn>\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: base64\n\n").encode() + base64.encodebytes(text.encode(charset))


def with_attachments(*files, subject="files", text="See the files.\n", **fields):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Bob Example <bob@example.org>", USER, subject
    message["Date"], message["Message-ID"] = "Mon, 23 Nov 2026 09:15:30 +0000", f"<{subject.encode().hex()[:16] if not subject.isascii() else subject}@example.org>"
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    for name, octets in files:
        message.add_attachment(octets, maintype="application", subtype="octet-stream", filename=name)
    return message.as_bytes()


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory(prefix="gp-mail-")
        cls.folder = pathlib.Path(cls.work.name)
        cls.addClassCleanup(cls.work.cleanup)

    def setUp(self):
        self.home = pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        self.box = self.home / "Maildir"
        mailbox.Maildir(self.box, create=True)
        self.count = 0
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("GLASSPOST", "LC_", "LANG", "XDG", "MAIL", "EDITOR", "VISUAL"))} | {
            "HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home), "TZ": "UTC", "PASS": PASSWORD, "TMPDIR": str(self.home)}

    def put(self, octets, where="new", flags=""):
        """delivered; its number"""
        self.count += 1
        (self.box / where / f"{1700000000 + self.count}.M1P1.host{':2,' + flags if where == 'cur' else ''}").write_bytes(octets)
        return self.count

    def run_it(self, *words, expect=OK, data=b"", cwd=None):
        run = subprocess.run([GLASSPOST, "mail", *map(str, words)], input=data, capture_output=True, timeout=120, env=self.environment, cwd=cwd or self.home)
        self.assertEqual(run.returncode, expect, run.stdout + run.stderr)
        self.error = run.stderr.decode()
        return run.stdout

    def told(self, *words, **more):
        return self.run_it(*words, **more).decode()

    def listed(self, *words):
        return [json.loads(line) for line in self.run_it("list", "--json", *words).splitlines()]

    def read(self, number, *words):
        return json.loads(self.run_it("read", str(number), "--json", *words))

    def in_terminal(self, *words, typed=b"", editor=None, expect=OK):
        """run at a terminal; what was written there"""
        environment = self.environment | ({"EDITOR": editor} if editor else {}) | {"TERM": "xterm"}
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
            os.execve(GLASSPOST, [GLASSPOST, "mail", *map(str, words)], environment)
        told, end = b"", time.monotonic() + 60
        while time.monotonic() < end:
            if select.select([terminal], [], [], 0.2)[0]:
                try:
                    piece = os.read(terminal, 65536)
                except OSError:
                    break
                told += piece
                if typed and b"[y/N]" in told:
                    os.write(terminal, typed)
                    typed = b""
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), expect, told)
        os.close(terminal)
        return told.decode()


class Mail(Case):
    def test_charsets(self):
        texts = {"gbk": "会议记录：请查收附件。", "gb2312": "会议记录", "gb18030": "会议𠮷记录€", "big5": "會議記錄與附件", "iso-2022-jp": "会議の記録です。", "shift_jis": "会議の記録",
                 "euc-kr": "회의 기록", "koi8-r": "Протокол", "iso-8859-15": "Grüße für 5 €", "utf-8": HELLO}
        for charset, text in texts.items():
            subject = text[:4]
            word = base64.b64encode(subject.encode(charset)).decode()
            octets = (f"From: =?{charset}?B?{word}?= <x@example.cn>\nSubject: =?{charset}?B?{word}?=\nMIME-Version: 1.0\nContent-Type: text/plain; charset={charset}\n"
                      "Content-Transfer-Encoding: 8bit\n\n").encode() + text.encode(charset) + b"\n"
            with self.subTest(charset):
                number = self.put(octets)
                self.assertIn(text, self.told("read", number))
                row = self.listed()[number - 1]
                self.assertEqual((row["subject"], row["from"]), (subject, subject))
        # Nobody says which charset it is.
        number = self.put("Subject: 会议\n\n请查收附件中的会议记录\n".encode("gbk"))
        self.assertIn("请查收附件中的会议记录", self.told("read", number))

    def test_html_and_alternatives(self):
        message = EmailMessage()
        message["Subject"] = "both"
        message.set_content("The plain text.\n")
        message.add_alternative("<html><style>x{}</style><body><p>The <b>rich</b> text &amp; more</p></body></html>", subtype="html")
        both = self.put(message.as_bytes())
        self.assertIn("The plain text.", self.told("read", both))
        self.assertIn("The rich text & more", self.told("read", both, "--html"))
        self.assertNotIn("plain", self.told("read", both, "--html"))
        self.assertIn("The rich text & more", self.told("read", both, "--part", "2"))
        alone = self.put("Subject: html\nContent-Type: text/html; charset=gbk\n\n<p>会议<br>记录</p>".encode("gbk"))
        told = self.read(alone)
        self.assertEqual((told["text"].strip(), told["text_from_html"]), ("会议\n记录", True))
        self.assertNotIn("Attachments", self.told("read", both))

    def test_tabs(self):
        number = self.put("Subject: x\nContent-Type: text/plain; charset=utf-8\n\na\tb\t\t\n会\tc\n".encode() + b"\t" * 1_000_000 + b"\n")
        lines = self.told("read", number).splitlines()
        self.assertEqual((lines[2:4], len(lines[4])), (["a       b               ", "会      c"], 8_000_000))

    def test_every_text_is_shown(self):
        number = self.put(b"Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nfirst\n--b\nContent-Type: image/png\n\nx\n--b\nContent-Type: multipart/alternative; boundary=c\n\n"
                          b"--c\nContent-Type: text/html\n\n<p>rich</p>\n--c\n\nplain\n--c--\n--b\nContent-Type: text/plain; name=attached.txt\n\nattached\n--b\n\nfooter\n--b--\n")
        told = self.told("read", number)
        self.assertIn("first\n\nplain\n\nfooter\n\nAttachments\n  2 image/png, 7bit, 1 octet\n", told)
        self.assertIn("attached.txt", told)
        self.assertNotIn("\nattached\n", told)
        self.assertIn("first\n\nrich\n\nfooter\n", self.told("read", number, "--html"))
        inside = self.put(b"Subject: x\nContent-Type: message/rfc822\n\nSubject: inner\n\ninner text\n")
        told = self.told("read", inside)
        self.assertIn("inner text", told)
        self.assertIn("message/rfc822", told)
        self.told("save", inside, "--to", self.home / "out")
        self.assertEqual([p.read_bytes() for p in (self.home / "out").iterdir()], [b"Subject: inner\n\ninner text\n"])

    def test_fields(self):
        number = self.put(in_charset("gbk", "会议记录", HELLO) .replace(b"To: ", b"X-Odd: =?utf-8?B?5L2g?=\nReply-To: list@example.cn\nCc: carl@example.org,\n dora@example.org\nTo: "))
        told = self.told("read", number)
        self.assertEqual(told.splitlines()[:6], ["From:    王伟 <wang@example.cn>", "Reply-To: list@example.cn", f"To:      {USER}", "Cc:      carl@example.org, dora@example.org",
                                                 "Date:    2026-11-23 09:15 (Mon, 23 Nov 2026 17:15:30 +0800)", "Subject: 会议记录"])
        self.assertIn("X-Odd:   你", self.told("read", number, "--headers", "all"))

    def test_text_without_an_empty_line(self):
        """what stands where fields should is shown"""
        self.assertIn("\nhello\n world\n", self.told("read", self.put(b"Subject: test\nhello\n world\n")))
        self.assertEqual(self.told("read", self.put(b"This is a test\n")).strip(), "This is a test")

    def test_list(self):
        first = self.put(in_charset("gb18030", "會議記錄", "x"), "cur", "RS")
        second = self.put(with_attachments(("a.bin", b"x" * 4000)))
        rows = self.told().splitlines()
        self.assertRegex(rows[1], r"^  1   r    2026-11-23 09:15  王伟 .* 會議記錄$")
        self.assertRegex(rows[2], r"^  2  N  @  2026-11-23 09:15  Bob Example .* files$")
        # Wide characters count two columns: the dates, and the subjects, stand one below the other.
        self.assertEqual(rows[0].index("date"), rows[1].index("2026"))
        self.assertEqual([r["number"] for r in self.listed("--new")], [second])
        self.assertEqual([r["number"] for r in self.listed("--search", "BOB EX")], [second])
        self.assertEqual([r["number"] for r in self.listed("--search", "會議")], [first])
        self.assertEqual([r["number"] for r in self.listed("--search", USER.upper())], [first, second])
        self.assertEqual([r["number"] for r in self.listed("--sort", "size", "--reverse")], [second, first])
        self.assertEqual([r["number"] for r in self.listed("--last", "1")], [second])
        self.assertEqual(self.listed("--search", "nobody"), [])
        row = self.listed()[1]
        self.assertEqual((row["id"], row["new"], row["attachment"], row["date"]), ("1700000002.M1P1.host", True, True, "2026-11-23T09:15:30Z"))
        self.assertEqual(self.told("read", row["id"], "--peek"), self.told("read", 2, "--peek"))
        self.assertIn("no messages", self.told("list", "--search", "nobody"))

    def test_seen_and_not(self):
        number = self.put(in_charset("gbk", "x", "y"))
        self.told("read", number, "--peek")
        self.assertEqual(len(list((self.box / "new").iterdir())), 1)
        self.told("read", number)
        self.assertEqual([p.name for p in (self.box / "cur").iterdir()], ["1700000001.M1P1.host:2,S"])
        self.assertFalse(self.listed()[0]["new"])
        self.told("read", number)

    def test_source(self):
        octets = b"Subject: x\n\n" + bytes(range(256)) * 3000
        number = self.put(octets)
        self.assertEqual(self.run_it("read", number, "--source"), octets)

    def test_mbox_and_files(self):
        path = self.home / "box.mbox"
        box = mailbox.mbox(path)
        for i, text in enumerate(("From here\n>From there\n", "x\n", "y\n\n\n")):
            message = mailbox.mboxMessage(f"Subject: m{i}\n\n{text}")
            message.set_flags("RO" if i == 0 else "")
            box.add(message)
        box.close()
        self.assertEqual([(r["subject"], r["new"]) for r in self.listed("--in", path)], [("m0", False), ("m1", True), ("m2", True)])
        before = path.read_bytes()
        self.assertIn("\nFrom here\n", self.told("read", 1, "--in", path))
        self.told("delete", 1, "--yes", "--in", path, expect=74)
        self.assertEqual(path.read_bytes(), before)
        (self.home / "b.eml").write_bytes(b"Subject: single\r\n\r\nx\r\n")
        self.assertEqual([r["subject"] for r in self.listed(self.home / "b.eml")], ["single"])
        self.assertEqual([(r["subject"], r["new"]) for r in self.listed("--in", self.home)], [("single", None)])

    # Harm

    def test_terminal_is_safe(self):
        evil = "=?utf-8?B?" + base64.b64encode("a\x1b]0;owned\x07\x1b[2J\u202etxt.exe\nBcc: x".encode()).decode() + "?="
        octets = f"From: {evil} <x@example.org>\nSubject: {evil}\nX-\x1b[31m: y\n\n\x1b[31mred\x07\u202e\ttab\rback\n".encode() + b"\x9b1m\xff\n"
        message = with_attachments(("\x1b[2J\u202ecod.exe", b"x"))
        numbers = [self.put(octets), self.put(message)]
        for words in (["list"], *(["read", n, "--headers", "all"] for n in numbers), *(["read", n] for n in numbers)):
            told = self.run_it(*words)
            self.assertFalse(set(told) & (set(range(32)) - {10} | {127, 0x9b & 0}), told)
            self.assertNotIn("\u202e", told.decode())
            self.assertNotIn("\x9b", told.decode())

    def test_hostile_structures(self):
        deep = b"Subject: deep\nContent-Type: multipart/mixed; boundary=b0\n\n" + b"".join(
            b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (i, i + 1) for i in range(5000)) + b"text\n"
        for name, octets in (("no header", b"no header at all\nhere\n"), ("empty", b""), ("only lines", b"\n" * 1000), ("nul", b"\0" * 5000), ("deep", deep),
                             ("many lines", b"X: y\n" * 100_000 + b"\nbody"), ("torn", b"Subject: torn\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Ty"),
                             ("parts", b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 5000)):
            with self.subTest(name):
                number = self.put(octets)
                self.told("read", number)
                self.assertEqual(self.run_it("read", number, "--source"), octets)
        self.assertIn("no header at all", self.told("read", 1))
        self.assertIn("--source", self.told("read", 5))
        self.assertEqual(len(self.listed()), 8)

    def test_folder_with_other_things(self):
        self.put(b"Subject: a\n\n")
        (self.home / "secret").write_text("Subject: outside\n\n")
        (self.box / "cur/1.link").symlink_to(self.home / "secret")
        os.mkfifo(self.box / "new/0.pipe")
        self.assertEqual([r["subject"] for r in self.listed()], ["a"])
        self.told("read", 2, expect=NO_INPUT)
        self.told("list", "--in", self.home / "nothing", expect=NO_INPUT)
        os.mkfifo(self.home / "pipe")
        self.told("list", "--in", self.home / "pipe", expect=NO_INPUT)

    # Saving

    def test_attachments_octet_for_octet(self):
        files = [("报告.pdf", os.urandom(100_000)), ("a.bin", bytes(range(256)) * 100), ("a.bin", b"other"), ("empty.txt", b"")]
        number = self.put(with_attachments(*files))
        told = self.told("read", number)
        for name, octets in files:
            self.assertIn(f'"{name}", base64, {len(octets)} octets', told)
            self.assertIn(hashlib.sha256(octets).hexdigest(), told)
        self.told("save", number, "--to", self.home / "out")
        self.assertEqual({p.name: p.read_bytes() for p in (self.home / "out").iterdir()},
                         {"报告.pdf": files[0][1], "a.bin": files[1][1], "a-2.bin": files[2][1], "empty.txt": b""})
        saved = json.loads(self.told("save", number, "2", "--json", "--to", self.home / "out"))
        self.assertEqual((saved["file"], saved["sha256"]), (str(self.home / "out/报告-2.pdf"), hashlib.sha256(files[0][1]).hexdigest()))
        self.assertEqual((self.home / "out/报告.pdf").stat().st_mode & 0o777, 0o600)
        self.told("save", number, "9", expect=NO_INPUT)
        self.told("save", self.put(b"Subject: none\n\n"), expect=NO_INPUT)

    def test_names_that_do_harm(self):
        gbk = "报告.doc".encode("gbk")
        percent = "".join(f"%{c:02X}" for c in gbk)
        cases = {'filename="../../etc/passwd"': "passwd", 'filename="/etc/passwd"': "passwd", 'filename="..\\\\..\\\\evil.exe"': "evil.exe", 'filename=".bashrc"': "bashrc", 'filename=con': "con",
                 'filename=""': "part-1.bin", 'filename=".."': "part-1.bin", f"filename*=GBK''{percent}": "报告.doc", f"filename*0*=gbk''{percent[:9]};\n filename*1*={percent[9:]}": "报告.doc",
                 'filename="=?gbk?B?' + base64.b64encode(gbk).decode() + '?="': "报告.doc", 'filename="a\tb|c*d?.txt"': "a_b_c_d_.txt", 'filename="' + "n" * 300 + '.txt"': "n" * 200}
        for i, (parameter, expected) in enumerate(cases.items()):
            with self.subTest(parameter):
                number = self.put(f"Subject: x\nContent-Type: application/octet-stream\nContent-Disposition: attachment; {parameter}\n\nx\n".encode())
                out = self.home / f"out{i}"
                self.told("save", number, "all", "--to", out)
                self.assertEqual([p.name for p in out.iterdir()], [expected])

    def test_nothing_is_overwritten(self):
        number = self.put(with_attachments(("a.txt", b"new")))
        (self.home / "mine").write_text("mine")
        (self.home / "a.txt").symlink_to(self.home / "mine")
        (self.home / "a-2.txt").symlink_to(self.home / "nowhere")
        self.assertIn("a-3.txt", self.told("save", number))
        self.assertEqual(((self.home / "mine").read_text(), (self.home / "a-3.txt").read_bytes(), (self.home / "nowhere").exists()), ("mine", b"new", False))
        source = self.home / "raw.eml"
        self.told("save", number, "--source", source)
        self.assertEqual(source.read_bytes(), self.run_it("read", number, "--source"))
        self.told("save", number, "--source", source, expect=CANNOT_CREATE)
        self.assertIn("message-1.eml", self.told("save", number, "--source"))
        self.told("save", number, "--source", "named.eml", "--to", self.home / "beside")
        self.assertTrue((self.home / "beside" / "named.eml").exists())

    def test_large_message_in_bounded_memory(self):
        payload = os.urandom(45_000_000)
        number = self.put(with_attachments(("big.bin", payload)))
        peak = subprocess.run(["/usr/bin/env", "python3", "-c", "import resource,subprocess,sys;subprocess.run(sys.argv[1:],check=True,stdout=subprocess.DEVNULL);print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                               GLASSPOST, "mail", "save", str(number), "--to", str(self.home / "out")], env=self.environment, cwd=self.home, capture_output=True, check=True, timeout=120)
        self.assertEqual((self.home / "out/big.bin").read_bytes(), payload)
        if "asan" not in GLASSPOST:
            self.assertLess(int(peak.stdout), 200_000)
        with open(self.box / "new/1800000000.huge", "wb") as f:
            f.write(b"Subject: huge\n\n")
            for _ in range(70):
                f.write(b"line of text\n" * 80_660)
        told = self.told("read", 2)
        self.assertIn("too large", told)
        self.assertLess(len(told), 100_000)
        self.told("save", 2, expect=DATA)

    # Answering

    def answer(self, *words, data=b"Thanks.\n"):
        octets = self.run_it(*words, "--print", "--from", f"Ada <{USER}>", data=data)
        return email.message_from_bytes(octets.replace(b"\r\n", b"\n"), policy=email.policy.default)

    @staticmethod
    def text(message):
        return message.get_body().get_content().replace("\r\n", "\n")

    def test_reply(self):
        number = self.put(in_charset("gbk", "会议记录", "第一行\n> 引用\n-- \n签名\n").replace(b"To: ", b"Cc: Carl <carl@example.org>, ADA@localhost.test\nReferences: <1@x>\nTo: dora@example.org, "))
        reply = self.answer("reply", number)
        self.assertEqual((reply["To"], reply["Cc"], reply["Subject"], reply["In-Reply-To"], reply["References"]),
                         ("王伟 <wang@example.cn>", None, "Re: 会议记录", "<gbk@example.cn>", "<1@x> <gbk@example.cn>"))
        self.assertEqual(self.text(reply), "Thanks.\n\nOn 2026-11-23 09:15, 王伟 <wang@example.cn> wrote:\n> 第一行\n>> 引用\n")
        everybody = self.answer("reply", number, "--all", "--lang", "zh", "--no-quote", "--cc", "eve@example.org")
        self.assertEqual((everybody["Cc"], self.text(everybody)), ("dora@example.org, Carl <carl@example.org>, eve@example.org", "Thanks.\n"))
        self.assertIn("写道：", self.text(self.answer("reply", number, "--lang", "zh")))
        again = self.put(reply.as_bytes())
        twice = self.answer("reply", again, "--body", "ok")
        self.assertEqual((twice["Subject"], twice["To"], twice["References"]), ("Re: 会议记录", "王伟 <wang@example.cn>", f"<1@x> <gbk@example.cn> {reply['Message-ID']}"))

    def test_reply_to_names_beyond_ascii(self):
        """U-labels go out as A-labels, so that any server takes them; display names stay"""
        number = self.put("From: 王伟 <wang@例子.测试>\nCc: Jürgen <jo@bücher.example>, 用户@例子.测试\nTo: ada@localhost.test\n\nx\n".encode())
        reply = self.answer("reply", number, "--all")
        self.assertEqual((reply["To"], reply["Cc"]), ("王伟 <wang@xn--fsqu00a.xn--0zwm56d>", "Jürgen <jo@xn--bcher-kva.example>, 用户@例子.测试"))

    def test_forward(self):
        files = [("报告.pdf", os.urandom(5000)), ("a.bin", b"x")]
        number = self.put(with_attachments(*files, text="Please look.\n"))
        (self.home / "more.txt").write_text("more")
        message = self.answer("forward", number, "--to", "carl@example.org", "--to", "dora@example.org", "--bcc", "eve@example.org")
        self.assertEqual((message["To"], message["Subject"], message["In-Reply-To"], message["Bcc"]), ("carl@example.org, dora@example.org", "Fwd: files", None, None))
        more = self.answer("forward", number, "--to", "carl@example.org", "--attach", "more.txt", "--subject", "My own")
        self.assertEqual((more["Subject"], [p.get_filename() for p in more.iter_attachments()]), ("My own", ["more.txt", *(name for name, _ in files)]))
        text = self.text(message)
        for words in ("Thanks.\n\n---------- Forwarded message", "From: Bob Example <bob@example.org>", "Please look."):
            self.assertIn(words, text)
        self.assertEqual([(p.get_filename(), p.get_content()) for p in message.iter_attachments()], files)
        self.assertEqual([p.name for p in self.home.iterdir() if p.name.startswith("glasspost-")], [])
        self.told("forward", number, "--from", USER, expect=CONFIG)
        self.told("forward", number, "--from", USER, "--print", expect=DATA)

    def test_terminal(self):
        long = self.put(with_attachments(subject="会议记录" * 40))
        rows = self.in_terminal("list").replace("\r", "").splitlines()
        self.assertIn("会议记录", rows[1])
        plain = re.sub(r"\x1b\[\d*m", "", rows[1])
        self.assertTrue(plain.endswith("…"), plain)
        self.assertIn(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in plain), (59, 60))
        self.assertIn("\\x1b", self.in_terminal("read", self.put(b"Subject: x\n\n\x1b[2J\n"), "--source"))
        told = self.in_terminal("reply", long, "--print", "--from", USER, editor="sed -i '1s/^/My words/'")
        self.assertIn("My words", told)
        self.assertIn("wrote:", told)
        self.assertIn("nothing was written", self.in_terminal("reply", long, "--print", "--from", USER, editor="true", expect=NO_INPUT))
        self.in_terminal("reply", long, "--print", "--from", USER, editor="false", expect=69)
        self.assertIn("nothing was deleted", self.in_terminal("delete", long, typed=b"n\n", expect=NO_INPUT))
        self.in_terminal("delete", long, typed=b"y\n")
        self.assertEqual([r["subject"] for r in self.listed()], ["x"])

    def test_delete(self):
        for i in range(4):
            self.put(f"Subject: {i}\n\n".encode())
        self.told("delete", 1, expect=USAGE)
        self.told("delete", 1, 9, "--yes", expect=NO_INPUT)
        self.assertIn("2 deleted", self.told("delete", 1, 3, 1, "--yes"))
        self.assertEqual([r["subject"] for r in self.listed()], ["1", "3"])

    def test_how_it_is_used(self):
        number = self.put(b"Subject: x\n\n")
        self.assertIn("glasspost help mail", self.told("raed", number, expect=USAGE) + self.error)
        for words in (["read"], ["read", "1", "2"], ["list", "--to", "x"], ["read", "1", "--search", "x"], ["read", "1", "--headers", "some"], ["--sort", "colour"], ["list", "--last", "0"], ["save", "1", "--body", "x"]):
            with self.subTest(words):
                self.told(*words, expect=USAGE)
        for words in ([self.box, "read", number], ["read", number, "--in", self.box]):
            self.assertIn("Subject: x", self.told(*words))
        self.told("read", number, self.box, expect=USAGE)
        self.assertIn("behind --in", self.error)
        self.told(self.box, "--in", self.box, expect=USAGE)
        self.told("reply", number, "--body", "x", expect=CONFIG)
        shutil.rmtree(self.box)
        self.told(expect=CONFIG)
        self.assertIn("glasspost account add", self.error)


class OddServer(Listening):
    """A POP3 server that knows what it is told to know: {verb: octets of the reply, or a function of the argument}; None hangs up."""

    def __init__(self, replies):
        self.replies = {b"USER": b"+OK\r\n", b"PASS": b"+OK\r\n", b"QUIT": b"+OK\r\n"} | replies
        self.said = []
        super().__init__()
        self.options = ["--server", f"127.0.0.1:{self.port}", "--tls", "none", "--user", USER, "--password-env", "PASS"]

    def talk(self, stream):
        stream.write(b"+OK ready\r\n")
        stream.flush()
        while line := stream.readline():
            self.said.append(line.strip())
            verb, _, argument = line.strip().partition(b" ")
            reply = self.replies.get(verb, b"-ERR no\r\n")
            reply = reply(argument) if callable(reply) else reply
            if reply is None:
                return
            stream.write(reply)
            stream.flush()


class OddServers(Case):
    LIST = b"+OK\r\n2 100\r\n9 200\r\n2 3\r\n0 1\r\n.\r\n"
    MESSAGE = b"+OK\r\nSubject: odd\r\n\r\nbody\r\n.\r\n"

    def odd(self, replies):
        server = OddServer(replies)
        self.addCleanup(server.close)
        return server

    def test_neither_uidl_nor_top(self):
        server = self.odd({b"LIST": self.LIST, b"RETR": self.MESSAGE, b"DELE": b"+OK\r\n"})
        self.assertEqual([(r["number"], r["subject"], r["id"]) for r in self.listed(*server.options)], [(2, "odd", ""), (9, "odd", "")])
        self.assertIn("body", self.told("read", 9, *server.options))
        self.told("read", 1, *server.options, expect=NO_INPUT)
        self.told("delete", 9, "--yes", *server.options)
        self.assertEqual([line for line in server.said if line.startswith(b"DELE")], [b"DELE 9"])

    def test_refused(self):
        self.told("list", *self.odd({}).options, expect=69)
        self.told("read", 2, *self.odd({b"LIST": self.LIST}).options, expect=69)
        self.told("delete", 2, "--yes", *self.odd({b"LIST": self.LIST}).options, expect=69)
        told = self.told("delete", 2, "--yes", *self.odd({b"LIST": self.LIST, b"DELE": b"+OK\r\n", b"QUIT": b"-ERR some not deleted\r\n"}).options, expect=69)
        self.assertNotIn("deleted", told)

    def test_lost(self):
        for replies in ({b"LIST": lambda _: None}, {b"LIST": self.LIST, b"UIDL": lambda _: None}, {b"LIST": self.LIST, b"TOP": lambda _: None, b"RETR": lambda _: None}):
            self.told("list", *self.odd(replies).options, expect=75)
        self.told("read", 2, *self.odd({b"LIST": self.LIST, b"RETR": lambda _: None}).options, expect=75)
        self.told("list", "--server", "127.0.0.1:1", "--tls", "none", "--user", USER, "--password-env", "PASS", "--lang", "zh", expect=75)
        self.assertIn("无法连接：连接被拒绝", self.error)

    def test_nonsense(self):
        self.told("list", *self.odd({b"LIST": b"what?\r\n"}).options, expect=76)
        long = self.odd({b"LIST": b"+OK\r\n1 5\r\n.\r\n", b"TOP": b"+OK\r\n" + b"X: y\r\n" * 500_000 + b".\r\n", b"UIDL": b"+OK\r\n1 \x1b[2J\r\n5 x\r\n.\r\n"})
        (row,) = self.listed(*long.options)
        self.assertEqual((row["number"], row["subject"]), (1, ""))


class Maildrop(Case):
    """Of a server of our own; and what is sent to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        pem, key = certificate(cls.folder, "good", "IP:127.0.0.1,DNS:localhost")
        cls.server = Server(GLASSPOST, f'server.classroom = true\ntls.certificate = "{pem}"\ntls.key = "{key}"\n', users=[(USER, PASSWORD), ("bob@localhost.test", PASSWORD)])
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        super().setUp()
        for user in (USER, "bob@localhost.test"):
            self.server.fetch(user, PASSWORD)
        accounts = self.home / "glasspost/accounts.toml"
        accounts.parent.mkdir()
        accounts.write_text("".join(f'[[account]]\naddress = "{user}"\nname = "{name}"\nuser = "{user}"\nauthorities = "{self.folder / "ca.pem"}"\npassword = {{ environment = "PASS" }}\n'
                                    f'pop3 = {{ host = "127.0.0.1", port = {self.server.port["pop3s"]}, tls = "implicit" }}\nsmtp = {{ host = "127.0.0.1", port = {self.server.port["submissions"]}, tls = "implicit" }}\n'
                                    for user, name in ((USER, "Ada L."), ("bob@localhost.test", "Bob"))))
        accounts.chmod(0o600)

    def send(self, *messages):
        with smtplib.SMTP("127.0.0.1", self.server.port["smtp"], timeout=30) as client:
            for octets in messages:
                client.sendmail("bob@localhost.test", [USER], octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))

    def test_maildrop(self):
        octets = os.urandom(3000)
        self.send(in_charset("gbk", "会议记录", HELLO), with_attachments(("报告.pdf", octets)))
        rows = self.listed("--in", USER)
        self.assertEqual([(r["number"], r["subject"], r["new"], r["attachment"]) for r in rows], [(1, "会议记录", None, False), (2, "files", None, True)])
        self.assertTrue(rows[0]["id"] and rows[0]["size"])
        self.assertEqual([r["number"] for r in self.listed(USER, "--search", "会议")], [1])
        self.assertIn(HELLO, self.told("read", 1, "--in", USER))
        self.assertIn(HELLO, self.told("read", rows[0]["id"], "--account", USER))
        self.told("save", 2, "--in", USER)
        self.assertEqual((self.home / "报告.pdf").read_bytes(), octets)
        self.assertEqual(len(self.listed(USER)), 2)
        clear = ["--server", f"127.0.0.1:{self.server.port['pop3']}", "--tls", "none", "--user", USER, "--password-env", "PASS"]
        self.told("read", 1, "--save", "/proc/x/y.pcapng", *clear, expect=CANNOT_CREATE)
        shown = self.told("read", 1, "--show", "--save", self.home / "read.pcapng", *clear)
        self.assertIn("RETR 1", shown)
        self.assertNotIn(PASSWORD, shown)
        self.assertTrue((self.home / "read.pcapng").stat().st_size)
        self.assertIn("1 deleted", self.told("delete", 1, "--yes", "--in", USER))
        self.assertEqual([r["subject"] for r in self.listed(USER)], ["files"])
        self.told("read", 7, "--in", USER, expect=NO_INPUT)
        self.environment["PASS"] = "wrong"
        self.told("list", USER, expect=LOGIN)

    def test_reply_is_sent(self):
        number = self.put(with_attachments(("a.bin", b"x")).replace(b"bob@example.org>", b"bob@localhost.test>"))
        self.told("reply", number, "--body", "Thanks.")
        (octets,) = self.server.fetch("bob@localhost.test", PASSWORD)
        reply = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual((reply["From"], reply["To"], reply["Subject"], reply["In-Reply-To"]), (f'"Ada L." <{USER}>', "Bob Example <bob@localhost.test>", "Re: files", "<files@example.org>"))
        self.assertEqual([p.name for p in (self.box / "cur").iterdir()], ["1700000001.M1P1.host:2,RS"])
        self.assertTrue(self.listed()[0]["answered"])
        self.told("forward", number, "--body", "Look.", "--to", "bob@localhost.test")
        (octets,) = self.server.fetch("bob@localhost.test", PASSWORD)
        forwarded = email.message_from_bytes(octets, policy=email.policy.default)
        self.assertEqual([p.get_content() for p in forwarded.iter_attachments()], [b"x"])
        self.assertEqual([p.name for p in (self.box / "cur").iterdir()], ["1700000001.M1P1.host:2,PRS"])

    def unsent(self):
        return sorted((self.home / ".local/state/glasspost/unsent").glob("*"))

    def test_what_was_typed_is_not_lost(self):
        """an answer written in the editor is kept until it is sent, and sent by what the complaint says"""
        number = self.put(with_attachments(("a.bin", b"x")).replace(b"bob@example.org>", b"bob@localhost.test>"))
        written = ("reply", number, "--yes", "--from", USER, "--in", self.box, "--account", USER, "--bcc", USER)
        for turn in (1, 2):
            self.assertIn("glasspost send -t --message", self.in_terminal(*written, "--server", "127.0.0.1:1", "--tls", "none", editor="sed -i '1s/^/My own words/'", expect=75))
            self.assertEqual(len(self.unsent()), turn)  # none in the place of another
        (kept, other) = self.unsent()
        self.assertEqual((kept.stat().st_mode & 0o777, kept.parent.stat().st_mode & 0o777), (0o600, 0o700))
        other.unlink()
        subprocess.run([GLASSPOST, "send", "-t", "--message", kept, "--account", USER], env=self.environment, check=True, capture_output=True, timeout=60)
        for user in ("bob@localhost.test", USER):
            (octets,) = self.server.fetch(user, PASSWORD)
            self.assertIn(b"My own words", octets)
            self.assertNotIn(b"\r\nBcc:", octets)
        kept.unlink()
        # Those who have it need not get it twice.
        told = self.in_terminal("reply", number, "--cc", "nobody@localhost.test", "--yes", "--in", self.box, "--account", USER, "--lang", "zh", editor="sed -i '1s/^/To some/'", expect=67)
        self.assertRegex("".join(told.split()), r"可用glasspostsend--message\S+--tonobody@localhost.test发送")
        self.unsent()[0].unlink()
        # Nor is it lost before a server is asked; and nothing stays of what was sent.
        self.assertIn("is kept here", self.in_terminal("reply", number, "--attach", "no-such", "--yes", "--in", self.box, "--account", USER, editor="sed -i '1s/^/Words/'", expect=DATA))
        self.assertIn(b"Words", self.unsent()[0].read_bytes())
        self.unsent()[0].unlink()
        self.assertIn("not sent", self.in_terminal("reply", number, "--in", self.box, "--account", USER, editor="sed -i '1s/^/Words/'", typed=b"n\n", expect=NO_INPUT))
        self.unsent()[0].unlink()
        self.in_terminal("reply", number, "--in", self.box, "--account", USER, editor="sed -i '1s/^/Words/'", typed=b"y\n")
        self.assertEqual(self.unsent(), [])

    def test_reply_from_the_maildrop(self):
        self.send(b"From: bob@localhost.test\r\nTo: somebody@example.org\r\nSubject: x\r\nMessage-ID: <1@x>\r\n\r\ny\r\n")
        self.told("reply", 1, "--in", USER, "--body", "Thanks.")
        (octets,) = self.server.fetch("bob@localhost.test", PASSWORD)
        self.assertIn(b"In-Reply-To: <1@x>", octets)
        refused = self.put(b"From: nobody@localhost.test\nTo: " + USER.encode() + b"\n\nx\n")
        self.told("reply", refused, "--body", "x", expect=67)
        self.assertEqual(list((self.box / "cur").iterdir()), [])


if __name__ == "__main__":
    GLASSPOST = os.path.abspath(sys.argv.pop(1))
    unittest.main()
