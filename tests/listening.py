"""What the fake servers of the tests have in common: they listen on loopback and hand each connection to talk()."""
import contextlib
import socket
import threading


class Listening:
    """A server on a port of its own, one connection after the other, until close(). `talk(stream)`, or `serve(connection)` below it, is the subclass's; what
    breaks meanwhile ends that connection only."""

    def __init__(self):
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                self.serve(connection)

    def serve(self, connection):
        with connection.makefile("rwb") as stream:
            self.talk(stream)

    def close(self):
        # Its number may be another socket's once it is closed: nobody may be about to accept with it then.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listener.close()
