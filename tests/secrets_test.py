#!/usr/bin/env python3
"""No password leaves the program unless --show-secrets asks for it: each dialogue of tests/conversations with "secret" in its name is
played into a capture, and what every form of output says of it is searched for the password: as it is, in any case, in base64 at any
of the three places that it can have in a group, in hex, whole or a good part of it.

  secrets_test.py GLASSPOST [--sanitized]     --sanitized, which is slow: each dialogue in one kind of packets, not in all
"""
import base64
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "findings"))
from small_capture import SmallCapture, checksum  # noqa: E402

PASSWORD = b"S3cretPw!xyz"
PART = 8  # octets of it, or characters of its base64, that are too many already
PORTS = {"smtp": 25, "lmtp": 24, "pop3": 110, "imap": 143}
FORMS = ([], ["--json"], ["--json", "--attachments"], ["--json", "--lang", "zh"], ["-c", "1"], ["-c", "1", "--full"],
         ["-c", "1", "--full", "--lang", "zh"])
HEX_ROW = re.compile(rb"^    [0-9a-f]{4}  ((?:(?:[0-9a-f]{2}|\*\*) )*(?:[0-9a-f]{2}|\*\*)) ", re.M)


def in_base64(plain):
    """the characters that it alone decides, at each place in a group"""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + plain)
        yield text[(shift * 8 + 5) // 6 : (shift + len(plain)) * 8 // 6]


def parts(text):
    return {text[i : i + PART].upper() for i in range(len(text) - PART + 1)}


TELLTALE = parts(PASSWORD).union(*map(parts, in_base64(PASSWORD)))


def leaks(out):
    octets = b"".join(bytes(int(o, 16) if o != b"**" else 0 for o in row.split()) for row in HEX_ROW.findall(out))
    return sorted(t for t in TELLTALE if t in out.upper() or t in octets.upper())


def dialogue(path):
    """protocol and steps"""
    head, _, rest = path.read_text().partition("\n")
    steps = [line for line in rest.split("expect\n")[0].split("\n") if re.match(r"[CS][: \\]|wait ", line)]
    return head.removeprefix("protocol: "), steps


class OctetByOctet(SmallCapture):
    def say(self, side, octets):
        for i in range(len(octets)):
            super().say(side, octets[i : i + 1])


class Fragmented(SmallCapture):
    """each datagram in fragments of 24 octets (RFC 791 §3.2)"""

    SIZE = 24

    def ip(self, side, protocol, payload):
        super().ip(side, protocol, payload)
        time, frame = self.frames.pop()
        ethernet, head, payload = frame[:14], frame[14:34], frame[34:]
        for at in range(0, len(payload), self.SIZE):
            piece = payload[at : at + self.SIZE]
            more = 0x2000 if at + self.SIZE < len(payload) else 0
            new = head[:2] + struct.pack(">H", 20 + len(piece)) + head[4:6] + struct.pack(">H", more | at // 8) + head[8:10] + b"\0\0" + head[12:]
            self.frames.append((time, ethernet + new[:10] + struct.pack(">H", checksum(new)) + new[12:] + piece))


KINDS = (SmallCapture, OctetByOctet, Fragmented)


class Program:
    def __init__(self, glasspost, folder):
        self.glasspost, self.folder = glasspost, pathlib.Path(folder)

    def run(self, *arguments, status=(0,)):
        run = subprocess.run([self.glasspost, "analyze", *arguments], capture_output=True, timeout=60, check=False)
        assert run.returncode in status, (arguments, run.returncode, run.stderr)
        return run.stdout + run.stderr

    def forms(self, capture, name):
        """every form in which the capture can be told: arguments and output"""
        path = self.folder / f"{name}.pcap"
        path.write_bytes(capture.pcap())
        for form in FORMS:
            yield form, lambda *more, form=form: self.run(*form, *more, path)
        for exchange in range(1, 1 + self.run("--json", path).count(b'"n":')):
            form = ["-c", "1", "--hex", "--exchange", str(exchange)]
            yield form, lambda *more, form=form: self.run(*form, *more, path)
        dump = self.folder / f"{name}.txt"
        dump.write_text("".join(octets_as_dump(frame) for _, frame in capture.frames))
        yield ["--from-hex"], lambda *more: self.run(*more, "--from-hex", dump)


def octets_as_dump(frame):
    return "".join(f"{i:06x} {frame[i : i + 16].hex(' ')}\n" for i in range(0, len(frame), 16)) + "\n"


def main():
    files = [f for f in sorted((HERE / "conversations").glob("*secret*.txt")) if PASSWORD.decode() in f.read_text()]
    assert len(files) >= 10, files
    faults = told = 0
    with tempfile.TemporaryDirectory() as folder:
        program = Program(sys.argv[1], folder)
        for number, path in enumerate(files):
            protocol, steps = dialogue(path)
            for kind in (KINDS[number % len(KINDS)],) if "--sanitized" in sys.argv else KINDS:
                name = f"{path.stem}-{kind.__name__}"
                shown = set()
                for form, tell in program.forms(kind(PORTS[protocol], 40000).play("\n".join(steps)), name):
                    told += 1
                    found = leaks(tell())
                    if found:
                        faults += 1
                        print(f"{name} {' '.join(form)}: {b', '.join(found).decode()}")
                    if kind is SmallCapture and form and leaks(tell("--show-secrets")):  # the table has none to show
                        shown.add(form[-1] if form[:1] == ["--from-hex"] else " ".join(form[:3]))
                if kind is SmallCapture and not {"--json", "-c 1", "-c 1 --hex", "--from-hex"} <= shown:
                    faults += 1
                    print(f"{name}: --show-secrets does not show it in all forms, only in {shown}")
    print(f"{len(files)} dialogues told in {told} ways, {faults} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
