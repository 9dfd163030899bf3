"""The cockpit in a pseudo-terminal that answers as a terminal does."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from pathlib import Path

CONTROL = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78cDEM])")
# The last thing the cockpit does before it draws is to hide the cursor.
TAKEN = b"\x1b[?25l"
QUESTION = b"\x1b[c"


class Cockpit:
    """A started cockpit. `ready` tells when its output had a text, in seconds from before the process was made."""

    def __init__(self, sayso: Path, repo: Path, env: dict[str, str], columns: int = 120, rows: int = 36):
        self.began = time.monotonic()
        # Grown in place and looked through once: what reads must not take longer the longer it has read.
        self.output = bytearray()
        self.seen: list[tuple[float, int]] = []
        self.asked = 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                # In the child, so that the size is there before the program asks for it.
                fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
                os.execve(sayso, [str(sayso), "-C", str(repo)], env)
            finally:
                os._exit(127)

    def read_until(self, done, patience: float) -> bool:
        """Reads and answers until `done()` or the time is up. True when done."""
        deadline = time.monotonic() + patience
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or not self._read(left):
                return done()
        return True

    def _read(self, patience: float) -> bool:
        ready, _, _ = select.select([self.fd], [], [], patience)
        if not ready:
            return False
        try:
            piece = os.read(self.fd, 65536)
        except OSError:
            return False
        if not piece:
            return False
        self.output += piece
        self.seen.append((time.monotonic() - self.began, len(self.output)))
        # What terminals answer to the question for their attributes.
        while (at := self.output.find(QUESTION, self.asked)) >= 0:
            os.write(self.fd, b"\x1b[?62;22c")
            self.asked = at + len(QUESTION)
        self.asked = max(self.asked, len(self.output) - len(QUESTION) + 1)
        return True

    def text(self, end: int | None = None) -> str:
        """What has been drawn, without the codes."""
        _, taken, drawn = self.output[:end].partition(TAKEN)
        return CONTROL.sub(b"", drawn).decode(errors="replace") if taken else ""

    def when(self, needle: str, patience: float = 10.0) -> float:
        """Milliseconds to the output in which `needle` stands complete."""
        if not self.read_until(lambda: needle in self.text(), patience):
            raise RuntimeError(f"the cockpit did not show {needle!r}: {self.text()[-400:]!r}")
        return next(at * 1000 for at, end in self.seen if needle in self.text(end))

    def quit(self) -> None:
        """Leaves as a person does, and waits for the process."""
        try:
            os.write(self.fd, b"q")
        except OSError:
            pass
        for harder in (None, signal.SIGTERM, signal.SIGKILL):
            if harder:
                os.kill(self.pid, harder)
            deadline = time.monotonic() + 5
            while time.monotonic() < deadline:
                self._read(0.01)
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
        raise RuntimeError("the cockpit did not end")
