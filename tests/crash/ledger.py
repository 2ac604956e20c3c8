"""The clients' book: what was offered, promised and deleted, and whether what a server holds agrees with it.

A message is made of its number alone, so that its octets can be compared. It goes to mailboxes here and to addresses elsewhere, whose
entries stay in the queue. Each time it was sent it was either promised (250), refused, or its fate is unknown: the connection broke
after its end had been sent. So it must be there at least as often as it was promised, and at most as often as promised or unknown,
with all its recipients each time."""
import collections
import random
import re
import threading
import time

from served import DOMAIN

_LETTERS = bytes(range(97, 123)) * 4000
_TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received): [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")


def text_of(number):
    rng = random.Random(number)
    size = rng.randrange(70_000, 250_000) if number % 29 == 0 else rng.randrange(100, 8000)
    lines = [b"X-Number: %d\r\nSubject: number %d\r\n\r\n.a line with a dot\r\n.\r\n..\r\n" % (number, number)]
    while size > 0:
        at, length = rng.randrange(26), rng.randrange(60, 900)
        lines.append(_LETTERS[at:at + length] + b"\r\n")
        size -= length
    return b"".join(lines).replace(b"\r\n.\r\n", b"\r\n. \r\n")


def recipients_of(number, mailboxes):
    """Some here, some elsewhere; never nobody."""
    rng = random.Random(~number)
    here = rng.sample(mailboxes, min(rng.choice((0, 1, 1, 1, 2, 3)), len(mailboxes)))
    elsewhere = [f"r{number}.{i}@elsewhere{i}.test" for i in range(rng.choice((0, 0, 1, 2)) if here else 1)]
    return here, elsewhere


def number_in(octets):
    """The number of a message that stands there unspoiled, behind trace fields."""
    body = octets[_TRACE.match(octets).end():]
    found = re.match(rb"X-Number: (\d+)\r\n", body)
    assert found, f"no message of ours: {octets[:300]!r}"
    number = int(found[1])
    assert body == text_of(number), f"the octets of message {number} differ"
    return number


class Deletion:
    """A POP3 session's, of unique ids in one mailbox."""

    def __init__(self, mailbox, unique_ids):
        self.mailbox = mailbox
        self.unique_ids = frozenset(unique_ids)


class Ledger:
    def __init__(self, mailboxes):
        self.mailboxes = mailboxes
        self.lock = threading.Lock()
        self.log = []  # (time, method's name, its arguments): all that was noted
        self.next_number = 1
        self.promised = collections.Counter()
        self.unknown = collections.Counter()
        self.promises = self.refused = 0
        self.again = []  # numbers whose fate is unknown, which a good client sends again
        self.number = {m: {} for m in mailboxes}  # of each unique id that was ever seen
        self.deleted = {m: set() for m in mailboxes}  # unique ids whose deletion was promised
        self.deletions_unknown = []
        self.queued = {}  # entry → recipient

    def take_number(self):
        with self.lock:
            if self.again:
                return self.again.pop()
            self.next_number += 1
            return self.next_number - 1

    def note(self, what, *arguments):
        """Something happened; a promise is noted after it came, what may have happened before it can have."""
        with self.lock:
            self.log.append((time.monotonic_ns(), what, arguments))
            getattr(self, "_" + what)(*arguments)

    def as_of(self, moment):
        """The book as it was when the monotonic clock said so."""
        book = Ledger(self.mailboxes)
        book.next_number = self.next_number
        with self.lock:
            for then, what, arguments in self.log:
                if then > moment:
                    break
                getattr(book, "_" + what)(*arguments)
        return book

    def _ending(self, number):
        self.unknown[number] += 1

    def _promise(self, number):
        self.unknown[number] -= 1
        self.promised[number] += 1
        self.promises += 1

    def _refusal(self, number):
        self.unknown[number] -= 1
        self.refused += 1

    def _broken(self, number):
        self.again.append(number)

    def _seen(self, mailbox, unique, number):
        known = self.number[mailbox].setdefault(unique, number)
        assert known == number, f"{mailbox}: the unique id {unique} was of message {known} and is now of {number}"
        assert unique not in self.deleted[mailbox], f"{mailbox}: {unique} was deleted and is here again"

    def _deleting(self, deletion):
        self.deletions_unknown.append(deletion)

    def _deletion(self, deletion):
        self.deletions_unknown.remove(deletion)
        self.deleted[deletion.mailbox] |= deletion.unique_ids

    # What a server has.
    def check(self, held, queue):
        """`held`: mailbox → unique id → octets, of all there is; `queue`: entry → (recipient, octets), at least of new entries, and
        octets None of those that were checked before. What was on its way when the server died is decided by now."""
        for mailbox in self.mailboxes:
            for unique, octets in held[mailbox].items():
                self.note("seen", mailbox, unique, number_in(octets))
        for deletion in list(self.deletions_unknown):
            there = deletion.unique_ids & held[deletion.mailbox].keys()
            # Where the server was killed several times before it is looked at, other sessions have deleted some of them since.
            others = set(self.deleted[deletion.mailbox]).union(*(d.unique_ids for d in self.deletions_unknown if d is not deletion and d.mailbox == deletion.mailbox))
            assert there - others in (frozenset(), deletion.unique_ids - others), f"{deletion.mailbox}: a deletion was done in part"
            if not there:
                self.note("deletion", deletion)
            else:
                self.deletions_unknown.remove(deletion)
        for mailbox in self.mailboxes:
            expected = self.number[mailbox].keys() - self.deleted[mailbox]
            lost = expected - held[mailbox].keys()
            assert not lost, f"{mailbox}: {len(lost)} messages that were here are gone, as {sorted(lost)[:5]}"
        self._check_queue(queue)
        self._check_numbers()

    def _check_queue(self, queue):
        lost = self.queued.keys() - queue.keys()
        assert not lost, f"{len(lost)} queue entries are gone, as {sorted(lost)[:5]}"
        for entry, (recipient, octets) in queue.items():
            if entry in self.queued:
                assert self.queued[entry] == recipient
                continue
            number = number_in(octets)
            assert recipient in recipients_of(number, self.mailboxes)[1], f"message {number} is queued for {recipient}"
            self.queued[entry] = recipient

    def _check_numbers(self):
        here = {m: collections.Counter(self.number[m].values()) for m in self.mailboxes}
        elsewhere = collections.Counter(self.queued.values())
        for number in range(1, self.next_number):
            to_here, to_elsewhere = recipients_of(number, self.mailboxes)
            times = {here[m][number] for m in to_here} | {elsewhere[r] for r in to_elsewhere}
            assert len(times) == 1, f"message {number} has reached its recipients {sorted(times)} times: some more often than others"
            count = times.pop()
            low, high = self.promised[number], self.promised[number] + self.unknown[number]
            assert low <= count <= high, (f"message {number} is there {count} times, and was promised {low} times"
                                          f" and sent with unknown fate {high - low} times")
        for m in self.mailboxes:
            for number in here[m]:
                assert m in recipients_of(number, self.mailboxes)[0], f"message {number} is in {m}, which was not asked for"


class RelayLedger(Ledger):
    """With a next hop that takes mail: each recipient elsewhere is queued, delivered or bounced. A second delivery is right only where
    the connection of the first broke."""

    def __init__(self, mailboxes, sink, sender):
        super().__init__(mailboxes)
        self.sink = sink
        self.sender = sender  # the mailbox that bounces go to
        self.bounced = collections.Counter()

    def take_bounces(self, messages):
        self.bounced = collections.Counter()
        for octets in messages:
            told = re.findall(rb"(?mi)^Final-Recipient: *rfc822; *(\S+?)\r$", octets)
            assert told, f"no report of ours: {octets[:500]!r}"
            self.bounced.update(r.decode() for r in told)

    def _check_queue(self, queue):
        for recipient, octets in queue.values():
            number = number_in(octets)
            assert recipient in recipients_of(number, self.mailboxes)[1], f"message {number} is queued for {recipient}"
        self.queued = {entry: recipient for entry, (recipient, _) in queue.items()}

    def _check_numbers(self):
        with self.sink.lock:
            assert not self.sink.faults, self.sink.faults
            delivered, doubtful = self.sink.delivered.copy(), self.sink.doubtful.copy()
        here = {m: collections.Counter(self.number[m].values()) for m in self.mailboxes}
        queued = collections.Counter(self.queued.values())
        for number in range(1, self.next_number):
            to_here, to_elsewhere = recipients_of(number, self.mailboxes)
            low, high = self.promised[number], self.promised[number] + self.unknown[number]
            for m in to_here:
                assert low <= here[m][number] <= high, f"message {number} is {here[m][number]} times in {m}, not {low} to {high}"
            for r in to_elsewhere:
                count = queued[r] + delivered[r] + self.bounced[r]
                assert low <= count <= high + doubtful[r], (
                    f"{r}: queued {queued[r]}, delivered {delivered[r]}, bounced {self.bounced[r]} times; promised {low} times,"
                    f" sent with unknown fate {high - low} times, delivered over connections that broke {doubtful[r]} times")


def address(mailbox):
    return f"{mailbox}@{DOMAIN}"
