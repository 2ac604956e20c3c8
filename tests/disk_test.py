#!/usr/bin/env python3
"""A disk that fills up: 452, nothing acknowledged is lost, mail can be fetched, and the server recovers by itself when room comes back.

  disk_test.py GLASSPOST

The data lies on a small tmpfs, mounted in a mount namespace of the test's own. Skipped where none can be had (neither root nor user
namespaces)."""
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from clients import Pop3, Refused, Smtp  # noqa: E402
from ledger import Deletion, Ledger  # noqa: E402
from load import look, quit_and_delete, send_one  # noqa: E402
from served import Served, memory_folder, wait_for  # noqa: E402

SKIPPED = 77
DISK = "56m"
SETTINGS = '[limits]\nfree = "16 MiB"\n[retry]\nfirst = "1 s"\n'
MAILBOXES = ["u0", "u1"]


def send_until_refused(server, ledger):
    """Sends until the first refusal and gives it; it must be 452 for want of room."""
    for _ in range(20_000):
        try:
            with Smtp(server.ports["smtp"]) as session:
                while True:
                    send_one(session, ledger, ledger.take_number(), 0)
        except Refused as refusal:
            return str(refusal)
    raise AssertionError("the disk does not fill up")


def answer_to_mail(server, parameters=""):
    """Who is refused already here sends no message for nothing."""
    with Smtp(server.ports["smtp"]) as session:
        session.send(f"MAIL FROM:<eve@example.org>{parameters}\r\n".encode())
        return session.reply().strip()


def send_one_more(server, ledger):
    with Smtp(server.ports["smtp"]) as session:
        send_one(session, ledger, ledger.take_number(), 1)


def delete(server, ledger, mailbox, every=1):
    with Pop3(server.ports["pop3"], mailbox) as session:
        unique = session.unique_ids()
        doomed = sorted(unique)[::every]
        session.delete(doomed)
        quit_and_delete(session, ledger, Deletion(mailbox, [unique[n] for n in doomed]))


def filled_by_mail(server, ledger):
    """Mail fills it: mail is put off before the disk is full to the last octet, and deleting makes room."""
    refusal = send_until_refused(server, ledger)
    assert refusal.startswith("452 4.3.1"), refusal
    assert server.ready() == (503, "the disk is full\n"), server.ready()
    promised = ledger.promises
    assert promised > 20
    for _ in range(3):  # not by chance
        assert send_until_refused(server, ledger).startswith("452 4.3.1")
    wait_for(lambda: answer_to_mail(server) == "452 4.3.1 Insufficient system storage", "MAIL to be refused", 5)
    look(server, ledger)
    for mailbox in MAILBOXES:
        delete(server, ledger, mailbox)
    look(server, ledger)
    assert server.ready() == (200, "ok\n")  # the file is no smaller, but has room in it
    assert answer_to_mail(server).startswith("250 ")
    assert answer_to_mail(server, " SIZE=40000000") == "452 4.3.1 Insufficient system storage"
    for _ in range(promised // 40):
        send_one_more(server, ledger)
    look(server, ledger)
    assert send_until_refused(server, ledger).startswith("452 4.3.1")
    return promised


def take_all(ballast, leave=0):
    with open(ballast, "ab", buffering=0) as f:
        block = bytes(1 << 16)
        while True:
            disk = os.statvfs(ballast)
            if leave and disk.f_bavail * disk.f_frsize < leave + len(block):
                break
            try:
                if f.write(block) < len(block):
                    break
            except OSError:
                break


def filled_by_others(server, ledger, disk):
    """Someone else takes all there is: not even a deletion can be written; when he goes, all goes on without anybody's help."""
    ballast = os.path.join(disk, "ballast")
    take_all(ballast)
    refusal = send_until_refused(server, ledger)
    assert refusal.startswith("452 4.3.1"), refusal
    assert server.ready()[0] == 503
    look(server, ledger)
    for mailbox in MAILBOXES:  # promised or refused: the book holds it to its word
        try:
            delete(server, ledger, mailbox, 2)
        except Refused:
            pass
    look(server, ledger)
    server.kill()  # and in this state it starts again
    server.start()
    take_all(ballast)  # the start has shortened the WAL
    assert server.ready()[0] == 503
    look(server, ledger)
    assert send_until_refused(server, ledger).startswith("452 4.3.1")
    os.unlink(ballast)
    wait_for(lambda: server.ready()[0] == 200, "/readyz to say that there is room", 15)


def filled_where_mail_was(server, ledger, disk):
    """What deleted mail left free is found when others take the room outside, though nobody changes anything any more."""
    look(server, ledger)  # what was deleted before it was seen would count as lost
    for mailbox in MAILBOXES:
        delete(server, ledger, mailbox)
    ballast = os.path.join(disk, "ballast")
    take_all(ballast, 14 << 20)  # less than is kept back; with what lies free in the file it is more
    wait_for(lambda: server.ready() == (200, "ok\n"), "room within the file", 15)
    assert answer_to_mail(server).startswith("250 ")
    send_one_more(server, ledger)
    os.unlink(ballast)


def main():
    if "--inside" not in sys.argv:
        words = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
        trial = [*words, "sh", "-c", "mount -t tmpfs none /tmp"]
        if not shutil.which("unshare") or subprocess.run(trial, capture_output=True, check=False).returncode != 0:
            print("skipped: no file system can be mounted here (it takes root, or user namespaces)")
            return SKIPPED
        os.execvp("unshare", [*words, sys.executable, *sys.argv, "--inside"])
    with memory_folder() as folder:
        disk = os.path.join(folder, "disk")
        os.mkdir(disk)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "none", disk], check=True)
        ledger = Ledger(MAILBOXES)
        server = Served([sys.argv[1], "serve"], folder, SETTINGS, data=os.path.join(disk, "data"))
        server.start()
        assert server.stop() == 0
        server.add_accounts(MAILBOXES)
        server.start()
        try:
            promised = filled_by_mail(server, ledger)
            subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
            wait_for(lambda: server.ready() == (200, "ok\n"), "room", 15)
            send_one_more(server, ledger)
            filled_by_others(server, ledger, disk)
            send_one_more(server, ledger)
            filled_where_mail_was(server, ledger, disk)
            look(server, ledger)
            assert server.stop() == 0
            server.sound()
        finally:
            server.kill()
            subprocess.run(["umount", "-l", disk], check=True)
    print(f"{promised} messages acknowledged until the disk was full, {ledger.promises} in all, {ledger.refused} refused")
    return 0


if __name__ == "__main__":
    sys.exit(main())
