#!/usr/bin/env python3
"""The same capture tells the same, however it is read: by any number of threads, from standard input, cut into several files.

  analyze_same.py GLASSPOST CAPTURE…
"""
import pathlib
import struct
import subprocess
import sys
import tempfile


def tell(glasspost, *arguments, stdin=None):
    run = subprocess.run([glasspost, "analyze", "--json", "--attachments", *map(str, arguments)], stdin=stdin, capture_output=True)
    assert run.returncode == 0, (arguments, run.returncode, run.stderr)
    return run.stdout


def pieces(data, n):
    """a little-endian pcap file cut into n files at packet borders"""
    header, at, packets = data[:24], 24, []
    while at < len(data):
        length = struct.unpack_from("<I", data, at + 8)[0]
        packets.append(data[at : at + 16 + length])
        at += 16 + length
    step = -(-len(packets) // n)
    return [header + b"".join(packets[i : i + step]) for i in range(0, len(packets), step)]


def main():
    glasspost, *captures = sys.argv[1:]
    checked = 0
    for capture in map(pathlib.Path, captures):
        whole = tell(glasspost, capture)
        assert whole, f"{capture}: nothing told"
        for threads in (-1, 1, 2, 3, 5):
            assert tell(glasspost, capture, "--threads", threads) == whole, f"{capture}: {threads} threads tell another story"
        with open(capture, "rb") as f:
            assert tell(glasspost, "-", stdin=f) == whole, f"{capture}: standard input tells another story"
        data = capture.read_bytes()
        if data[:4] == b"\xd4\xc3\xb2\xa1":
            with tempfile.TemporaryDirectory() as folder:
                for n in (2, 3, 7):
                    files = []
                    for i, piece in enumerate(pieces(data, n)):
                        files.append(pathlib.Path(folder) / f"{n}-{i}.pcap")
                        files[-1].write_bytes(piece)
                    assert tell(glasspost, *files) == whole, f"{capture}: cut into {n} files it tells another story"
        checked += 1
    print(f"{checked} captures, each told the same in every way")


main()
