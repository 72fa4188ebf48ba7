"""A pseudo-terminal for the program's stderr: what a user sees, and when to press Ctrl-C."""
import errno
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios

import program


def read_parts(terminal):
    """Yields the output in parts until the other end is closed."""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError as error:  # Linux reports a closed other end as an error
            if error.errno != errno.EIO:
                raise
            return
        if not part:
            return
        yield part


def run_in_terminal(case, columns, *args, status=0, stdout=subprocess.DEVNULL, stop_after=None, **env):
    """Output on a terminal of this width, connected to the program's stderr; sends Ctrl-C once it matches
    `stop_after`."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    env = {key: value for key, value in {**os.environ, "TERM": "xterm", **env}.items() if value is not None}
    child = subprocess.Popen([program.PROGRAM, *args], cwd=case.dir, env=env, stdin=subprocess.DEVNULL, stdout=stdout,
                             stderr=theirs)
    os.close(theirs)
    seen = b""
    for part in read_parts(ours):
        seen += part
        if stop_after and re.search(stop_after, seen.decode(errors="replace"), re.DOTALL):
            child.send_signal(signal.SIGINT)
            stop_after = None
    os.close(ours)
    case.assertEqual(child.wait(), status, seen.decode())
    return seen.decode()
