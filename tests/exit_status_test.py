#!/usr/bin/env python3
"""`glasspost analyze` as a program among others: exit statuses, clear messages, files that are not harmed, octets that are escaped.

  exit_status_test.py GLASSPOST CAPTURE_DIR      CAPTURE_DIR: the captures in this folder's captures/
"""
import contextlib
import gzip
import json
import os
import re
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unicodedata
import unittest

GLASSPOST, CAPTURES = "", ""
SYN = ("00 0F E2 45 B9 C2 00 E5 7C 07 DF 45 08 00 45 00 00 40 CE F2 40 00 40 06 79 87 0A 84 FE 9F DC B5 0C 65 08 B7 00 6E 93 9D 52 22 "
       "00 00 00 00 B0 02 FF FF 54 DB 00 00 02 04 05 B4 01 03 03 03 01 01 08 0A 00 00 00 00 00 00 00 00 01 01 04 02 0C")
SYN_ACK = ("00 E5 7C 07 DF 45 00 0F E2 45 B9 C2 08 00 45 00 00 34 00 00 40 00 35 06 53 86 DC B5 0C 65 0A 84 FE 9F 00 6E 08 B7 6B 9C 45 "
           "4F 93 9D 52 23 80 12 16 D0 C6 21 00 00 02 04 05 B4 01 01 04 02 01 03 03 07 00")
READ, FAULTS, USAGE, CANNOT_OPEN = 0, 1, 2, 3


def segment(source, destination, sequence, flags, payload):
    """one Ethernet frame; the checksums are left 0, as with checksum offload"""
    tcp = struct.pack(">HHIIBBHHH", source, destination, sequence, 0, 0x50, flags, 8192, 0, 0) + payload
    ends = (b"\x0a\0\0\x01", b"\x0a\0\0\x02") if source > destination else (b"\x0a\0\0\x02", b"\x0a\0\0\x01")
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, *ends)
    return b"\x02" * 12 + b"\x08\x00" + ip + tcp


def capture(frames):
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1)
    for n, f in enumerate(frames):
        out += struct.pack("<IIII", 1700000000 + n, 0, len(f), len(f)) + f
    return out


class Analyze(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.login = os.path.join(CAPTURES, "login.pcap")
        with open(self.login, "rb") as f:
            self.octets = f.read()

    def run_it(self, *arguments, data=b"", out=subprocess.PIPE, env=None):
        run = subprocess.run([GLASSPOST, "analyze", "--lang", "en", *arguments], input=data, stdout=out, stderr=subprocess.PIPE,
                             timeout=120, env=env)
        return run.returncode, (run.stdout or b"").decode(), run.stderr.decode()

    def file(self, name, data):
        path = os.path.join(self.folder, name)
        with open(path, "wb") as f:
            f.write(data)
        return path

    def test_read(self):
        status, out, err = self.run_it(self.login)
        self.assertEqual((status, err), (READ, ""))
        self.assertIn("1 conversation", out)

    def test_cannot_open(self):
        empty, text = self.file("empty", b""), self.file("text", b"no capture at all\n")
        for path, words in ((os.path.join(self.folder, "missing"), "No such file or directory"), (empty, "the file is empty"),
                            (self.folder, "is a directory"), (text, "is not a capture file")):
            status, _, err = self.run_it(path)
            self.assertEqual(status, CANNOT_OPEN, err)
            self.assertIn(words, err)
            self.assertIn(path, err)
            self.assertEqual(err.count("\n"), 1)

    def test_one_of_several_cannot_be_read(self):
        send = os.path.join(CAPTURES, "send.pcap")
        text, missing = self.file("text", b"no capture at all\n"), os.path.join(self.folder, "missing")
        whole = self.run_it(self.login, send)[1]
        for files in ((text, self.login, missing, send), (self.login, missing, send, text)):
            status, out, err = self.run_it(*files)
            self.assertEqual((status, out), (CANNOT_OPEN, whole), files)
            self.assertEqual(sorted(err.splitlines()), sorted([
                f"glasspost: {text}: is not a capture file: it begins with 6e 6f 20 63 (give a pcap or pcapng file, or a hex dump with --from-hex)",
                f"glasspost: {missing}: cannot open: No such file or directory (check the name)"]))
        told = self.run_it("-c", "2", self.login, send)[1]
        self.assertEqual(self.run_it("-c", "2", missing, self.login, send)[:2], (CANNOT_OPEN, told))
        octets = self.run_it("-c", "2", "--hex", self.login, send)[1]
        self.assertEqual(self.run_it("-c", "2", "--hex", missing, self.login, send)[:2], (CANNOT_OPEN, octets))
        told = self.run_it("--json", self.login, send)[1]
        for threads in ("-1", "1", "4"):
            self.assertEqual(self.run_it("--json", "--threads", threads, text, self.login, text, send)[:2], (CANNOT_OPEN, told))
        status, out, err = self.run_it(text, missing)
        self.assertEqual((status, out, err.count("\n")), (CANNOT_OPEN, "", 2))
        syn = self.file("syn.txt", SYN.encode())
        status, out, err = self.run_it("--from-hex", missing, syn)
        self.assertEqual((status, out), (CANNOT_OPEN, self.run_it("--from-hex", syn)[1]))

    def test_truncated(self):
        path = self.file("cut.pcap", self.octets[:-7])
        status, out, err = self.run_it("--json", path)
        self.assertEqual(status, FAULTS)
        last = len(self.octets) - 7
        at = 24
        while at + 16 + struct.unpack_from("<I", self.octets, at + 8)[0] <= last:
            at += 16 + struct.unpack_from("<I", self.octets, at + 8)[0]
        self.assertIn(f"{path}, octet {at}: the file ends inside its packet", err)
        whole = json.loads(self.run_it("--json", self.login)[1].splitlines()[0])
        told = json.loads(out.splitlines()[0])
        self.assertEqual(told["exchanges"], whole["exchanges"])

    def test_truncated_gzip(self):
        packed = gzip.compress(self.octets)
        status, _, err = self.run_it(self.file("cut.pcap.gz", packed[:len(packed) // 2]))
        self.assertEqual(status, FAULTS, err)
        self.assertEqual(self.run_it(self.file("whole.pcap.gz", packed))[0], READ)

    def test_unwritable_output(self):
        for options in ([], ["--json"], ["--conversation", "1"]):
            with open("/dev/full", "wb") as full:
                status, _, err = self.run_it(*options, self.login, out=full)
            self.assertEqual(status, CANNOT_OPEN, options)
            self.assertEqual(err, "glasspost: standard output: cannot be written\n")

    def test_usage(self):
        for arguments, words in (([], "no capture file given"), (["--nonsense", self.login], "--nonsense: there is no such option"),
                                 (["--conversaton", "1", self.login], "(did you mean --conversation?)"),
                                 (["--conversation", "0", self.login], "not a conversation's number: 0"),
                                 (["--conversation", "x", self.login], "not a conversation's number: x"),
                                 (["-c", "1", "--hex", "--exchange", "0", self.login], "not an exchange's number: 0"),
                                 (["-", "-"], "standard input can be read only once"), (["--lang", "xx", self.login], "--lang: xx"),
                                 (["--messages"], "--messages"),
                                 (["--from-hex", self.login, "--", self.login], "cannot be read together with capture files"),
                                 (["--json", "--conversation", "1", self.login], "--json: tells all conversations")):
            status, out, err = self.run_it(*arguments)
            self.assertEqual((status, out, err.count("\n")), (USAGE, "", 1), arguments)
            self.assertIn(words, err)

    def test_options_without_their_companion(self):
        for arguments, words in ((["--hex"], "--hex: needs --conversation N"), (["--full"], "--full: needs --conversation N"),
                                 (["--full", "--json"], "--full: needs --conversation N"),
                                 (["-c", "1", "--exchange", "2"], "--exchange: needs --hex"), (["--exchange", "2"], "--exchange: needs --hex"),
                                 (["--attachments"], "--attachments: needs --json"), (["--no-messages"], "--no-messages: needs --json"),
                                 (["-c", "1", "--no-messages"], "--no-messages: needs --json"),
                                 (["--show-secrets"], "--show-secrets: needs --conversation N or --json"),
                                 (["-c", "1", "--messages", self.folder], "--messages: writes the messages of all conversations"),
                                 (["-c", "1", "--hex", "--full"], "--full: has no part in --hex"),
                                 (["--json", "--attachments", "--no-messages"], "--attachments: are part of the messages")):
            status, out, err = self.run_it(*arguments, self.login)
            self.assertEqual((status, out, err.count("\n")), (USAGE, "", 1), arguments)
            self.assertIn("glasspost: " + words, err)

    def test_threads(self):
        told = self.run_it("--json", self.login)[1]
        for n in ("-1", "0", "1", "16"):
            self.assertEqual(self.run_it("--json", "--threads", n, self.login)[:2], (READ, told), n)
        for n in ("-2", "17", "x", "1x", "99999999999999999999"):
            status, out, err = self.run_it("--json", "--threads", n, self.login)
            self.assertEqual((status, out), (USAGE, ""))
            self.assertIn(f"--threads: {n} is not a number from -1 to 16", err)

    def program(self, *arguments, **env):
        environment = {k: v for k, v in os.environ.items() if k not in ("LC_ALL", "LC_MESSAGES", "LANG")}
        run = subprocess.run([GLASSPOST, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**environment, **env}, timeout=60)
        return run.returncode, run.stdout.decode(), run.stderr.decode()

    def test_help(self):
        status, out, err = self.program("--help")
        self.assertEqual((status, err), (READ, ""))
        self.assertIn("analyze FILE…", out)
        for other in (["help"], ["-h"], ["help", "help"], ["help", "--lang", "en"]):
            self.assertEqual(self.program(*other), (status, out, err), other)
        status, page, err = self.program("help", "analyze")
        self.assertEqual((status, err), (READ, ""))
        for other in (["analyze", "--help"], ["analyze", "-h"], ["analyze", "x.pcap", "--json", "--help"]):
            self.assertEqual(self.program(*other), (status, page, err), other)
        for option in ("FILE…", "--from-hex", "-c, --conversation N", "--full", "--hex", "--exchange K", "--json", "--no-messages", "--attachments",
                       "--messages DIR", "--show-secrets", "--lang", "--color", "--threads N", "-h, --help"):
            self.assertIn("  " + option, page)

    def test_help_in_chinese(self):
        for about, words in (([], "讲述捕获文件中的每个邮件会话"), (["analyze"], "配合 --json：加上每封邮件的附件")):
            page = self.program("help", *about, "--lang", "zh")
            self.assertIn(words, page[1])
            self.assertEqual(self.program("help", *about, LANG="zh_CN.UTF-8"), page)
            self.assertEqual(self.program(*about, "--help", LC_ALL="zh_TW.UTF-8"), page)
            self.assertEqual(self.program("--lang=zh", *about, "--help"), page)
            english = self.program("help", *about, "--lang", "en", LANG="zh_CN.UTF-8")[1]
            # Both pages name the same options, and no line is wider than a terminal.
            typed = lambda text: re.findall(r"--[a-z-]+[a-z]", text)
            self.assertEqual(sorted(set(typed(english))), sorted(set(typed(page[1]))))
            for line in (english + page[1]).splitlines():
                self.assertLessEqual(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line), 80, line)

    def test_commands(self):
        self.assertEqual(self.program("--version"), (READ, "glasspost 0.1.0\n", ""))
        for arguments, words in ((["analyse", self.login], "glasspost: analyse: there is no such command (did you mean analyze?)"),
                                 ([self.login, "-c", "1"], f"(did you mean glasspost analyze {self.login} -c 1?)"),
                                 (["--json", self.login], f"(did you mean glasspost analyze --json {self.login}?)"),
                                 (["--json"], "no command given (did you mean glasspost analyze FILE?)"),
                                 ([], "no command given (did you mean glasspost analyze FILE?)"),
                                 (["help", "me"], "me: there is no such command (did you mean glasspost help analyze?)"),
                                 (["\x1b[31m"], "glasspost: \\x1b[31m: there is no such command")):
            status, out, err = self.program(*arguments)
            self.assertEqual((status, out), (USAGE, ""), arguments)
            self.assertIn(words, err)
        # The language may stand before the command.
        self.assertEqual(self.program("--lang", "zh", "analyze", self.login), self.program("analyze", self.login, "--lang", "zh"))

    def test_conversation_that_is_not_there(self):
        status, out, err = self.run_it("--conversation", "9", self.login)
        self.assertEqual((status, out), (USAGE, ""))
        self.assertIn("only conversation 1", err)
        status, out, err = self.run_it("-c", "1", "-c", "9", self.login)
        self.assertEqual(status, USAGE)
        self.assertIn("USER", out)

    def test_standard_input(self):
        for data in (self.octets, gzip.compress(self.octets)):
            self.assertEqual(self.run_it("--json", "-", data=data)[1], self.run_it("--json", self.login)[1])
            self.assertEqual(self.run_it("-c", "1", "-", data=data)[1], self.run_it("-c", "1", self.login)[1])

    def test_several_files_count_frames_over_all(self):
        send = os.path.join(CAPTURES, "send.pcap")
        status, out, _ = self.run_it("--json", self.login, send)
        self.assertEqual(status, READ)
        frames = sum(1 for _ in self.frames_of(self.octets))
        alone = json.loads(self.run_it("--json", send)[1])["exchanges"][0]["reply"]["frames"][0]
        second = next(c for c in map(json.loads, out.splitlines()) if c["protocol"] == "smtp")
        self.assertEqual(second["exchanges"][0]["reply"]["frames"][0], frames + alone)

    @staticmethod
    def frames_of(data):
        at = 24
        while at < len(data):
            yield at
            at += 16 + struct.unpack_from("<I", data, at + 8)[0]

    def test_messages(self):
        send = os.path.join(CAPTURES, "send.pcap")
        folder = os.path.join(self.folder, "mail")
        self.assertEqual(self.run_it("--messages", folder, send)[0], READ)
        self.assertEqual(os.listdir(folder), ["0001-1.eml"])
        path = os.path.join(folder, "0001-1.eml")
        told = json.loads(self.run_it("--json", send)[1])["messages"][0]
        self.assertEqual(os.path.getsize(path), told["size"])
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, "wb") as f:
            f.write(b"mine")
        with open(path, "rb") as f:
            self.assertEqual(f.read(), b"mine")

    def test_messages_whose_names_are_taken(self):
        send = os.path.join(CAPTURES, "send.pcap")
        folder = os.path.join(self.folder, "mail")
        os.mkdir(folder)
        path = os.path.join(folder, "0001-1.eml")
        with open(path, "wb") as f:
            f.write(b"mine")
        # The same conversation twice: the second is another file.
        second = self.file("second.pcap", self.with_another_port(send))
        whole = self.run_it(send, second)[1]
        status, out, err = self.run_it("--messages", folder, send, second)
        self.assertEqual((status, err), (CANNOT_OPEN, f"glasspost: {path}: not written: a file of this name is there already (choose another folder)\n"))
        self.assertEqual(out, whole + f"1 message was written to {folder}\n")
        self.assertEqual(sorted(os.listdir(folder)), ["0001-1.eml", "0002-1.eml"])
        with open(path, "rb") as f:
            self.assertEqual(f.read(), b"mine")
        status, out, err = self.run_it("--json", "--messages", folder, send, second)
        self.assertEqual((status, out, err.count("\n")), (CANNOT_OPEN, self.run_it("--json", send, second)[1], 2))

    @staticmethod
    def with_another_port(path):
        with open(path, "rb") as f:
            octets = bytearray(f.read())
        for at in Analyze.frames_of(octets):
            for place in (16 + 14 + 20, 16 + 14 + 22):
                if struct.unpack_from(">H", octets, at + place)[0] != 25:
                    struct.pack_into(">H", octets, at + place, 41301)
        return bytes(octets)

    def test_folder_that_cannot_be_used(self):
        send = os.path.join(CAPTURES, "send.pcap")
        told = self.run_it(send)[1]
        file = self.file("file", b"mine")
        os.chmod(file, 0o777)
        for folder, words in ((file, "Not a directory"), (os.path.join(file, "mail"), "Not a directory"),
                              (os.path.join(self.folder, "no", "mail"), "No such file or directory"), ("/proc/self", "")):
            status, out, err = self.run_it("--messages", folder, send)
            self.assertEqual(status, CANNOT_OPEN, folder)
            self.assertTrue(out.startswith(told), folder)
            self.assertEqual((err.count("\n"), err.startswith(f"glasspost: {folder}: ")), (1, True), err)
            self.assertIn(words, err)
        if os.geteuid() != 0:
            locked = os.path.join(self.folder, "locked")
            os.mkdir(locked, 0o500)
            status, out, err = self.run_it("--messages", locked, send)
            self.assertEqual((status, out), (CANNOT_OPEN, told))
            self.assertIn("Permission denied", err)

    def dialogue(self, *pieces):
        """a capture of (from the client?, octets)…"""
        frames, sequence = [segment(40000, 25, 99, 2, b""), segment(25, 40000, 99, 0x12, b"")], [100, 100]
        for client, octets in pieces:
            ports = (40000, 25) if client else (25, 40000)
            frames.append(segment(*ports, sequence[client], 0x18, octets))
            sequence[client] += len(octets)
        return capture(frames)

    def test_incomplete_message(self):
        path = self.file("short.pcap", self.dialogue((False, b"220 mx ESMTP\r\n"), (True, b"EHLO me\r\n"), (False, b"250 mx\r\n"),
                                                     (True, b"MAIL FROM:<a@b>\r\n"), (False, b"250 ok\r\n"), (True, b"RCPT TO:<c@d>\r\n"),
                                                     (False, b"250 ok\r\n"), (True, b"DATA\r\n"), (False, b"354 go\r\n"),
                                                     (True, b"Subject: cut\r\n\r\nhalf")))
        folder = os.path.join(self.folder, "mail")
        status, out, _ = self.run_it("--json", "--messages", folder, path)
        self.assertEqual(status, READ)
        self.assertEqual(os.listdir(folder), ["0001-1-incomplete.eml"])
        self.assertTrue(json.loads(out)["messages"][0]["truncated"])

    def test_peer_octets_are_escaped(self):
        path = self.file("evil.pcap", self.dialogue((False, b"220 \x1b[31m\x07\xff ESMTP\r\n"), (True, b"EHLO \x1b]0;x\x9b\r\n"),
                                                    (False, b"250 \xe4\xbd\xa0\xe5\xa5\xbd\r\n")))
        for arguments in ([], ["-c", "1"], ["-c", "1", "--full"], ["--json"], ["-c", "1", "--hex"]):
            run = subprocess.run([GLASSPOST, "analyze", *arguments, path], stdout=subprocess.PIPE, check=True)
            text = run.stdout.decode("utf-8")
            for c in text:
                self.assertTrue(c == "\n" or (ord(c) >= 32 and not 0x7f <= ord(c) < 0xa0), (arguments, repr(c)))

    def test_colours(self):
        for arguments in ([self.login], ["-c", "1", self.login]):
            self.assertNotIn("\x1b", self.run_it(*arguments)[1])
            self.assertIn("\x1b", self.run_it("--color", "always", *arguments)[1])
            self.assertNotIn("\x1b", self.run_it("--color", "auto", *arguments, env={**os.environ, "NO_COLOR": "1"})[1])

    def test_secrets(self):
        self.assertNotIn("wonderland", self.run_it("-c", "1", self.login)[1] + self.run_it("--json", self.login)[1])

    def test_hex_of_one_sided_conversations(self):
        client = self.file("client.pcap", self.dialogue((True, b"EHLO me\r\n"), (True, b"MAIL FROM:<a@b>\r\n")))
        server = self.file("server.pcap", self.dialogue((False, b"220 mx ESMTP\r\n"), (False, b"250 mx\r\n")))
        silent = self.file("silent.pcap", self.dialogue())
        for path, first in ((client, "Frame 3, 63 octets"), (server, "Frame 3, 68 octets"), (silent, "Frame 1, 54 octets")):
            status, out, err = self.run_it("-c", "1", "--hex", path)
            self.assertEqual((status, err), (READ, ""), path)
            self.assertTrue(out.startswith(first), out[:100])
        self.assertEqual(out.count("Frame "), 2)
        # One that has both sides goes before one that stands earlier and has not.
        out = self.run_it("-c", "1", "--hex", self.file("both.pcap", self.dialogue((False, b"220 mx ESMTP\r\n"), (True, b"EHLO me\r\n"), (False, b"250 mx\r\n"))))[1]
        self.assertEqual([line.split(",")[0] for line in out.splitlines() if line.startswith("Frame")], ["Frame 4", "Frame 5"])

    def test_hex_of_an_exchange_that_is_not_there(self):
        status, out, err = self.run_it("-c", "1", "--hex", "--exchange", "8", self.login)
        self.assertEqual((status, out), (USAGE, ""))
        self.assertIn("the conversation has no exchange 8 (it has exchanges 1 to 7)", err)
        status, out, err = self.run_it("-c", "1", "--hex", "--exchange", "1", self.file("silent.pcap", self.dialogue()))
        self.assertEqual((status, out), (USAGE, ""))
        self.assertIn("leave --exchange out to see its first packets", err)

    def test_hex_syn(self):
        status, out, _ = self.run_it("--from-hex", "-", data=SYN.encode())
        self.assertEqual(status, READ)
        for words in ("(ip.src): 10.132.254.159", "(ip.dst): 220.181.12.101", "(tcp.srcport): 2231", "(tcp.dstport): 110",
                      "(ip.checksum.status): good", "(tcp.checksum.status): good", "(tcp.flags.syn): 1", "(tcp.options.mss_val): 1460",
                      "0c                       trailer: octets after the IP length", "10.132.254.159:2231", "220.181.12.101:110",
                      "TCP to port 110, probably POP3"):
            self.assertIn(words, out)
        told = json.loads(self.run_it("--json", "--from-hex", "-", data=SYN.encode())[1])
        self.assertEqual((told["protocol"], told["recognised_by"], told["server"]), ("pop3", "port", {"address": "220.181.12.101", "port": 110}))

    def test_hex_syn_ack(self):
        status, out, _ = self.run_it("--from-hex", "-", data=SYN_ACK.encode())
        self.assertEqual(status, READ)
        for words in ("(tcp.flags.syn): 1", "(tcp.flags.ack): 1", "(tcp.checksum.status): good", "(tcp.ack): 2476560931",
                      "10.132.254.159:2231", "220.181.12.101:110", "TCP to port 110, probably POP3"):
            self.assertIn(words, out)

    def test_hex_both_are_one_conversation(self):
        told = self.run_it("--json", "--from-hex", "-", data=f"0000 {SYN}\n\n0000 {SYN_ACK}\n".encode())[1].splitlines()
        self.assertEqual(len(told), 1)
        self.assertEqual(json.loads(told[0])["packets"], 2)

    def test_hex_cut(self):
        status, out, _ = self.run_it("--from-hex", "-", data=" ".join(SYN_ACK.split()[:32]).encode())
        self.assertEqual(status, READ)
        self.assertIn("(ip.src): 220.181.12.101", out)
        self.assertIn("(ip.dst): 10.132.…, the rest was not captured", out)
        self.assertIn("only 32 of 66 octets are here", out)
        self.assertNotIn("tcp.dstport", out)

    def test_hex_with_a_fault(self):
        """what comes before it is told; a temporary file is not what the person gave"""
        text = f"The first packet of a lab:\n0000 {SYN}\n\nzz zz\n".encode()
        for data, words, named in ((b"", [self.file("dump", text)], os.path.join(self.folder, "dump")), (text, ["-"], "standard input")):
            status, out, err = self.run_it("--json", "--from-hex", *words, data=data)
            self.assertEqual((status, json.loads(out)["packets"]), (FAULTS, 1))
            self.assertEqual(err, f"glasspost: {named}, line 4, column 1: the line does not begin with an offset, as the lines before it do\n")

    def test_hex_without_end(self):
        with subprocess.Popen([GLASSPOST, "analyze", "--from-hex", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
            try:
                for _ in range(10_000):
                    program.stdin.write(b"00 11 22 33\n" * 1000)
            except BrokenPipeError:
                pass
            finally:
                with contextlib.suppress(BrokenPipeError):
                    program.stdin.close()
            err = program.stderr.read().decode()
            self.assertEqual(program.wait(60), CANNOT_OPEN)
        self.assertIn("standard input: the hex dump is longer than", err)

    def test_interrupted_while_it_reads(self):
        """nothing of standard input is left"""
        with subprocess.Popen([GLASSPOST, "analyze", "-c", "1", "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env={"TMPDIR": self.folder}) as program:
            program.stdin.write(self.octets)
            program.stdin.flush()
            time.sleep(0.3)
            program.kill()
        self.assertEqual(os.listdir(self.folder), [])

    def test_interrupted_while_it_writes_messages(self):
        """of what is not finished no file is left, of whole messages nor of those that are being read; and it ends by the signal"""
        hello = [(False, b"220 mx\r\n"), (True, b"HELO me\r\n"), (False, b"250 mx\r\n")]
        begin = [(True, b"MAIL FROM:<a@b>\r\n"), (False, b"250 ok\r\n"), (True, b"RCPT TO:<c@d>\r\n"), (False, b"250 ok\r\n"), (True, b"DATA\r\n"), (False, b"354 go\r\n")]
        whole = [(True, b"Subject: whole\r\n\r\nall\r\n.\r\n"), (False, b"250 ok\r\n")]
        octets = self.dialogue(*hello, *begin, *whole, *begin, *[(True, b"half\r\n" * 100)] * 20)
        for number, (threads, how) in enumerate((("1", signal.SIGINT), ("1", signal.SIGTERM), ("-1", signal.SIGTERM), ("4", signal.SIGHUP))):
            folder = os.path.join(self.folder, f"mail{number}")
            command = [GLASSPOST, "analyze", "--threads", threads, "--messages", folder, "-"]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as program:
                program.stdin.write(octets)
                program.stdin.write(bytes(100_000))  # so that what was said is read, and there is more to come
                program.stdin.flush()
                for _ in range(200):
                    if os.path.isdir(folder) and len(os.listdir(folder)) == 2:
                        break
                    time.sleep(0.02)
                if threads != "-1":
                    self.assertEqual(len(os.listdir(folder)), 2, "nothing was begun: the test shows nothing")
                program.send_signal(how)
                self.assertEqual(program.wait(30), -how)
            self.assertEqual(os.listdir(folder), [])

    def test_ignored_signals_stay_ignored(self):
        folder = os.path.join(self.folder, "mail")
        ignore = lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with subprocess.Popen([GLASSPOST, "analyze", "--messages", folder, "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, preexec_fn=ignore) as program:
            with open(os.path.join(CAPTURES, "send.pcap"), "rb") as f:
                program.stdin.write(f.read())
            program.stdin.flush()
            time.sleep(0.3)
            program.send_signal(signal.SIGHUP)
            program.stdin.close()
            self.assertEqual(program.wait(30), READ)
        self.assertEqual(os.listdir(folder), ["0001-1.eml"])

    def test_messages_although_nobody_reads_the_table(self):
        folder = os.path.join(self.folder, "mail")
        reader, writer = os.pipe()
        os.close(reader)
        run = subprocess.run([GLASSPOST, "analyze", "--lang", "en", "--messages", folder, os.path.join(CAPTURES, "send.pcap")], stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False)
        os.close(writer)
        self.assertEqual((run.returncode, os.listdir(folder)), (CANNOT_OPEN, ["0001-1.eml"]))
        self.assertIn(b"standard output: cannot be written", run.stderr)

    def test_errors_in_chinese(self):
        """every word of ours; names, options and octets stay as they are"""
        pcapng = struct.pack("<IIIHHqI", 0x0A0D0D0A, 28, 0x1A2B3C4D, 1, 0, -1, 28)
        cases = [
            ([os.path.join(self.folder, "missing")], "missing: 无法打开：没有这个文件或目录 (请检查名称)"),
            ([self.folder], ": 是一个目录 (请写出其中捕获文件的名称)"),
            ([self.file("empty", b"")], "empty: 文件是空的 (请给出 pcap 或 pcapng 文件)"),
            ([self.file("text", b"no capture at all")], "text: 不是捕获文件：开头是 6e 6f 20 63 (请给出 pcap 或 pcapng 文件，或用 --from-hex 给出十六进制转储)"),
            ([self.file("zip", b"PK\3\4....")], "zip: 是 zip 归档，不是捕获文件 (请先解压；"),
            ([self.file("pdf", b"%PDF-1.4")], "pdf: 是 PDF 文档，不是捕获文件：开头是 25 50 44 46"),
            ([self.file("xz", b"\xfd7zXZ\0")], "xz: 是 xz 数据，不是捕获文件 (请先解压；gzip 和 zstd 会随读随解)"),
            ([self.file("cut.pcap", self.octets[:-7])], "字节: 文件在第 "),
            ([self.file("head.pcap", self.octets[:9])], "文件在文件头中结束：读到 9 字节，应有 24 字节"),
            ([self.file("cut.pcapng", pcapng + struct.pack("<II", 1, 20) + b"....")], "第 28 字节: 文件在块中结束：读到 12 字节，应有 20 字节 (捕获在此中断；此前的数据包都已读取)"),
            ([self.file("bad.pcapng", pcapng + struct.pack("<II", 1, 21) + b"." * 40)], "第 28 字节: 块长度 21 不是 4 的倍数 (文件在此处损坏；此前的内容已读取：请重新复制该文件，或在此处截断)"),
            ([self.file("cut.gz", gzip.compress(self.octets)[:-20])], "gzip 数据不完整 (请重新复制该文件，或用 gzip -t、zstd -t 检查)"),
            (["--from-hex", self.file("hex", b"no hex\n")], "第 1 行第 1 列: "),
            (["-c", "99", self.login], "只有会话 1 (glasspost analyze FILE 会列出它们)"),
            (["-c", "1", "--hex", "--exchange", "99", self.login], "该会话没有交互 99 (有交互 1 到 "),
            (["--full", self.login], "--full: 需要 --conversation N (它显示一次会话的完整邮件)"),
            (["--threads", "x", self.login], "--threads: x 不是 -1 到 16 的数"),
            (["--jsno", self.login], "--jsno: 没有这个选项 (是否想用 --json？)"),
            ([], "没有给出捕获文件 (请指定一个，或用 - 表示标准输入)"),
            (["--messages", self.file("taken", b""), self.login], "taken: 没有写入邮件：不是目录 (请用 --messages 选择另一个目录)"),
        ]
        for arguments, words in cases:
            run = subprocess.run([GLASSPOST, "analyze", *arguments, "--lang", "zh"], capture_output=True, timeout=60, check=False)
            self.assertNotEqual(run.returncode, READ, arguments)
            self.assertIn(words, run.stderr.decode())
        run = subprocess.run([GLASSPOST, "analyze", "--lang=zh", "-"], input=self.octets[:-7], capture_output=True, timeout=60, check=False)
        self.assertIn("glasspost: 标准输入，第 ", run.stderr.decode())

    def test_a_header_of_very_many_fields(self):
        for fields in (10_000, 10_001):
            header = b"a:\r\n" * fields
            path = self.file("fields.pcap", self.dialogue((False, b"+OK\r\n"), (True, b"RETR 1\r\n"), (False, b"+OK\r\n"),
                                                          *[(False, header[at : at + 1000]) for at in range(0, len(header), 1000)], (False, b"\r\n.\r\n")))
            message = json.loads(self.run_it("--json", path)[1])["messages"][0]
            self.assertEqual((len(message["headers"]), message.get("headers_cut"), message["truncated"]), (10_000, True if fields > 10_000 else None, False))

    def test_no_room_for_what_waits(self):
        """a conversation is told whole, or not at all"""
        pieces = [(False, b"220 mx ESMTP\r\n")]
        for n in range(6000):
            pieces += [(True, b"NOOP %d\r\n" % n), (False, b"250 %d well done\r\n" % n)]
        path = self.file("long.pcap", self.dialogue(*pieces))
        status, out, err = self.run_it("--json", path, env={"TMPDIR": os.path.join(self.folder, "none")})
        self.assertEqual((status, out), (CANNOT_OPEN, ""))
        self.assertIn("some conversations are missing", err)
        status, out, _ = self.run_it("--json", path)
        self.assertEqual((status, len(json.loads(out)["exchanges"])), (READ, 6001))

    def test_a_file_that_may_not_grow(self):
        """a limit on the length of files is an error that is said"""
        path = self.file("mail.pcap", self.dialogue((False, b"220 mx\r\n"), (True, b"HELO me\r\n"), (False, b"250 mx\r\n"), (True, b"MAIL FROM:<a@b>\r\n"),
                                                    (False, b"250 ok\r\n"), (True, b"RCPT TO:<c@d>\r\n"), (False, b"250 ok\r\n"), (True, b"DATA\r\n"), (False, b"354 go\r\n"),
                                                    *[(True, b"x" * 70 + b"\r\n")] * 40, (True, b".\r\n"), (False, b"250 ok\r\n")))
        folder = os.path.join(self.folder, "mail")
        run = subprocess.run([GLASSPOST, "analyze", "--messages", folder, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60, check=False,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)))
        self.assertEqual((run.returncode, os.listdir(folder)), (CANNOT_OPEN, []))
        self.assertIn(b"File too large", run.stderr)

    def test_attachments_that_cannot_be_told(self):
        parts = b"--b\r\n\r\n" * 2000
        path = self.file("parts.pcap", self.dialogue((False, b"+OK\r\n"), (True, b"RETR 1\r\n"), (False, b"+OK\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"),
                                                     *[(False, parts[at : at + 1000]) for at in range(0, len(parts), 1000)], (False, b".\r\n")))
        status, out, _ = self.run_it("--json", "--attachments", path)
        self.assertEqual((status, json.loads(out)["messages"][0]["attachments"]), (READ, None))

    def test_names_of_files_are_escaped(self):
        status, _, err = self.run_it(os.path.join(self.folder, "\x1b[31m"))
        self.assertEqual(status, CANNOT_OPEN)
        self.assertIn("\\x1b[31m", err)
        self.assertNotIn("\x1b", err)

    def test_hex_that_is_none(self):
        status, _, err = self.run_it("--from-hex", self.file("text", b"no hex\n"))
        self.assertEqual(status, CANNOT_OPEN)
        self.assertIn("line 1, column 1", err)


if __name__ == "__main__":
    GLASSPOST, CAPTURES = sys.argv[1:3]
    unittest.main(argv=sys.argv[:1])
