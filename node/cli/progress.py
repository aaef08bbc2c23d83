"""A bar of rows, for commands that work through a database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def show_rows(text: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar of rows on standard error once there is something to show."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(text, total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)
