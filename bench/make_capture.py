"""Makes a capture of mail of any size: SMTP and POP3 sessions side by side, deterministic, with right TCP numbers and checksums left out."""
import random
import struct

MSS = 1448
BASE = 1_795_000_000_000_000  # microseconds


def message(r, n):
    lines = [b"From: <a%d@example.org>" % n, b"To: <b@example.net>", b"Subject: message %d" % n, b"Date: Mon, 23 Nov 2026 10:00:00 +0000",
             b"Message-ID: <%d@example.org>" % n, b""]
    size = min(800_000, int(r.lognormvariate(9.9, 1.0)))
    word = b"The quick brown fox jumps over the lazy dog, and the lines go on and on. "
    while size > 0:
        lines.append(word[: 20 + r.randrange(53)])
        size -= len(lines[-1]) + 2
    return b"\r\n".join(lines) + b"\r\n"


def smtp(r, n):
    m = message(r, n)
    yield 1, b"220 mx.example.net ESMTP\r\n"
    yield 0, b"EHLO host%d.example.org\r\n" % n
    yield 1, b"250-mx.example.net\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
    yield 0, b"MAIL FROM:<a%d@example.org>\r\nRCPT TO:<b@example.net>\r\nDATA\r\n" % n
    yield 1, b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n354 go on\r\n"
    yield 0, m.replace(b"\r\n.", b"\r\n..") + b".\r\n"
    yield 1, b"250 2.0.0 queued as %X\r\n" % n
    yield 0, b"QUIT\r\n"
    yield 1, b"221 2.0.0 bye\r\n"


def pop3(r, n):
    m = message(r, n)
    yield 1, b"+OK ready\r\n"
    for command, reply in ((b"USER b", b"+OK\r\n"), (b"PASS secret", b"+OK\r\n"), (b"STAT", b"+OK 1 %d\r\n" % len(m)),
                           (b"RETR 1", b"+OK %d octets\r\n" % len(m) + m.replace(b"\r\n.", b"\r\n..") + b".\r\n"), (b"QUIT", b"+OK bye\r\n")):
        yield 0, command + b"\r\n"
        yield 1, reply


def packets(dialogue, client, server, port):
    """(payload-carrying Ethernet frames) of one connection, in order"""
    seq = [1000, 5000]
    ends = [(client, port), server]

    def frame(d, flags, data=b""):
        (a, p), (b, q) = ends[d], ends[1 - d]
        tcp = struct.pack(">HHIIBBHHH", p, q, seq[d] & 0xFFFFFFFF, seq[1 - d] & 0xFFFFFFFF if flags & 16 else 0, 0x50, flags, 64000, 0, 0)
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 40 + len(data), 0, 0x4000, 64, 6, 0) + a + b
        seq[d] += len(data) + (1 if flags & 3 else 0)
        return b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip + tcp + data

    yield frame(0, 2)
    yield frame(1, 18)
    yield frame(0, 16)
    for d, data in dialogue:
        for i in range(0, len(data), MSS):
            yield frame(d, 24, data[i : i + MSS])
            if i // MSS % 2:
                yield frame(1 - d, 16)
    yield frame(1, 17)
    yield frame(0, 17)
    yield frame(1, 16)


def write(path, octets, active=100, seed=1):
    r = random.Random(seed)
    number = 0

    def start():
        nonlocal number
        number += 1
        kind, port = (smtp, 25) if r.random() < 0.7 else (pop3, 110)
        client = bytes([10, number >> 16 & 255, number >> 8 & 255, number & 255])
        return packets(kind(r, number), client, (b"\xc6\x33\x64\x01", port), 20000 + number % 40000)

    with open(path, "wb", buffering=1 << 22) as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        running = [start() for _ in range(active)]
        written, now = 24, BASE
        while running:
            i = r.randrange(len(running))
            frame = next(running[i], None)
            if frame is None:
                if written < octets:
                    running[i] = start()
                else:
                    running.pop(i)
                continue
            now += r.randrange(5, 40)
            out.write(struct.pack("<IIII", now // 1_000_000, now % 1_000_000, len(frame), len(frame)) + frame)
            written += 16 + len(frame)
