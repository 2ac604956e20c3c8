"""Debian packages of mail servers and clients, unpacked into the build folder and never installed.

Each peer has a tree of its own (build/peers/NAME): the packages exclude each other when installed, as files they do not. Libraries that
the machine lacks are unpacked with them; maintainer scripts never run. Needs apt-get and dpkg, no root.
"""
import fcntl
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = ROOT / "build/peers"

# What a peer consists of; the libraries follow from Depends. The second is a program that must be there afterwards.
PEERS = {
    "postfix": (["postfix"], "usr/lib/postfix/sbin/master"),
    "exim": (["exim4-daemon-light", "exim4-base"], "usr/sbin/exim4"),
    "dovecot": (["dovecot-core", "dovecot-imapd", "dovecot-pop3d", "dovecot-lmtpd"], "usr/lib/dovecot/imap"),
    "opensmtpd": (["opensmtpd"], "usr/sbin/smtpd"),
    "dnsmasq": (["dnsmasq-base"], "usr/sbin/dnsmasq"),
    "dig": (["bind9-dnsutils", "bind9-libs"], "usr/bin/dig"),
    "kdig": (["knot-dnsutils"], "usr/bin/kdig"),
    "swaks": (["swaks", "libnet-ssleay-perl", "libnet-dns-perl"], "usr/bin/swaks"),
    "msmtp": (["msmtp"], "usr/bin/msmtp"),
    "mpop": (["mpop"], "usr/bin/mpop"),
    "fetchmail": (["fetchmail"], "usr/bin/fetchmail"),
    "getmail": (["getmail6"], "usr/bin/getmail"),
    "s-nail": (["s-nail"], "usr/bin/s-nail"),
    "curl": (["curl"], "usr/bin/curl"),
}
# Of the dependencies, only what a program loads is wanted: nothing is set up, so nothing is needed that sets up.
FOLLOWED = re.compile(r"^(lib|perl)")


class Unavailable(Exception):
    """a package cannot be had here: no apt, no network, another system"""


def run(command, **more):
    try:
        return subprocess.run(command, capture_output=True, text=True, **more)
    except FileNotFoundError as missing:
        raise Unavailable(f"{missing.filename} is not there: peers are Debian packages") from missing


class Apt:
    """apt-get and apt-cache; with lists of packages of its own if the machine's are missing or too old for the mirror"""

    def __init__(self, without=()):
        self.without = set(without)  # installed packages to take as not installed
        self.options = ["-o", "Acquire::Retries=3"]
        self.own = False  # lists of packages
        self.installed = {}
        provided = {}
        for line in run(["dpkg-query", "-W", "-f", "${Package}\t${Version}\t${db:Status-Status}\t${Provides}\n"]).stdout.splitlines():
            name, version, status, provides = line.split("\t")
            if status == "installed" and name not in self.without:
                self.installed[name] = version
                for other, _, its in re.findall(r"([a-z0-9.+-]+)(?::\w+)?( \(= ([^)]*)\))?", provides):
                    provided[other] = its or version
        self.installed = provided | self.installed

    def own_lists(self):
        if self.own:
            raise Unavailable("the packages cannot be downloaded; is there a network?")
        self.own = True
        lists = FOLDER / "lists"
        (lists / "partial").mkdir(parents=True, exist_ok=True)
        # Without the last, a list that cannot be fetched is a warning, and there are no packages.
        self.options += ["-o", f"Dir::State::lists={lists}", "-o", "Dir::Cache::pkgcache=", "-o", "Dir::Cache::srcpkgcache=", "-o", "APT::Sandbox::User=", "-o", "APT::Update::Error-Mode=any"]
        done = run(["apt-get", *self.options, "-qq", "update"])
        if done.returncode != 0:
            raise Unavailable("apt-get update: " + done.stderr.strip()[-300:])

    def depends(self, packages):
        """{package: its dependencies, as lists of alternatives (name, relation, version)}; virtual packages are left out"""
        text = run(["apt-cache", *self.options, "show", "--no-all-versions", *packages]).stdout
        found = {}
        for paragraph in text.split("\n\n"):
            name = re.search(r"^Package: (.*)$", paragraph, re.M)
            if name:
                groups = found.setdefault(name[1], [])
                for field in re.findall(r"^(?:Pre-)?Depends: (.*)$", paragraph, re.M):
                    for group in field.split(","):
                        groups.append([re.match(r"\s*([a-z0-9.+-]+)(?::\w+)?\s*(?:\(([<>=]+) ([^)]*)\))?", one).groups() for one in group.split("|")])
        return found

    def has(self, name, relation, version):
        here = self.installed.get(name)
        return here is not None and (relation is None or run(["dpkg", "--compare-versions", here, relation, version]).returncode == 0)

    def closure(self, packages):
        """those packages, and what they load and the machine lacks"""
        level = self.depends(packages)
        if len(level) < len(packages):
            self.own_lists()
            level = self.depends(packages)
            if len(level) < len(packages):
                raise Unavailable(f"apt does not know all of: {' '.join(packages)}")
        found = {}
        while level:
            found.update(level)
            wanted = []
            for group in (group for groups in level.values() for group in groups):
                if not any(self.has(*one) or one[0] in found for one in group) and FOLLOWED.match(group[0][0]):
                    wanted.append(group[0][0])
            level = self.depends(sorted(set(wanted))) if wanted else {}
        return sorted(found)

    def download(self, packages, folder):
        done = run(["apt-get", *self.options, "-o", "APT::Sandbox::User=", "-qq", "download", *packages], cwd=folder)
        if done.returncode != 0 and not self.own:
            self.own_lists()
            done = run(["apt-get", *self.options, "-qq", "download", *packages], cwd=folder)
        if done.returncode != 0:
            raise Unavailable(f"apt-get download {' '.join(packages)}: " + done.stderr.strip()[-300:])
        return sorted(folder.glob("*.deb"))


def unpack(name, apt, folder):
    packages, program = PEERS[name]
    debs = folder / f"{name}.debs"
    new = folder / f"{name}.new"
    for old in (debs, new):
        shutil.rmtree(old, ignore_errors=True)
        old.mkdir(parents=True)
    for deb in apt.download(apt.closure(packages), debs):
        done = run(["dpkg", "-x", str(deb), str(new)])
        if done.returncode != 0:
            raise Unavailable(f"dpkg -x {deb.name}: {done.stderr.strip()}")
    for top in ("bin", "sbin", "lib"):  # as on a system whose /usr is merged
        if (new / top).is_dir():
            shutil.copytree(new / top, new / "usr" / top, symlinks=True, dirs_exist_ok=True)
            shutil.rmtree(new / top)
    if not os.path.lexists(new / program):
        raise Unavailable(f"{name}: the packages hold no {program}")
    (new / "packages").write_text("".join(deb.name + "\n" for deb in sorted(debs.glob("*.deb"))))
    shutil.rmtree(debs)
    shutil.rmtree(folder / name, ignore_errors=True)  # of an older list of packages
    new.rename(folder / name)


def ensure(names, without=(), folder=FOLDER):
    """the folders of these peers, unpacked if they are not yet; raises Unavailable"""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        missing = [name for name in names if not os.path.lexists(folder / name / PEERS[name][1])]
        if missing:
            apt = Apt(without)
            for name in missing:
                unpack(name, apt, folder)
    return {name: folder / name for name in names}
