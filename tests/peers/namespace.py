"""A world of its own for servers and clients: network, mounts and processes apart from the machine's.

enter() runs the script again inside: a network with nothing but loopback (so each port is free and nothing is reached from outside), its
own /etc/passwd, /etc/group, /etc/hosts and /etc/resolv.conf, and its own process ids: whatever is left running ends with the script.
Needs root, because servers drop from root to users of their own.
"""
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile

INSIDE = "GLASSPOST_PEERS_INSIDE"
SKIPPED = 77  # what ctest's SKIP_RETURN_CODE is set to

# uid and gid of who the peers run as; mail belongs to vmail.
USERS = {"postfix": 901, "dovecot": 902, "dovenull": 903, "Debian-exim": 904, "opensmtpd": 905, "opensmtpq": 906, "dnsmasq": 907, "vmail": 908}
GROUPS = {"postdrop": 911}


def skip(reason):
    print(f"skipped: {reason}", flush=True)
    sys.exit(SKIPPED)


def enter():
    """comes back inside; outside, ends with the exit status of the script inside"""
    if os.environ.get(INSIDE):
        return
    if os.geteuid() != 0:
        skip("peers need root, to run as users of their own in a network namespace")
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*command, "true"], capture_output=True).returncode != 0:
        skip("no namespaces can be made here (unshare)")
    mark = f"glasspost-{os.getpid()}"
    inside = subprocess.Popen([*command, sys.executable, *sys.argv], env={**os.environ, INSIDE: mark, "PYTHONDONTWRITEBYTECODE": "1"})
    for ends in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(ends, lambda *_: inside.kill())  # and --kill-child ends what runs inside
    status = inside.wait()
    from peers import process

    hierarchy = process.unified_hierarchy()
    for left in hierarchy.glob(mark + "-*") if hierarchy else []:
        try:
            left.rmdir()
        except OSError:
            pass  # its last process is still ending
    sys.exit(status if status >= 0 else 128 - status)


def loopback_up(addresses):
    """lo with these addresses besides 127.0.0.1: all of 127/8 works anyway, but some servers look for theirs in the list"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH22x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS: IFF_UP, IFF_RUNNING
        for number, address in enumerate(addresses):
            name = f"lo:{number}".encode()
            fcntl.ioctl(s, 0x8916, struct.pack("16sHH4s16x", name, socket.AF_INET, 0, socket.inet_aton(address)))  # SIOCSIFADDR


class World:
    """what all peers of one script share: a work folder, /etc, names, and the trees"""

    def __init__(self, names, hosts, name_server="127.0.0.53", folder=None):
        """names: peers to unpack; hosts: {name: address}; folder: where the work folder is made (it must not be tmpfs to measure)"""
        from peers import packages

        try:
            self.trees = packages.ensure(names)
        except packages.Unavailable as reason:
            skip(str(reason))
        loopback_up(sorted(set(hosts.values())))
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="glasspost-peers-", dir=folder))
        self.work.chmod(0o755)
        self.hosts = hosts
        etc = self.work / "etc"
        etc.mkdir()
        users = "".join(f"{name}:x:{uid}:{uid}:{name}:/nonexistent:/usr/sbin/nologin\n" for name, uid in USERS.items())
        (etc / "passwd").write_text("root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n" + users
                                    + "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n")
        groups = "".join(f"{name}:x:{gid}:\n" for name, gid in (USERS | GROUPS).items())
        (etc / "group").write_text("root:x:0:\ntty:x:5:\nmail:x:8:\n" + groups + "nogroup:x:65534:\n")
        (etc / "nsswitch.conf").write_text("passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\nprotocols: files\n")
        (etc / "services").write_text("smtp 25/tcp mail\ndomain 53/tcp\ndomain 53/udp\npop3 110/tcp\nsubmissions 465/tcp smtps\nsubmission 587/tcp\npop3s 995/tcp\n")
        (etc / "resolv.conf").write_text(f"nameserver {name_server}\noptions timeout:2 attempts:2\n")
        (etc / "hosts").write_text("127.0.0.1 localhost\n::1 localhost ip6-localhost\n" + "".join(f"{a} {n}\n" for n, a in hosts.items()))
        done = subprocess.run(["mount", "-t", "overlay", "-o", f"ro,lowerdir={etc}:/etc", "overlay", "/etc"], capture_output=True, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.work)
            skip("no overlay can be mounted here: " + done.stderr.strip())

    def command(self, peer, *arguments):
        """the command by which a program of a peer's tree runs as if it were installed: the tree lies over /usr, for it alone"""
        usr = self.trees[peer] / "usr"
        return ["unshare", "--mount", "sh", "-c", f'mount -t overlay -o ro,lowerdir="{usr}":/usr overlay /usr && exec "$0" "$@"', *map(str, arguments)]

    def run(self, peer, *arguments, timeout=60, **more):
        return subprocess.run(self.command(peer, *arguments), capture_output=True, timeout=timeout, **more)

    def remove(self):
        subprocess.run(["umount", "/etc"], capture_output=True)
        shutil.rmtree(self.work, ignore_errors=True)


def certificate(folder, names, addresses=()):
    """makes folder/{ca,cert,key}.pem: a certificate for these names by an authority made for it"""
    folder.mkdir(parents=True, exist_ok=True)
    alternatives = ",".join([f"DNS:{n}" for n in names] + [f"IP:{a}" for a in addresses])

    def openssl(*arguments):
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", 30, "-subj", "/CN=Test authority",
            "-keyout", folder / "ca-key.pem", "-out", folder / "ca.pem", "-addext", "keyUsage=critical,keyCertSign")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={names[0]}", "-keyout", folder / "key.pem", "-out", folder / "csr.pem")
    (folder / "ext").write_text(f"subjectAltName={alternatives}\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", folder / "csr.pem", "-CA", folder / "ca.pem", "-CAkey", folder / "ca-key.pem", "-CAcreateserial", "-days", 30,
            "-extfile", folder / "ext", "-out", folder / "cert.pem")
    (folder / "key.pem").chmod(0o644)  # for peers that read it after they have dropped root; it is worth nothing
    return folder
