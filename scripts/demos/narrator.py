"""Telling a demonstration in plain words: steps, progress, tables, and one last line.

On a terminal the steps come with bars and colours; elsewhere (a log, a pipe) with one line each, so
that the same run reads well in both places. Every step says what happens before it happens, and
what came of it afterwards, with the time that it took.
"""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table

_PLAIN_WIDTH: Final = 140


@dataclass(slots=True)
class Step:
    """A step under way; ``advance`` moves its bar."""

    progress: Progress | None
    task: TaskID | None

    def advance(self, count: int = 1) -> None:
        """Note that so many more are done."""
        if self.progress is not None and self.task is not None:
            self.progress.advance(self.task, count)


class Narrator:
    """Speaks for the demonstration."""

    def __init__(self, console: Console | None = None, *, name: str = "demo") -> None:
        """Speak to standard output, or to the given console; ``name`` begins the last line."""
        width = None if sys.stdout.isatty() else _PLAIN_WIDTH
        self._console = console or Console(highlight=False, soft_wrap=True, width=width)
        self._name = name
        self._number = 0
        self.words: Sequence[tuple[str, str]] = ()
        """What to say in place of what, such as where nothing is final."""
        self._started = time.monotonic()
        self.timings: list[tuple[str, float]] = []
        """Every step with the seconds that it took."""

    @contextmanager
    def step(self, title: str, *, total: int | None = None) -> Iterator[Step]:
        """Announce a step, show its progress, and say how long it took."""
        self._number += 1
        title = self._reword(title)
        started = time.monotonic()
        self._console.print(f"\n[bold cyan]{self._number:>2}. {escape(title)}[/]")
        if self._console.is_terminal:
            bar = () if total is None else (BarColumn(), MofNCompleteColumn())
            columns = (TextColumn("   "), SpinnerColumn(), *bar, TimeElapsedColumn())
            with Progress(*columns, console=self._console, transient=True) as progress:
                yield Step(progress, progress.add_task("", total=total))
        else:
            yield Step(None, None)
        duration_s = time.monotonic() - started
        self.timings.append((title, duration_s))
        self._console.print(f"    [dim]({duration_s:.1f} s)[/]")

    def say(self, text: str) -> None:
        """Say a sentence."""
        self._console.print(f"    {escape(self._reword(text))}")

    def confirm(self, text: str) -> None:
        """Say that something came out as it should."""
        self._console.print(f"    [green]✓[/] {escape(self._reword(text))}")

    def show(self, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table."""
        table = Table(*map(self._reword, columns), box=None, pad_edge=False, header_style="bold")
        for row in rows:
            table.add_row(*(escape(cell) for cell in row))
        self._console.print(Padding(table, (0, 0, 0, 4), expand=False), soft_wrap=False)

    def _reword(self, text: str) -> str:
        for said, instead in self.words:
            text = text.replace(said, instead)
        return text

    def finish(self, failure: str | None) -> None:
        """Say the last line, such as ``demo: ok`` or ``demo: failed: <reason>``."""
        self._console.print(f"\n    [dim]{time.monotonic() - self._started:.0f} s in all[/]")
        if failure is None:
            self._console.print(f"[bold green]{self._name}: ok[/]")
        else:
            reason = " ".join(failure.split())
            self._console.print(f"[bold red]{self._name}: failed:[/] {escape(reason)}")
        sys.stdout.flush()
