"""`%load_ext whygrad`, then `%%whygrad` above a cell that trains: the report below it, with places as cell and line."""

from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, magics_class
from IPython.display import display

from whygrad.embedded import Embedded
from whygrad.judging import renamed
from whygrad.presenting import Report
from whygrad.settings import Settings


class CellFailed(Exception):  # noqa: N818 - not ours: the cell's own error, which was shown
    """Ends the outer cell as its own error would have ended it; shows nothing, since that error was shown already."""

    def _render_traceback_(self) -> list[str]:
        return []


class Options(ArgumentParser):
    """Options of a magic: a wrong one is told as IPython tells it, and ends no process."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong."""
        raise UsageError(f"%%whygrad: {message}\n{self.format_usage()}")


OPTIONS = Options(prog="%%whygrad", add_help=False)
OPTIONS.add_argument("--steps", type=int, default=2)
OPTIONS.add_argument("--experiments", choices=("off", "default", "all"), default="default")
OPTIONS.add_argument("name", nargs="?", default="")


@magics_class
class Notebook(Magics):
    """The magic of this extension."""

    @cell_magic
    def whygrad(self, line: str, cell: str) -> None:
        """Run the cell, and report below it why the model that it trains learns nothing useful, if that is so.

        `%%whygrad [--steps N] [--experiments {off,default,all}] [NAME]`; NAME is a variable that keeps the report.
        """
        shell: Any = self.shell
        given = OPTIONS.parse_args(line.split())
        embedded = Embedded(Settings(steps=given.steps, experiments=given.experiments), name="this cell", repeatable=False)
        on = embedded.start()
        with numbered(shell):
            outcome = shell.run_cell(f"# %%whygrad\n{cell}")  # the line of the magic counts, as the reader sees it
        problem = outcome.error_in_exec or outcome.error_before_exec
        if on:
            report = in_cells(embedded.finish(problem), shell)
            if given.name:
                shell.user_ns[given.name] = report
            display(report)  # type: ignore[no-untyped-call]  # IPython's has no types
        if problem is not None:
            raise CellFailed


@contextmanager
def numbered(shell: Any) -> Iterator[None]:
    """What runs now is numbered as the cell that the reader sees: some versions of IPython count on before a cell runs, some after."""
    count = shell.execution_count
    shell.execution_count = len(shell.user_ns.get("In", ())) - 1
    try:
        yield
    finally:
        shell.execution_count = count


def in_cells(report: Report, shell: Any) -> Report:
    """The report with places in cells named as the notebook numbers them."""
    return renamed(report, cell_names(shell))


def cell_names(shell: Any) -> Callable[[str], str]:
    """File that IPython compiles a cell as, to `cell [3]`; any other name stays."""

    def name(file: str) -> str:
        found = shell.compile.format_code_name(file)
        return f"cell {found[1].removeprefix('In')}" if found is not None and found[0] == "Cell" else file

    return name


def load(shell: Any) -> None:
    """What `%load_ext whygrad` does."""
    shell.register_magics(Notebook)
