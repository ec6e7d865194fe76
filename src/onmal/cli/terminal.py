"""What the commands show besides their results: tables, notes and progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table

__all__ = ["INTERRUPTED", "note", "progress", "show", "table"]

INTERRUPTED = 130
"""The exit status that a shell reports of a program that Ctrl-C ended."""

_QUIET = 2.0  # seconds that need no bar


def note(text: str) -> None:
    """A line on standard error."""
    print(text, file=sys.stderr, flush=True)


def table(*columns: str, numbers: int = 0) -> Table:
    """An empty table; its last `numbers` columns are aligned to the right."""
    from rich import box
    from rich.table import Table

    empty = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for position, name in enumerate(columns):
        right = position >= len(columns) - numbers
        empty.add_column(name, justify="right" if right else "left", overflow="fold")
    return empty


def show(*parts: RenderableType) -> None:
    """Prints lines and tables to standard output, a blank line after each table; no text is taken for markup."""
    from rich.console import Console

    console = Console(file=sys.stdout, markup=False, highlight=False, emoji=False)
    for part in parts:
        if isinstance(part, str):
            console.print(part, soft_wrap=True)
        else:
            console.print(part, "")


@contextmanager
def progress(total: int, doing: str) -> Iterator[Callable[[int], None]]:
    """Shows on standard error how far something is, in a terminal and once it takes more than two seconds.

    Yields a function that is told how many of `total` are done; a total of 0 shows nothing.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not total or not console.is_interactive:
        yield lambda done: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=console, transient=True, redirect_stdout=False)
    task = bar.add_task(doing, total=total)
    start = Timer(_QUIET, bar.start)
    start.daemon = True
    start.start()
    try:
        yield lambda done: bar.update(task, completed=done)
    finally:
        start.cancel()
        start.join()
        bar.stop()
