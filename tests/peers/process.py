"""A server process: started in a control group of its own, waited for until it answers, stopped by its process id, its output kept."""
import os
import pathlib
import signal
import socket
import subprocess
import time

_groups = 0


def unified_hierarchy():
    """where cgroup v2 is mounted; None if it is not"""
    for line in pathlib.Path("/proc/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    return None


class Group:
    """The control group of a server: the CPU time of all its processes, those that have ended included, and who they are."""

    def __init__(self, name):
        global _groups
        _groups += 1
        root = unified_hierarchy()
        self.folder = root / f"{os.environ['GLASSPOST_PEERS_INSIDE']}-{_groups}-{name}" if root else None
        if self.folder:
            try:
                self.folder.mkdir()
            except OSError:
                self.folder = None

    def join(self):
        """in the child, before it executes"""
        if self.folder:
            (self.folder / "cgroup.procs").write_text("0")

    def cpu(self):
        """seconds of processor time; NaN where there are no control groups"""
        if not self.folder:
            return float("nan")
        return int((self.folder / "cpu.stat").read_text().split()[1]) / 1e6

    def processes(self):
        return [int(p) for p in (self.folder / "cgroup.procs").read_text().split()] if self.folder else []

    def memory(self):
        """octets: what the processes have to themselves, and their parts of what they share"""
        total = 0
        for pid in self.processes():
            try:
                for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1]) * 1024
            except OSError:
                pass  # ended meanwhile
        return total

    def remove(self):
        if self.folder:
            for _ in range(50):
                try:
                    self.folder.rmdir()
                    return
                except OSError:
                    time.sleep(0.1)


class NotStarted(Exception):
    pass


class Server:
    """Base of the peers. A subclass sets self.listens, a list of (address, port), and gives start() the command."""

    name = "server"

    def __init__(self, world, label=None):
        self.world = world
        self.folder = world.work / (label or self.name)
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.process = None
        self.listens = []
        self.group = Group(label or self.name)

    def launch(self, command, **more):
        self.output = open(self.folder / "output.log", "ab")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output, start_new_session=True,
                                        preexec_fn=self.group.join, **more)
        self.wait_until_it_answers()
        return self

    def wait_until_it_answers(self, seconds=20):
        until = time.monotonic() + seconds
        for address in self.listens:
            while True:
                try:
                    socket.create_connection(address, timeout=5).close()
                    break
                except OSError as reason:
                    if self.process.poll() is not None or time.monotonic() > until:
                        self.stop()
                        raise NotStarted(f"{self.name} does not answer on {address}: {reason}\n{self.logs()}") from reason
                    time.sleep(0.05)

    def logs(self, lines=40):
        found = []
        for path in sorted([*self.folder.glob("*.log"), *self.folder.glob("log/*")]):
            found.append(f"--- {path.name}\n" + "\n".join(path.read_text(errors="replace").splitlines()[-lines:]))
        return "\n".join(found)

    def stop(self, seconds=15):
        if self.process:
            self.output.close()
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for pid in self.group.processes():  # workers that outlive the one that started them
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.group.remove()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
