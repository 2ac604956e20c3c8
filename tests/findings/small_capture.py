"""Small captures made in memory: a dialogue in, a pcap file's octets out. Ethernet, IPv4, TCP or UDP; one conversation.

The dialogue is text, one step a line, in the manner of tests/conversations (see its README):
  C: text          the client sends the text and CRLF (S: the server)
  C\\: text         just these octets; \\r \\n \\t \\0 \\\\ and \\xHH are escapes
  C\\*1000: text    the same, that many times
  C hex: 16 03     octets in hexadecimal
  C gap 100        100 octets that were sent, and acknowledged, but never captured
  C again          the last segment once more
  C again: text    the last segment's place once more, with the text and CRLF in it
  C fin            the client closes its direction
  C reset          the client resets the connection
  wait 6           seconds that pass; else each packet comes a millisecond after the one before
  C syn            the client asks for a connection (where the handshake is left out)
  open             nothing is closed at the end; else the client closes, then the server, after the last step
Each step is one segment (several if it is long), which acknowledges all that the other side has sent.
"""
import re
import struct

MSS = 1400
CLIENT, SERVER = bytes([192, 0, 2, 1]), bytes([192, 0, 2, 25])
CLIENT_MAC, SERVER_MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000019")
FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
START_NS = 1_700_000_000 * 10**9
STEP = re.compile(r"^([CS])(?:(\\)(?:\*(\d+))?: ?|(?: (hex|again))?: ?)(.*)$")


def unescape(text):
    names = {"r": "\r", "n": "\n", "t": "\t", "0": "\0", "\\": "\\"}
    text = re.sub(r"\\(x[0-9a-fA-F]{2}|.)", lambda m: chr(int(m[1][1:], 16)) if m[1][0] == "x" and len(m[1]) == 3 else names[m[1]], text)
    return text.encode("latin-1")


def checksum(octets):
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


class SmallCapture:
    def __init__(self, port, client_port, start=START_NS, transport="tcp", handshake=True):
        self.transport, self.ports, self.now, self.frames = transport, {"C": client_port, "S": port}, start, []
        self.sequence, self.last, self.closed = {"C": 1000, "S": 5000}, {}, set()
        if transport == "tcp" and handshake:
            self.tcp("C", SYN)
            self.tcp("S", SYN | ACK)
            self.tcp("C", ACK)

    def ip(self, side, protocol, payload):
        source, destination = (CLIENT, SERVER) if side == "C" else (SERVER, CLIENT)
        macs = (SERVER_MAC + CLIENT_MAC) if side == "C" else (CLIENT_MAC + SERVER_MAC)
        at = 16 if protocol == 6 else 6
        pseudo = source + destination + struct.pack(">BBH", 0, protocol, len(payload))
        payload = payload[:at] + struct.pack(">H", checksum(pseudo + payload)) + payload[at + 2 :]
        head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), len(self.frames), 0x4000, 64, protocol, 0, source, destination)
        head = head[:10] + struct.pack(">H", checksum(head)) + head[12:]
        self.frames.append((self.now, macs + b"\x08\x00" + head + payload))
        self.now += 10**6

    def tcp(self, side, flags, payload=b"", at=None):
        other = "S" if side == "C" else "C"
        sequence = self.sequence[side] if at is None else at
        acknowledged = self.sequence[other] if flags & ACK else 0
        ports = (self.ports[side], self.ports[other])
        self.ip(side, 6, struct.pack(">HHIIBBHHH", *ports, sequence, acknowledged, 0x50, flags, 65535, 0, 0) + payload)
        if at is None:
            self.last[side] = (sequence, payload)
            self.sequence[side] = (sequence + len(payload) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF

    def say(self, side, octets):
        if self.transport == "udp":
            other = "S" if side == "C" else "C"
            return self.ip(side, 17, struct.pack(">HHHH", self.ports[side], self.ports[other], 8 + len(octets), 0) + octets)
        for at in range(0, len(octets), MSS):
            self.tcp(side, PSH | ACK, octets[at : at + MSS])

    def end(self, side, flags):
        self.tcp(side, flags)
        self.closed.add(side)

    def step(self, line):
        """one step that sends no text; False if the line is none"""
        word = line.split()
        if word[0] == "wait":
            self.now += int(float(word[1]) * 10**9)
        elif word == ["open"]:
            self.closed.add("open")
        elif word == ["C", "syn"]:
            self.tcp("C", SYN)
        elif word[1:2] == ["gap"]:
            self.sequence[word[0]] += int(word[2])
        elif word[1:] == ["again"]:
            self.tcp(word[0], PSH | ACK, self.last[word[0]][1], self.last[word[0]][0])
        elif word[1:] == ["fin"]:
            self.end(word[0], FIN | ACK)
        elif word[1:] == ["reset"]:
            self.end(word[0], RST | ACK)
            self.closed.add("open")
        else:
            return False
        return True

    def play(self, talk):
        for line in talk.strip("\n").split("\n"):
            match = STEP.match(line)
            if match is None:
                assert self.step(line), f"not understood: {line}"
                continue
            side, escaped, times, how, text = match.groups()
            if escaped:
                self.say(side, unescape(text) * int(times or 1))
            elif how == "hex":
                self.say(side, bytes.fromhex(text))
            elif how == "again":
                self.tcp(side, PSH | ACK, text.encode() + b"\r\n", self.last[side][0])
            else:
                self.say(side, text.encode() + b"\r\n")
        if self.transport == "udp" or "open" in self.closed:
            return self
        for side in "CS":
            if side not in self.closed:
                self.end(side, FIN | ACK)
        self.tcp("C", ACK)
        return self

    def pcap(self):
        out = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
        for time, frame in self.frames:
            out += struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)) + frame
        return out
