"""dnsmasq from its unpacked package, as the name server of *.test zones."""
import socket
import struct

from peers.process import Server


class Dnsmasq(Server):
    name = "dnsmasq"

    def __init__(self, world, *, address="127.0.0.53", port=53, mx=(), hosts=None, settings=()):
        """mx: (domain, host, preference); hosts: {name: address}; what is not named does not exist"""
        super().__init__(world)
        self.address = (address, port)
        lines = ["no-resolv", "no-hosts", "no-daemon", "bind-interfaces", f"listen-address={address}", f"port={port}", "local=/#/", "user=dnsmasq", "group=dnsmasq",
                 "log-queries", f"log-facility={self.folder}/dnsmasq.log", "pid-file="]
        lines += [f"mx-host={domain},{host},{preference}" for domain, host, preference in mx]
        lines += [f"host-record={name},{address}" for name, address in (hosts or {}).items()]
        self.conf = self.folder / "dnsmasq.conf"
        self.conf.write_text("".join(line + "\n" for line in [*lines, *settings]))
        self.listens = [self.address]

    def start(self):
        self.launch(self.world.command("dnsmasq", "/usr/sbin/dnsmasq", "-C", self.conf))
        return self

    def answers(self, name, kind):
        """whether it answers a question (kind: 1 A, 15 MX) with anything: for tests of this class"""
        question = struct.pack("!HHHHHH", 1, 0x100, 1, 0, 0, 0) + b"".join(bytes([len(p)]) + p.encode() for p in name.split(".")) + struct.pack("!BHH", 0, kind, 1)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(5)
            s.sendto(question, self.address)
            return struct.unpack("!H", s.recv(1500)[6:8])[0] > 0
