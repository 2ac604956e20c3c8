"""Messages of many kinds, and what a server may add to them on the way."""
import re

HEAD = b"From: Alice <alice@here.test>\r\nTo: Bob <bob@here.test>\r\nSubject: %s\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\nMessage-ID: <%s@laptop.here.test>\r\n"


def message(name, body, more=b""):
    return HEAD % (name.encode(), name.encode()) + more + b"\r\n" + body


EIGHT_BIT = b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"

# Lines end in CRLF; the last does, too. "{}" in a name is filled in by who sends.
MESSAGES = {
    "plain": message("plain", b"Hello Bob.\r\n\r\nGood bye.\r\n"),
    "eight-bit": message("eight-bit", "Grüße aus 北京, Ω\r\n".encode(), EIGHT_BIT),
    "every-octet": message("every-octet", b"".join(bytes([i]) * 3 + b"\r\n" for i in range(1, 256) if i not in b"\r\n"), EIGHT_BIT),
    "dots": message("dots", b".\r\n..\r\n.x\r\n...\r\n\r\n.\r\nnot . the end\r\n.\r\n"),
    "dots-inside": message("dots-inside", b".\r\n..\r\n.x\r\n\r\n...\r\nthe end\r\n"),
    "line-of-998": message("line-of-998", b"x" * 998 + b"\r\n" + b"." + b"y" * 997 + b"\r\n"),
    "spaces": message("spaces", b" leading\r\ntrailing \t \r\n\r\n\r\n \r\n\r\n"),
    "from-line": message("from-line", b"From here on\r\n>From there\r\n\r\nFrom me\r\n"),
    "empty-body": message("empty-body", b""),
    "folded-header": message("folded-header", b"body\r\n", b"X-Folded: one\r\n\ttwo\r\n   three\r\nX-Empty:\r\n"),
    "utf-8-header": message("utf-8-header", "你好\r\n".encode(), "X-Name: 张三 <zhang@here.test>\r\n".encode() + EIGHT_BIT),
    "5-MB": message("5-MB", (b"0123456789abcdef" * 4 + b"\r\n") * 79_437),
}
LONG_LINE = message("long-line", b"z" * 5000 + b"\r\n.\r\n")  # beyond RFC 5321 §4.5.3.1.6: servers differ

# Fields that servers put before a message, and clients after fetching it.
ADDED = re.compile(rb"(?i)(return-path|delivered-to|x-original-to|received|delivery-date|envelope-to|x-getmail-[a-z-]*):")


def without_trace(octets):
    """the message from its first line that is no trace field"""
    at = 0
    while ADDED.match(octets, at):
        while True:
            end = octets.find(b"\r\n", at)
            at = len(octets) if end < 0 else end + 2
            if octets[at : at + 1] not in (b" ", b"\t"):
                break
    return octets[at:]


def trace(octets):
    """the trace fields before it"""
    return octets[: len(octets) - len(without_trace(octets))]


def difference(got, wanted):
    """None if they are the same; or else where they part"""
    if got == wanted:
        return None
    at = next((i for i, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
    return f"{len(got)} octets instead of {len(wanted)}; from octet {at} on {got[at:at + 60]!r} instead of {wanted[at:at + 60]!r}"
