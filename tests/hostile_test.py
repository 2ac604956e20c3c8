#!/usr/bin/env python3
"""Captures that were made to be expensive: each costs bounded memory and time, and tells the same with any number of threads.

  hostile_test.py GLASSPOST [--sanitized]     --sanitized: memory and time are not measured
"""
import hashlib
import os
import struct
import subprocess
import sys
import tempfile

MEMORY = 256 << 20  # octets, whatever the capture
CPU = 20  # seconds; the largest capture here is 60 MB
START = 1_700_000_000 * 10**9
C, S = 0, 1


class Capture:
    """a pcap file, frame by frame; nothing has a checksum"""

    def __init__(self, path, step=500_000):
        self.file = open(path, "wb")
        self.file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 101))
        self.time = START
        self.step = step  # ns from one frame to the next

    def ip(self, source, destination, protocol, payload):
        self.time += self.step
        length = 20 + len(payload)
        self.file.write(
            struct.pack("<IIII", self.time // 10**9, self.time % 10**9, length, length)
            + struct.pack("!BBHHHBBHII", 0x45, 0, length, 1, 0, 64, protocol, 0, source, destination)
            + payload
        )

    def udp(self, source, sport, destination, dport, payload):
        self.ip(source, destination, 17, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload)


class Connection:
    SERVER = 0x0A000002

    def __init__(self, capture, number, port=25, handshake=True):
        self.capture, self.port = capture, port
        self.client, self.client_port = 0x0B000000 + number // 50_000, 10_000 + number % 50_000
        self.at = [1000, 5000]
        if handshake:
            self.packet(C, 2)
            self.at[C] += 1
            self.packet(S, 18)
            self.at[S] += 1
            self.packet(C, 16)

    def packet(self, side, flags, payload=b"", skip=0):
        ends = (self.client, self.client_port), (self.SERVER, self.port)
        (source, sport), (destination, dport) = ends if side == C else ends[::-1]
        acknowledged = 0 if flags == 2 else self.at[1 - side]
        header = struct.pack("!HHIIBBHHH", sport, dport, self.at[side] + skip & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, 0x50, flags, 65000, 0, 0)
        self.capture.ip(source, destination, 6, header + payload)

    def say(self, side, octets, segment=1400):
        for i in range(0, len(octets), segment):
            piece = octets[i : i + segment]
            self.packet(side, 24, piece)
            self.at[side] += len(piece)

    def talk(self, *turns):
        for side, octets in turns:
            self.say(side, octets)
        return self

    def close(self):
        self.packet(C, 17)
        self.at[C] += 1
        self.packet(S, 17)
        self.at[S] += 1
        self.packet(C, 16)


HELLO = (S, b"220 mx ESMTP\r\n"), (C, b"EHLO me\r\n"), (S, b"250-mx\r\n250 PIPELINING\r\n")
TO_DATA = (*HELLO, (C, b"MAIL FROM:<a@b>\r\n"), (S, b"250 ok\r\n"), (C, b"RCPT TO:<c@d>\r\n"), (S, b"250 ok\r\n"), (C, b"DATA\r\n"), (S, b"354 go\r\n"))


def query(number):
    return struct.pack("!HHHHHH", number & 0xFFFF, 0x100, 1, 0, 0, 0) + b"\x07example\x03com\x00\x00\x0f\x00\x01"


def answer(number):
    return struct.pack("!HHHHHH", number & 0xFFFF, 0x8183, 1, 0, 0, 0) + b"\x07example\x03com\x00\x00\x0f\x00\x01"


def half_open_connections(path):
    capture = Capture(path)
    for i in range(150_000):
        Connection(capture, i, handshake=False).packet(C, 2)


def unanswered_queries(path):
    capture = Capture(path)
    for i in range(120_000):
        capture.udp(0x0C000000 + i, 10_000 + i % 50_000, Connection.SERVER, 53, query(i))


def much_behind_one_old_conversation(path):
    """nothing can be written before the first conversation is over, which is at the end"""
    capture = Capture(path, step=1_000_000)
    Connection(capture, 0).talk(*HELLO)
    for i in range(80_000):
        capture.udp(0x0C000000 + i, 10_000 + i % 50_000, Connection.SERVER, 53, query(i))
        capture.udp(Connection.SERVER, 53, 0x0C000000 + i, 10_000 + i % 50_000, answer(i))


def holes_in_many_conversations(path):
    capture = Capture(path)
    for i in range(15_000):
        c = Connection(capture, i).talk((S, b"220 mx\r\n"), (C, b"EHLO " + b"x" * 500))
        c.packet(C, 24, b"y" * 1400, skip=10)


def tiny_segments_behind_holes(path):
    capture = Capture(path)
    connections = [Connection(capture, i).talk(*HELLO) for i in range(64)]
    for n in range(4000):
        for c in connections:
            c.packet(C, 24, b"z", skip=2 * n + 10)


def commands_that_nobody_answers(path):
    capture = Capture(path)
    connections = [Connection(capture, i, port).talk(*talk) for i, (port, talk) in enumerate([(25, HELLO), (110, [(S, b"+OK\r\n")]), (143, [(S, b"* OK\r\n")])] * 60)]
    for n in range(12):
        for c in connections:
            c.say(C, {25: b"NOOP\r\n", 110: b"NOOP\r\n", 143: b"a%d NOOP\r\n" % n}[c.port] * 900)


def long_commands_that_nobody_answers(path):
    capture = Capture(path)
    connections = [Connection(capture, i).talk(*HELLO) for i in range(16)]
    for n in range(160):
        for c in connections:
            c.say(C, b"NOOP " + b"x" * 16_000 + b"\r\n")


def long_headers(path):
    capture = Capture(path)
    connections = [Connection(capture, i).talk(*TO_DATA) for i in range(200)]
    for n in range(25):
        for c in connections:
            c.say(C, b"X-%d: " % n + b"h" * 9000 + b"\r\n")
    for c in connections:
        c.talk((C, b"\r\nbody\r\n.\r\n"), (S, b"250 ok\r\n"))


def large_messages_at_once(path):
    capture = Capture(path)
    head = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Disposition: attachment; filename=f\r\n\r\n"
    connections = [Connection(capture, i).talk(*TO_DATA, (C, head)) for i in range(20)]
    piece = (b"0123456789abcdef" * 63 + b"\r\n") * 64
    for n in range(45):
        for c in connections:
            c.say(C, piece)
    for c in connections:
        c.talk((C, b"--x--\r\n.\r\n"), (S, b"250 ok\r\n"))
        c.close()


def many_recipients(path):
    capture = Capture(path)
    for i in range(24):
        c = Connection(capture, i).talk(*HELLO, (C, b"MAIL FROM:<a@b>\r\n"), (S, b"250 ok\r\n"))
        for n in range(20):
            c.talk((C, b"RCPT TO:<%d@recipients.example.org>\r\n" % n * 500), (S, b"250 ok\r\n" * 500))


def endless_lines(path):
    capture = Capture(path)
    Connection(capture, 0).say(S, b"220-" + b"a" * 5_000_000)
    Connection(capture, 1).say(S, b"220-abc\r\n" * 500_000)
    Connection(capture, 2, 110).say(S, b"+OK " + b"a" * 5_000_000)
    Connection(capture, 3, 143).say(S, b"* OK " + b"a" * 5_000_000)
    Connection(capture, 4).talk(*HELLO, (C, b"MAIL FROM:<" + b"a" * 5_000_000))
    Connection(capture, 5, 143).talk((S, b"* OK\r\n"), (C, b"a1 FETCH 1 BODY[]\r\n"), (S, b"* 1 FETCH " + b"(" * 5_000_000))
    Connection(capture, 6, 110).talk((S, b"+OK\r\n"), (C, b"UIDL\r\n"), (S, b"+OK\r\n" + b"1 aaaaaaaaaa\r\n" * 400_000))


# Each with how many conversations are told of it at least.
CASES = {
    half_open_connections: 150_000,
    unanswered_queries: 120_000,
    much_behind_one_old_conversation: 80_001,
    holes_in_many_conversations: 15_000,
    tiny_segments_behind_holes: 64,
    commands_that_nobody_answers: 180,
    long_commands_that_nobody_answers: 16,
    long_headers: 200,
    large_messages_at_once: 20,
    many_recipients: 24,
    endless_lines: 7,
}


def tell(glasspost, path, threads):
    """what is told (lines, SHA-256), octets of memory, seconds of CPU"""
    with tempfile.TemporaryFile() as out:
        run = subprocess.Popen([glasspost, "analyze", "--json", "--attachments", "--threads", str(threads), path], stdout=out)
        _, status, used = os.wait4(run.pid, 0)
        run.returncode = os.waitstatus_to_exitcode(status)
        assert run.returncode == 0, f"exit status {run.returncode}"
        out.seek(0)
        digest, lines = hashlib.sha256(), 0
        while block := out.read(1 << 20):
            digest.update(block)
            lines += block.count(b"\n")
    return (lines, digest.hexdigest()), used.ru_maxrss * 1024, used.ru_utime + used.ru_stime


def check(glasspost, case, least, measured):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "c.pcap")
        case(path)
        told, memory, cpu = tell(glasspost, path, 2)
        octets = os.path.getsize(path)
        print(f"{case.__name__}: {octets / 1e6:.0f} MB, {told[0]} conversations, {memory >> 20} MiB, {cpu:.1f} s")
        assert told[0] >= least, f"{told[0]} conversations told, not {least}"
        if measured:
            assert memory < MEMORY, f"{memory >> 20} MiB of memory"
            assert cpu < CPU, f"{cpu:.1f} s of CPU"
        for threads in (-1, 1):
            assert tell(glasspost, path, threads)[0] == told, f"--threads {threads} tells another story"


def main():
    glasspost, *options = sys.argv[1:]
    wanted = [o for o in options if not o.startswith("--")]
    faults = 0
    for case, least in CASES.items():
        if wanted and case.__name__ not in wanted:
            continue
        try:
            check(glasspost, case, least, "--sanitized" not in options)
        except AssertionError as e:
            faults += 1
            print(f"  {case.__name__}: {e}")
    return 1 if faults else 0


sys.exit(main())
