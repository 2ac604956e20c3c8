"""A next hop: takes what is relayed to it and remembers it; refuses the recipients of each fifth message."""
import collections
import re
import socketserver
import threading

from ledger import number_in


def refuses(recipient):
    return int(re.match(r"r(\d+)\.", recipient)[1]) % 5 == 0


class Sink:
    def __init__(self):
        self.lock = threading.Lock()
        self.delivered = collections.Counter()  # recipient → times
        self.doubtful = collections.Counter()   # of these, over connections that broke: the sender may not know
        self.faults = []
        sink = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                sink.serve(self)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        taken = []
        try:
            if not self.talk(handler, taken):
                raise ConnectionError
        except (OSError, AssertionError) as fault:
            with self.lock:
                self.doubtful.update(taken)
                if isinstance(fault, AssertionError):
                    self.faults.append(fault)

    def talk(self, handler, taken):
        """One connection; false if it ended without QUIT."""
        def say(line):
            handler.wfile.write(line + b"\r\n")

        recipients = []
        say(b"220 sink")
        while line := handler.rfile.readline():
            verb = line[:4].upper()
            if verb == b"MAIL":
                recipients = []
                say(b"250 ok")
            elif verb == b"RCPT":
                recipient = re.search(rb"<(.*?)>", line)[1].decode()
                if refuses(recipient):
                    say(b"550 5.1.1 nobody here")
                else:
                    recipients.append(recipient)
                    say(b"250 ok")
            elif verb == b"DATA":
                say(b"354 go on")
                lines = []
                while (line := handler.rfile.readline()) not in (b".\r\n", b""):
                    lines.append(line[1:] if line.startswith(b".") else line)
                if not line:
                    return False
                number = number_in(b"".join(lines))
                assert all(r.startswith(f"r{number}.") for r in recipients), f"message {number} came for {recipients}"
                with self.lock:
                    self.delivered.update(recipients)
                taken += recipients
                say(b"250 ok")
            elif verb == b"QUIT":
                say(b"221 bye")
                return True
            else:
                say(b"250 ok")
        return False
