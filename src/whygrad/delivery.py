"""Where reports go: output files probed before the program runs, and written when it has ended."""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from whygrad.errors import WhygradError
from whygrad.settings import Settings


@dataclass(frozen=True, slots=True)
class Outputs:
    """Absolute paths, so that a program which changes its folder changes nothing; None for what was not asked for."""

    json: Path | None = None
    record: Path | None = None
    html: Path | None = None
    sarif: Path | None = None
    junit: Path | None = None
    baseline: Path | None = None
    """The baseline to write anew, where that was asked for."""
    rank: int = 0
    """Number of this process in a distributed job; only rank 0 prints."""


def outputs_for(settings: Settings) -> Outputs:
    """The files to write; raises `WhygradError` for one that can't be written."""
    rank = _rank()
    names = ("json", "record", "html", "sarif", "junit")
    asked = {f"--{name}": str(getattr(settings, name)) for name in names}
    places = {option: _place(option, name, rank) for option, name in asked.items()}
    _without_clash(asked, places)
    found = {option.removeprefix("--"): path for option, path in places.items()}
    return Outputs(**found, baseline=_baseline(settings, rank), rank=rank)


def _without_clash(asked: Mapping[str, str], places: Mapping[str, Path | None]) -> None:
    """Raises `WhygradError` where two options name one file."""
    taken: dict[Path, str] = {}
    for option, path in places.items():
        if path is not None and path in taken:
            raise WhygradError(f"`{taken[path]}` and `{option}` both name `{asked[option]}`", help="give each its own file")
        if path is not None:
            taken[path] = option


def _baseline(settings: Settings, rank: int) -> Path | None:
    if not settings.update_baseline:
        return None
    if not settings.baseline:
        raise WhygradError("`--update-baseline` needs to know the file", help="name it with `--baseline FILE`")
    return None if rank else _place("--baseline", settings.baseline, rank)


def _rank() -> int:
    """The rank that torchrun and its like give; 0 outside of them."""
    rank = os.environ.get("RANK", "0")
    several = os.environ.get("WORLD_SIZE", "1") != "1"
    return int(rank) if several and rank.isdecimal() else 0


def _place(option: str, name: str, rank: int) -> Path | None:
    if not name:
        return None
    path = Path.cwd() / (f"{name}.rank{rank}" if rank else name)
    problem = unwritable(path)
    if problem:
        raise WhygradError(
            f"{option} `{name}` can't be written: {problem}", help="give a file in a folder that exists and that you may write to"
        )
    return path


def unwritable(path: Path) -> str:
    """Why a file can't be written; tried in earnest, since permissions alone don't tell. Leaves no new file behind."""
    if path.is_dir():
        return "it is a folder"
    if not path.parent.is_dir():
        return f"there is no folder `{path.parent}`"
    path = path.resolve()
    new = not path.exists()
    if not new and not path.is_file():
        return "" if os.access(path, os.W_OK) else "no permission"
    try:
        with path.open("ab"):
            pass
        if new:
            path.unlink()
    except (OSError, ValueError) as problem:
        return getattr(problem, "strerror", None) or str(problem)
    return "" if os.access(path.parent, os.W_OK) else "its folder is write-protected"


def write_text(path: Path, text: str) -> None:
    """Write the file as a whole or leave what was there; straight into pipes and devices. Raises `OSError`."""
    content = text.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return
    path = path.resolve()  # a link stays one
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def telling(what: str) -> Iterator[None]:
    """A file that can't be written to its end, as on a full disk, is told in a sentence; raises `WhygradError`."""
    try:
        yield
    except OSError as problem:
        raise WhygradError(
            f"{what} can't be written: {problem.strerror or problem}", help="make room there, or give a file in another folder"
        ) from None


@dataclass(frozen=True, slots=True)
class Screen:
    """The terminal, or whatever stderr is, as the report has to fit it."""

    stream: TextIO | None
    width: int
    color: bool
    unicode: bool
    terminal: bool = False

    def print(self, text: str) -> None:
        """Print, whatever the stream can hold; a reader that has gone away is no fault of anyone's."""
        if self.stream is None:
            return
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        try:
            self.stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
            self.stream.flush()
        except (OSError, ValueError):
            return


WIDTH_PIPED = 120
"""Columns where there is no terminal to ask."""
NARROWEST, WIDEST = 30, 200
"""Columns that a report is fitted into; a command to copy and a place are never broken."""


def screen(stream: TextIO | None) -> Screen:
    """What is known of a stream: `NO_COLOR`, `TERM=dumb`, `COLUMNS` and its encoding are heeded."""
    terminal = _is_terminal(stream)
    dumb = os.environ.get("TERM", "") == "dumb"
    color = terminal and not dumb and not os.environ.get("NO_COLOR")
    encoding = (getattr(stream, "encoding", None) or "ascii").lower().replace("-", "")
    return Screen(stream, _width(stream, terminal=terminal), color, encoding.startswith("utf") and not dumb, terminal)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def _width(stream: TextIO | None, *, terminal: bool) -> int:
    asked = os.environ.get("COLUMNS", "")
    width = int(asked) if asked.isdecimal() and int(asked) > 0 else WIDTH_PIPED
    if terminal and stream is not None and not asked.isdecimal():
        try:
            width = os.get_terminal_size(stream.fileno()).columns or WIDTH_PIPED
        except (OSError, ValueError):
            width = WIDTH_PIPED
    return max(NARROWEST, min(width, WIDEST))


def stderr() -> TextIO | None:
    """Where reports are printed: stderr as it stands before the program runs, which may replace or close its own."""
    return sys.stderr if sys.stderr is not None else sys.__stderr__
