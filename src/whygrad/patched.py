"""A program that runs with patched sources, and whose writes are kept: what `whygrad fix` asks of the process that it starts.

Both are asked for by environment variables, so that the program's own arguments stay as they are. Patched text is compiled under the file's own
path: `__file__`, neighbours, tracebacks and `inspect` see what they would see if the file on the disk had been changed.
"""

import contextlib
import hashlib
import io
import json
import linecache
import os
import random
import shutil
import sys
from collections.abc import Mapping, Sequence
from functools import cache, wraps
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from multiprocessing import util
from pathlib import Path
from types import ModuleType
from typing import Any

PATCHED = "WHYGRAD_PATCHED"
"""Names a JSON file: absolute path of each patched source to its text."""
KEPT = "WHYGRAD_KEPT"
"""Names a folder: whatever the program is about to overwrite, rename or remove is copied there first, with a journal of what was written."""
TRAJECTORY = "WHYGRAD_TRAJECTORY"
"""Names a folder: there the parameters are kept at a few moments of the run."""
FOLLOW = "WHYGRAD_FOLLOW"
"""Names such folders of other runs, with the path separator between: the first recorded step's loss is looked at with what they hold."""
FOLLOW_FROM = "WHYGRAD_FOLLOW_FROM"
"""The number of the step from which on that is done."""
JOURNAL = "journal"
SEED = 0
"""Where random numbers begin that the program does not seed itself."""
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
WRITE = "whygrad.write"
"""The audit event for a file that is written past Python."""
_CHANGES = {
    WRITE: (0,),
    "os.remove": (0,),
    "os.truncate": (0,),
    "os.mkdir": (0,),
    "os.rmdir": (0,),
    "os.rename": (0, 1),
    "os.link": (1,),
    "os.symlink": (1,),
}
"""Audit events to which of their details name what is changed."""
CACHE = "__pycache__"
_NOT_FILES = ("/dev/", "/proc/", "/sys/")


@cache
def patched_sources() -> Mapping[str, str]:
    """Absolute path to text; empty for a program that runs as it stands."""
    name = os.environ.get(PATCHED)
    found: dict[str, str] = json.loads(Path(name).read_text(encoding="utf-8")) if name else {}
    return found


def patched_source(path: str) -> bytes | None:
    """The text in the place of a file, in UTF-8; None for a file that is not patched. Known to `linecache` from now on."""
    text = patched_sources().get(os.path.abspath(path))  # noqa: PTH100 - links stay as the user has them
    if text is None:
        return None
    linecache.cache[path] = (len(text), None, text.splitlines(keepends=True), path)
    return text.encode()


class PatchedLoader(SourceFileLoader):
    """Loads a module from patched text, without bytecode in the cache, which belongs to the file on the disk."""

    def get_data(self, path: str) -> bytes:
        """The patched text, or what the file holds."""
        source = patched_source(path)
        return super().get_data(path) if source is None else source

    def path_stats(self, path: str) -> Mapping[str, float]:
        """No time and no size, by which the machinery leaves the cache alone."""
        raise OSError(path)


class PatchedFinder:
    """Finds modules whose source is patched, before Python's own finders do."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The spec of a patched module; None for any other."""
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.origin is None or os.path.abspath(spec.origin) not in patched_sources():  # noqa: PTH100
            return None
        spec.loader = PatchedLoader(name, spec.origin)
        spec.cached = None
        return spec


def trajectory() -> str:
    """The folder for this run's own parameters; "" for a program that was started by hand."""
    return os.environ.get(TRAJECTORY, "")


def to_follow() -> tuple[str, ...]:
    """Folders with the parameters of other runs."""
    return tuple(folder for folder in os.environ.get(FOLLOW, "").split(os.pathsep) if folder)


def follow_from() -> int:
    """The first step whose loss is looked at with those."""
    return int(os.environ.get(FOLLOW_FROM) or 0)


def prepare_process() -> None:
    """Put in place what the environment asks for; nothing, for a program that was started by hand."""
    if patched_sources():
        sys.meta_path.insert(0, PatchedFinder)
        _keep_lines()
    if patched_sources() or os.environ.get(KEPT):
        _prepare_children()
    folder = os.environ.get(KEPT)
    if folder:
        _keep_in(Path(folder))
        _seed_what_is_there()


def _keep_lines() -> None:
    """Whoever lets the lines of a file be read anew, as TensorFlow does before it compiles a function from its source, gets the patched ones."""
    really = linecache.updatecache

    def updatecache(filename: str, module_globals: dict[str, Any] | None = None) -> list[str]:
        source = patched_source(filename)
        return really(filename, module_globals) if source is None else source.decode().splitlines(keepends=True)

    linecache.updatecache = updatecache


def _prepare_children() -> None:
    """Processes that `multiprocessing` starts anew read the patched sources too, and what they write is kept."""
    really = util.spawnv_passfds

    def prepared(path: Any, args: Sequence[Any], passed: Any) -> int:
        return really(path, [_prepared(word) for word in args], passed)

    setattr(util, "spawnv_passfds", prepared)  # noqa: B010 - its types are narrower than what is passed on


def _prepared(word: Any) -> Any:
    """The command of a worker, or of the server that forks workers, with what it has to do first."""
    begins = isinstance(word, str) and word.startswith(("from multiprocessing.spawn ", "from multiprocessing.forkserver "))
    return f"from whygrad.patched import prepare_child; prepare_child(); {word}" if begins else word


def prepare_child() -> None:
    """In a process that the program has started: the main file is read again there, as code and not as a module."""
    prepare_process()
    really = io.open_code

    def open_code(path: str) -> Any:
        source = patched_source(path)
        return really(path) if source is None else io.BytesIO(source)

    setattr(io, "open_code", open_code)  # noqa: B010 - a function for a builtin, which a type checker would not have


def _seed_what_is_there() -> None:
    """A program that sets no seed draws the same numbers in all runs that are compared; one that does is left as it is."""
    random.seed(SEED)
    with contextlib.suppress(ImportError):
        import_module("numpy.random").seed(SEED)


def seed_framework(framework: str) -> None:
    """The same for a framework that has just been imported."""
    module = sys.modules.get(framework)
    if os.environ.get(KEPT) and module is not None:
        seeding = getattr(module, "manual_seed", None) or getattr(getattr(module, "random", None), "set_seed", None)
        if seeding is not None:
            seeding(SEED)


def _keep_in(folder: Path) -> None:
    """Copy what is about to be written over; one that can't be copied is noted as such."""
    journal = os.open(folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    ours = (*_NOT_FILES, f"{folder}/", f"{os.path.dirname(os.environ.get(PATCHED, '')) or folder}/")  # noqa: PTH120
    seen: set[str] = set()

    def before_change(name: object) -> None:
        if not isinstance(name, str | bytes | os.PathLike):
            return
        path = os.path.abspath(os.fsdecode(name))  # noqa: PTH100 - what is written is named as the program names it
        # Python's own caches are nobody's work: valid for the files on the disk, and shared with other runs
        if path in seen or path.startswith(ours) or CACHE in Path(path).parts:
            return
        seen.add(path)
        os.write(journal, (json.dumps([path, _copied(path, folder)]) + "\n").encode())

    def watch(event: str, details: tuple[Any, ...]) -> None:
        if event in _CHANGES:
            for at in _CHANGES[event]:
                before_change(details[at])
        elif event == "open" and isinstance(details[2], int) and details[2] & _WRITES:
            before_change(details[0])

    sys.addaudithook(watch)


def announce_writes(framework: str) -> None:
    """PyTorch writes checkpoints past Python, which no audit event tells: here it does, where writes are kept."""
    module = sys.modules.get(framework)
    save = getattr(module, "save", None)
    if framework != "torch" or save is None or not os.environ.get(KEPT):
        return

    @wraps(save)
    def announced(*given: Any, **named: Any) -> Any:
        sys.audit(WRITE, given[1] if len(given) > 1 else named.get("f"))
        return save(*given, **named)

    setattr(module, "save", announced)  # noqa: B010 - a module has no such attribute for a type checker


def _copied(path: str, folder: Path) -> str | None:
    """Where the copy lies; "" for what can't be copied or is no file; None for what does not exist yet."""
    if not os.path.lexists(path):
        return None
    if not os.path.isfile(path):  # noqa: PTH113
        return ""
    copy = folder / hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    if copy.exists():
        return str(copy)  # another process of the program has kept it, as it was before
    with contextlib.suppress(OSError):
        shutil.copy2(path, copy)
        return str(copy)
    return ""


def put_back(folder: Path) -> tuple[str, ...]:
    """Undo what a program wrote, after the journal in `folder`; returns the paths that could not be put back."""
    journal = folder / JOURNAL
    lines = journal.read_text(encoding="utf-8").splitlines() if journal.exists() else []
    entries: dict[str, str | None] = {}
    for path, copy in map(json.loads, lines):
        entries.setdefault(path, copy)  # the first process that was about to change it saw it as it was
    left = [path for path, copy in reversed(entries.items()) if not _put_back(path, copy)]
    journal.unlink(missing_ok=True)
    return tuple(left)


def _put_back(path: str, copy: str | None) -> bool:
    try:
        if copy:
            shutil.move(copy, path)
        elif copy is None and os.path.isdir(path) and not os.path.islink(path):  # noqa: PTH112, PTH114
            os.rmdir(path)  # noqa: PTH106
        elif copy is None and os.path.lexists(path):
            os.unlink(path)  # noqa: PTH108
    except OSError:
        return False
    return copy != "" or os.path.isdir(path)  # noqa: PTH112
