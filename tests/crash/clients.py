"""Small clients of SMTP and POP3 over plain sockets, which say exactly when a promise was made."""
import re
import socket

from served import DOMAIN, PASSWORD


SENDER = f"sender@{DOMAIN}"


class Broken(Exception):
    """The connection ended, as it does when the server is killed."""


class Refused(Exception):
    """The server said no."""


class Line:
    """A connection with lines of replies."""

    def __init__(self, port):
        try:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        except OSError as error:
            raise Broken from error
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.got = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, octets):
        try:
            self.socket.sendall(octets)
        except OSError as error:
            raise Broken from error

    def more(self):
        try:
            octets = self.socket.recv(1 << 18)
        except OSError as error:
            raise Broken from error
        if not octets:
            raise Broken
        self.got += octets

    def line(self):
        while b"\n" not in self.got:
            self.more()
        line, self.got = self.got.split(b"\n", 1)
        return line.rstrip(b"\r").decode("latin-1")


class Smtp(Line):
    def __init__(self, port):
        super().__init__(port)
        self.expect("220")
        self.send(b"EHLO client.test\r\n")
        self.expect("250")

    def reply(self):
        while (line := self.line())[3:4] == "-":
            pass
        return line

    def expect(self, code):
        line = self.reply()
        if not line.startswith(code):
            raise Refused(line)

    def deliver(self, recipients, text, way, at_end=lambda: None):
        """One message; `way`: 0 a command at a time, 1 pipelined, 2 in one BDAT, 3 in several. Calls `at_end` just before the octets
        by which the message is complete go out. Ends if the server has promised to deliver."""
        commands = [f"MAIL FROM:<{SENDER}>\r\n".encode()] + [f"RCPT TO:<{r}>\r\n".encode() for r in recipients]
        if way == 0:
            for command in commands:
                self.send(command)
                self.expect("250")
        else:
            self.send(b"".join(commands))
            for _ in commands:
                self.expect("250")
        if way < 2:
            self.send(b"DATA\r\n")
            self.expect("354")
            stuffed = re.sub(rb"(?m)^\.", b"..", text)
            half = len(stuffed) // 2
            self.send(stuffed[:half])
            at_end()
            self.send(stuffed[half:] + b".\r\n")
        else:
            if way == 3:
                third = len(text) // 3
                self.send(b"BDAT %d\r\n" % third + text[:third])
                self.expect("250")
                text = text[third:]
            at_end()
            self.send(b"BDAT %d LAST\r\n" % len(text) + text)
        self.expect("250")


class Pop3(Line):
    def __init__(self, port, user):
        super().__init__(port)
        self.ok()
        self.send(f"USER {user}@{DOMAIN}\r\nPASS {PASSWORD}\r\n".encode())
        self.ok()
        self.ok()

    def ok(self):
        line = self.line()
        if not line.startswith("+OK"):
            raise Refused(line)
        return line

    def block(self):
        """The lines up to the lone dot, unstuffed, as octets."""
        while True:
            if self.got.startswith(b".\r\n"):
                self.got = self.got[3:]
                return b""
            end = self.got.find(b"\r\n.\r\n")
            if end >= 0:
                block, self.got = self.got[:end + 2], self.got[end + 5:]
                return re.sub(rb"(?m)^\.\.", b".", block)
            self.more()

    def unique_ids(self):
        """number → unique id"""
        self.send(b"UIDL\r\n")
        self.ok()
        return {int(number): unique for number, unique in (line.split() for line in self.block().decode().splitlines())}

    def retrieve(self, numbers):
        """The messages in turn."""
        numbers = list(numbers)
        for at in range(0, len(numbers), 50):
            some = numbers[at:at + 50]
            self.send(b"".join(b"RETR %d\r\n" % n for n in some))
            for n in some:
                self.ok()
                yield n, self.block()

    def delete(self, numbers):
        numbers = list(numbers)
        self.send(b"".join(b"DELE %d\r\n" % n for n in numbers))
        for _ in numbers:
            self.ok()

    def quit(self):
        self.send(b"QUIT\r\n")
        self.ok()
