"""Starting programs as a terminal would."""

from __future__ import annotations

import signal


def heeds_ctrl_c() -> None:
    """For ``preexec_fn``: a shell starts what runs in the background deaf to SIGINT, and so its
    children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
