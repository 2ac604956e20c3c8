#!/usr/bin/env python3
"""Where one conversation ends and the next begins, in which order they are told, and which number each has.

  flows_test.py GLASSPOST
"""
import json
import pathlib
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "findings"))
from small_capture import SmallCapture  # noqa: E402

SECOND = 10**9
START = 1_700_000_000 * SECOND
TALK = "S: 220 mail ESMTP\nC: EHLO a\nS: 250 mail\nC: QUIT\nS: 221 bye"
QUERY = "C hex: {id:04x} 0100 0001 0000 0000 0000 076578616d706c65047465737400 000f0001"
ANSWER = "S hex: {id:04x} 8183 0001 0000 0000 0000 076578616d706c65047465737400 000f0001"


def tell(glasspost, captures):
    """the JSON of these conversations' packets, put together in order of time"""
    frames = sorted((f for c in captures for f in c.frames), key=lambda f: f[0])
    whole = SmallCapture(25, 1, handshake=False)
    whole.frames = frames
    with tempfile.NamedTemporaryFile(suffix=".pcap") as file:
        file.write(whole.pcap())
        file.flush()
        run = subprocess.run([glasspost, "analyze", "--json", file.name], capture_output=True, check=True)
    return [json.loads(line) for line in run.stdout.splitlines()]


def smtp(port=20000, start=START, talk=TALK, first=1000):
    """`first`: the client's initial sequence number"""
    capture = SmallCapture(25, port, start, handshake=False)
    capture.sequence["C"] = first
    for side, flags in (("C", 2), ("S", 18), ("C", 16)):
        capture.tcp(side, flags)
    return capture.play(talk)


def dns(start, number, port=30000):
    return SmallCapture(53, port, start, transport="udp").play(QUERY.format(id=number) + "\n" + ANSWER.format(id=number))


def ports_used_again(glasspost):
    told = tell(glasspost, [smtp(), smtp(start=START + SECOND, first=7_000_000), smtp(start=START + 100 * SECOND)])
    assert [c["conversation"] for c in told] == [1, 2, 3], told
    assert all(c["complete"] and len(c["exchanges"]) == 3 for c in told)


def strays_after_the_close(glasspost):
    capture = smtp()
    packets = len(capture.frames)
    last = capture.frames[-1]
    early, late = (last[0] + SECOND, last[1]), (last[0] + 30 * SECOND, last[1])
    capture.frames += [early, late]
    told = tell(glasspost, [capture, smtp(port=20001, start=START + 40 * SECOND)])
    assert len(told) == 2, "a stray packet became a conversation"
    assert told[0]["packets"] == packets + 1, "a packet within two seconds of the close belongs to it, a later one to nobody"


def silence_ends_a_udp_conversation(glasspost):
    told = tell(glasspost, [dns(START, 1), dns(START + 60 * SECOND, 2)])
    assert [len(c["exchanges"]) for c in told] == [2], "sixty seconds are not over"
    told = tell(glasspost, [dns(START, 1), dns(START + 61 * SECOND + 2 * 10**6, 2)])
    assert [len(c["exchanges"]) for c in told] == [1, 1], told


def numbers_and_order(glasspost):
    long_one = smtp(port=20000, talk="S: 220 mail ESMTP\nC: EHLO a\nwait 10\nS: 250 mail\nC: QUIT\nS: 221 bye")
    never_closed = smtp(port=20003, start=START + 3 * SECOND, talk=TALK + "\nopen")
    told = tell(glasspost, [long_one, smtp(port=20001, start=START + SECOND), smtp(port=20002, start=START + 2 * SECOND), never_closed])
    by_number = {c["conversation"]: c["client"]["port"] for c in told}
    assert by_number == {1: 20000, 2: 20001, 3: 20002, 4: 20003}, by_number
    assert [c["conversation"] for c in told] == [2, 3, 4, 1], [c["conversation"] for c in told]
    ends = [c["end"] for c in told]
    assert ends == sorted(ends)


def other_traffic_has_no_number(glasspost):
    web = SmallCapture(80, 20000, START).play("C: GET / HTTP/1.0\nS: HTTP/1.0 200 OK")
    silent = SmallCapture(80, 20001, START + 10**6).play("open")
    told = tell(glasspost, [web, silent, smtp(port=20002, start=START + SECOND)])
    assert [(c["conversation"], c["client"]["port"]) for c in told] == [(1, 20002)], told


def only_one_direction(glasspost):
    talk = "S: 220 mail ESMTP\nC: EHLO a\nS: 250 mail\nC: MAIL FROM:<a@b.test>\nS: 250 ok\nC: RCPT TO:<c@d.test>\nS: 250 ok\nC: DATA\nS: 354 go\nC: Date: x\nC:\nC: hello\nC: .\nS: 250 ok\nC: QUIT\nS: 221 bye"
    capture = smtp(talk=talk)
    port = struct.pack(">H", 20000)
    from_client = [f for f in capture.frames if f[1][34:36] == port]
    capture.frames = from_client
    (told,) = tell(glasspost, [capture])
    verbs = [e["request"]["verb"] for e in told["exchanges"] if e["request"]]
    assert verbs == ["EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"], verbs
    assert [m["size"] for m in told["messages"]] == [len("Date: x\r\n\r\nhello\r\n")], told["messages"]


def main():
    glasspost = sys.argv[1]
    cases = [ports_used_again, strays_after_the_close, silence_ends_a_udp_conversation, numbers_and_order, other_traffic_has_no_number, only_one_direction]
    faults = 0
    for case in cases:
        try:
            case(glasspost)
        except AssertionError as e:
            faults += 1
            print(f"{case.__name__}: {e}")
    print(f"{len(cases) - faults} of {len(cases)} hold")
    return 1 if faults else 0


sys.exit(main())
