"""Ctrl-C, safely: the first one asks, the second one is obeyed at once."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from onmal.run_report.events import Reporter

__all__ = ["stops_at_interrupt"]


@contextmanager
def stops_at_interrupt(ask: Callable[[], None], report: Reporter) -> Iterator[None]:
    """The first Ctrl-C, TERM, or HUP of a terminal that goes asks the trainer to stop and save; a second one is obeyed at once.

    nohup has HUP ignored, and so it stays.
    """

    def stop(number: int, frame: object) -> None:
        ask()
        put_back()
        with suppress(RuntimeError):  # a line is being written at this very moment
            report.note("stopping after this update, and saving ...")

    def put_back() -> None:
        for kind, handler in before.items():
            signal.signal(kind, handler)

    if threading.current_thread() is not threading.main_thread():  # whoever runs the thread stops it
        yield
        return
    kinds = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        kinds.append(signal.SIGHUP)
    before = {kind: signal.signal(kind, stop) for kind in kinds}
    try:
        yield
    finally:
        put_back()
