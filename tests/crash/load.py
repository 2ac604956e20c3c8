"""Clients that load a server and keep the book (ledger.py), until they are stopped or the server is gone."""
import random
import threading
import time

from clients import Broken, Pop3, Refused, Smtp
from served import wait_for
from ledger import Deletion, address, number_in, recipients_of, text_of


def send_one(session, ledger, number, way, refusal_is_final=True):
    """Delivers a message and books its fate; the connection may be of no use afterwards (Broken, Refused). A refusal is final, except
    where the server itself cannot know what its disk has."""
    here, elsewhere = recipients_of(number, ledger.mailboxes)
    ended = []

    def at_end():
        ended.append(True)
        ledger.note("ending", number)

    try:
        session.deliver([address(m) for m in here] + elsewhere, text_of(number), way, at_end)
    except Refused:
        if ended and refusal_is_final:
            ledger.note("refusal", number)
        raise
    except Broken:
        if ended:
            ledger.note("broken", number)
        raise
    ledger.note("promise", number)


def fetch_and_delete(port, ledger, mailbox, rng):
    """A POP3 session: reads some messages, deletes some, and ends in one of the ways in which sessions end."""
    with Pop3(port, mailbox) as session:
        unique = session.unique_ids()
        some = sorted(rng.sample(sorted(unique), min(len(unique), rng.randrange(1, 12))))
        for number, octets in session.retrieve(some):
            ledger.note("seen", mailbox, unique[number], number_in(octets))
        doomed = [n for n in some if rng.random() < 0.7]
        session.delete(doomed)
        end = rng.random()
        if end < 0.15:
            return  # dropped: nothing is deleted
        if end < 0.25:
            session.send(b"RSET\r\n")
            session.ok()
            doomed = []
        quit_and_delete(session, ledger, Deletion(mailbox, [unique[n] for n in doomed]))


def quit_and_delete(session, ledger, deletion):
    ledger.note("deleting", deletion)
    session.quit()
    ledger.note("deletion", deletion)


class Load:
    def __init__(self, ports, ledger, senders=12, fetchers=3, seed=0):
        self.ports = ports
        self.ledger = ledger
        self.stopping = threading.Event()
        self.faults = []
        self.threads = [threading.Thread(target=self._guard, args=(self._send, random.Random(seed * 100 + i))) for i in range(senders)]
        self.threads += [threading.Thread(target=self._guard, args=(self._fetch, random.Random(~(seed * 100 + i)))) for i in range(fetchers)]
        for thread in self.threads:
            thread.start()

    def _guard(self, work, rng):
        try:
            work(rng)
        except Exception as fault:  # a test's thread: whatever it met is told by stop()
            self.faults.append(fault)

    def _send(self, rng):
        while not self.stopping.is_set():
            try:
                with Smtp(self.ports["smtp"]) as session:
                    for _ in range(rng.randrange(1, 20)):
                        if self.stopping.is_set():
                            return
                        send_one(session, self.ledger, self.ledger.take_number(), rng.randrange(4))
            except Broken:
                return

    def _fetch(self, rng):
        while not self.stopping.is_set():
            try:
                fetch_and_delete(self.ports["pop3"], self.ledger, rng.choice(self.ledger.mailboxes), rng)
            except Broken:
                return
            except Refused as refusal:
                if "[IN-USE]" not in str(refusal):
                    raise

    def wait_for_promises(self, count, seconds=60):
        """Until the server has promised so many more."""
        before, end = self.ledger.promises, time.monotonic() + seconds
        while self.ledger.promises < before + count and not self.faults and time.monotonic() < end:
            time.sleep(0.002)

    def stop(self):
        """Ends the clients; what they met and should not have is an error."""
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        assert not self.faults, self.faults


def look(server, ledger):
    """What the server holds, by POP3 and in the queue, held against the book."""
    held = {}
    for mailbox in ledger.mailboxes:
        with Pop3(server.ports["pop3"], mailbox) as session:
            unique = session.unique_ids()
            held[mailbox] = {unique[number]: octets for number, octets in session.retrieve(unique)}
            session.quit()
    ids = server.queue_ids()
    new = server.queue(max(ledger.queued, default=0))
    ledger.check(held, {entry: new.get(entry) or (ledger.queued.get(entry, ""), None) for entry in ids})


def look_with_relay(server, ledger, drained=False):
    """The same where mail goes on to a next hop; `drained`: when the queue is empty."""
    if drained:
        wait_for(lambda: not server.queue_ids(), "the queue to be empty", 120)
    with Pop3(server.ports["pop3"], ledger.sender) as session:
        ledger.take_bounces([octets for _, octets in session.retrieve(session.unique_ids())])
        session.quit()
    look(server, ledger)


def clear(server, ledger, keep=5):
    """Deletes most of what was checked, so that the folders of long tests stay small."""
    for mailbox in ledger.mailboxes:
        with Pop3(server.ports["pop3"], mailbox) as session:
            unique = session.unique_ids()
            doomed = sorted(unique)[:-keep]
            session.delete(doomed)
            quit_and_delete(session, ledger, Deletion(mailbox, [unique[n] for n in doomed]))
