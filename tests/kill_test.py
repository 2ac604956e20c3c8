#!/usr/bin/env python3
"""kill -9 at random times under load: after each restart every promise is kept.

  kill_test.py GLASSPOST [ROUNDS]

Many SMTP sessions deliver to mailboxes and to the queue, POP3 sessions read and delete, and the server is killed: at a random time under
load, or while it starts. After the restart each recipient that was acknowledged is there exactly once, byte for byte (again only if its
fate was unknown and it was sent again), each deletion that QUIT acknowledged is done, and no other. 500 rounds with GLASSPOST_LONG."""
import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "crash"))
from ledger import Ledger, RelayLedger  # noqa: E402
from load import Load, clear, look, look_with_relay  # noqa: E402
from served import serving  # noqa: E402
from sink import Sink  # noqa: E402

MAILBOXES = [f"u{i}" for i in range(8)]
ROUNDS_OF_A_FOLDER = 50


def rounds_on_a_folder(program, rounds, seed):
    rng = random.Random(seed)
    ledger = Ledger(MAILBOXES)
    with serving(program, MAILBOXES) as server:
        for number in range(rounds):
            load = Load(server.ports, ledger, seed=seed + number)
            # As much as a busy machine does in that time, and then at any instant of what follows.
            load.wait_for_promises(rng.randrange(rng.choice((2, 100, 300))))
            time.sleep(0.02 * rng.random())
            server.kill()
            load.stop()
            if rng.random() < 0.2:  # killed while it starts, once or twice
                for _ in range(rng.randrange(1, 3)):
                    server.spawn()
                    time.sleep(0.12 * rng.random())
                    server.kill()
            server.start()
            look(server, ledger)
            clear(server, ledger)
        assert server.stop() == 0
        server.sound()
        server.start()
        look(server, ledger)
    return ledger


def rounds_with_relay(program, rounds, seed):
    """Mail for elsewhere goes on to a next hop, which refuses some; in the end none is left in the queue."""
    rng = random.Random(seed)
    sink = Sink()
    ledger = RelayLedger(MAILBOXES, sink, "sender")
    with serving(program, [*MAILBOXES, "sender"], '[retry]\nfirst = "1 s"\nmaximum = "1 s"\n', next_hop=sink.port) as server:
        for number in range(rounds):
            load = Load(server.ports, ledger, senders=6, fetchers=1, seed=seed + number)
            load.wait_for_promises(rng.randrange(rng.choice((2, 60))))
            time.sleep(0.02 * rng.random())
            server.kill()
            load.stop()
            server.start()
        look_with_relay(server, ledger, drained=True)
        assert server.stop() == 0
        server.sound()
    sink.close()
    assert sink.delivered and ledger.bounced
    twice = sum(n - 1 for n in sink.delivered.values() if n > 1)
    print(f"{rounds} kills with a next hop: {ledger.promises} messages acknowledged, {sum(sink.delivered.values())} deliveries to it, {twice} of"
          f" them again, {sum(ledger.bounced.values())} bounced", flush=True)


def main():
    program = sys.argv[1]
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 500 if os.environ.get("GLASSPOST_LONG") else 15
    seed = int(os.environ.get("GLASSPOST_SEED", "1" if rounds <= 15 else str(random.randrange(1 << 20))))
    print(f"seed {seed}", flush=True)
    begin, done, promised, unknown, deleted = time.monotonic(), 0, 0, 0, 0
    while done < rounds:
        some = min(ROUNDS_OF_A_FOLDER, rounds - done)
        ledger = rounds_on_a_folder(program, some, seed + done)
        done += some
        promised += sum(ledger.promised.values())
        unknown += sum(ledger.unknown.values())
        deleted += sum(len(d) for d in ledger.deleted.values())
        print(f"{done} kills: {promised} messages acknowledged, {unknown} of unknown fate, {deleted} deleted,"
              f" {time.monotonic() - begin:.0f} s", flush=True)
    for first in range(0, max(rounds // 3, 1), ROUNDS_OF_A_FOLDER):
        rounds_with_relay(program, min(ROUNDS_OF_A_FOLDER, max(rounds // 3, 1) - first), seed + first)
    assert promised > 20 * rounds and unknown > 0 and deleted > rounds, "too little load to prove anything"


if __name__ == "__main__":
    main()
