"""Running the user's program as `python SCRIPT` or `python -m MODULE` would, in this process."""

import builtins
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader, SourcelessFileLoader
from importlib.util import decode_source, find_spec
from types import CodeType, ModuleType
from typing import Any

from whygrad.errors import WhygradError
from whygrad.patched import patched_source
from whygrad.tracebacks import without_our_frames


class Stop(BaseException):
    """Ends the user's program early (`check`). No `except Exception` of the user's catches it; `finally` blocks run."""


@dataclass(frozen=True, slots=True)
class Target:
    """What the user asked to run."""

    name: str
    """A path, or a dotted module name."""
    arguments: tuple[str, ...] = ()
    module: bool = False


@dataclass(frozen=True, slots=True)
class Located:
    """Code, and the names that Python gives to `__main__` around it."""

    code: CodeType
    argv0: str
    names: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Program:
    """A program that was found and can be started."""

    target: Target
    path0: str
    """What Python would put first on `sys.path`."""
    locate: Callable[[], Located]
    """Find the code: for modules and folders this may import the packages above, which is user code already."""
    bundle: bool = False
    """A folder or an archive."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How the program ended, before any of it was told to the user."""

    status: int = 0
    problem: BaseException | None = None
    """What ended it and was not caught: never a `SystemExit` with a number, never a `Stop`."""
    stopped: bool = False

    @property
    def interrupted(self) -> bool:
        """It ended by Ctrl-C."""
        return isinstance(self.problem, KeyboardInterrupt)


class MissingModuleError(Exception):
    """A module that turned out to be missing once its packages were imported; Python says so in one line and ends with 1."""


def prepare(target: Target) -> Program:
    """Find the program without running any of it; raises `WhygradError` if there is none, `SyntaxError` as Python would."""
    if target.module:
        return _module(target)
    if not os.path.exists(target.name):  # noqa: PTH110 - the path is handed on as the user wrote it
        raise WhygradError(f"there is no file `{target.name}`", help=_nearest_file(target.name))
    if os.path.isdir(target.name):  # noqa: PTH112
        return _bundle(target)
    importer = _importer(target.name)
    return _bundle(target) if importer is not None else _script(target)


def run(program: Program) -> Ended:
    """Run it as `__main__`. Nothing is printed; `sys.argv`, `sys.path` and `__main__` stay the program's, for its `atexit` handlers."""
    sys.argv[:] = ["-m" if program.target.module else program.target.name, *program.target.arguments]
    if not sys.flags.safe_path:
        sys.path[0] = program.path0
    elif program.bundle:
        sys.path.insert(0, program.path0)
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __annotations__={})
    sys.modules["__main__"] = main
    if "__mp_main__" in sys.modules:  # set by multiprocessing, which we have imported already, for what spawned processes send back
        sys.modules["__mp_main__"] = main
    return _ending(program, main)


def _ending(program: Program, main: ModuleType) -> Ended:
    try:
        found = program.locate()
        sys.argv[0] = found.argv0
        main.__dict__.update(found.names)
        exec(found.code, main.__dict__)
    except SystemExit as end:
        return _exited(end)
    except Stop:
        return Ended(stopped=True)
    except MissingModuleError as problem:
        return Ended(1, problem)
    except KeyboardInterrupt as problem:
        return Ended(130, without_our_frames(problem))
    except BaseException as problem:  # noqa: BLE001 - whatever it is, Python would print it and end with 1
        return Ended(1, without_our_frames(problem))
    return Ended()


def _exited(end: SystemExit) -> Ended:
    """The status that Python makes of `SystemExit`; what is neither a number nor None is kept, to be printed."""
    code = end.code
    if code is None:
        return Ended(0)
    return Ended(code & 0xFF) if isinstance(code, int) else Ended(1, end)


def tell(ended: Ended) -> int:
    """Print what Python would print at this end, through the user's `sys.excepthook`; returns the exit status."""
    problem = ended.problem
    if problem is None:
        return ended.status
    if isinstance(problem, SystemExit | MissingModuleError):
        _say(problem.code if isinstance(problem, SystemExit) else f"{sys.executable}: {problem}")
        return ended.status
    sys.last_type, sys.last_value, sys.last_traceback = type(problem), problem, problem.__traceback__
    try:
        sys.excepthook(type(problem), problem, problem.__traceback__)
    except SystemExit as end:
        return _exited(end).status
    except BaseException as other:  # noqa: BLE001 - a broken hook of the user's: Python shows both
        _say("Error in sys.excepthook:")
        sys.__excepthook__(type(other), other, without_our_frames(other).__traceback__)
        _say("\nOriginal exception was:")
        sys.__excepthook__(type(problem), problem, problem.__traceback__)
    return ended.status


def _say(words: object) -> None:
    """Print on stderr as Python itself does: nowhere, if the program has closed it."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{words}\n")


def _nearest_file(name: str) -> str:
    folder = os.path.dirname(name) or "."  # noqa: PTH120
    here = os.listdir(folder) if os.path.isdir(folder) else []  # noqa: PTH112, PTH208
    near = get_close_matches(os.path.basename(name), [file for file in here if file.endswith(".py")], 1)  # noqa: PTH119
    if near:
        return f"did you mean `{os.path.join(os.path.dirname(name), near[0])}`?"  # noqa: PTH118, PTH120
    return "give the path of the program, as for `python`; for a module write `-m package.module`"


def _importer(path: str) -> Any:
    """The importer of a zip file or another archive; None for a plain file."""
    for hook in sys.path_hooks:
        try:
            return hook(path)
        except ImportError:
            continue
    return None


def _script(target: Target) -> Program:
    path = os.path.join(os.getcwd(), target.name)  # noqa: PTH118, PTH109 - Python does not tidy the path either
    loader = (SourcelessFileLoader if path.endswith(".pyc") else SourceFileLoader)("__main__", path)
    code = _compiled(target.name, path)
    names = {
        "__name__": "__main__",
        "__doc__": None,
        "__package__": None,
        "__loader__": loader,
        "__spec__": None,
        "__file__": path,
        "__cached__": None,
    }
    folder = os.path.dirname(os.path.realpath(target.name))  # noqa: PTH120
    return Program(target, folder, lambda: Located(code, target.name, names))


def _compiled(name: str, path: str) -> CodeType:
    content = patched_source(path) or _read(name, path)
    if path.endswith(".pyc"):
        return _bytecode(name, path)
    if b"\0" in content:
        raise _not_python(name, "it holds binary data")
    if not content.isascii() and _undecodable(content):
        raise _not_python(name, "it is not text in the encoding that it declares")
    return compile(content, path, "exec", dont_inherit=True)


def _read(name: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read()
    except OSError as problem:
        raise WhygradError(f"`{name}` can't be read: {problem.strerror}", help="check the path and its permissions") from None


def _undecodable(content: bytes) -> bool:
    try:
        decode_source(content)
    except (SyntaxError, UnicodeDecodeError):
        return True
    return False


def _bytecode(name: str, path: str) -> CodeType:
    try:
        code = SourcelessFileLoader("__main__", path).get_code("__main__")
    except (ImportError, EOFError, ValueError):
        code = None
    if code is None:
        raise _not_python(name, "it is not bytecode of this Python version")
    return code


def _not_python(name: str, why: str) -> WhygradError:
    return WhygradError(f"`{name}` is not a Python program: {why}", help="give the training script, as for `python`")


def _bundle(target: Target) -> Program:
    """A folder or a zip file with a `__main__.py`, which Python runs with the folder first on `sys.path`."""
    path = os.path.join(os.getcwd(), target.name)  # noqa: PTH118, PTH109 - Python does not tidy the path either
    spec = PathFinder.find_spec("__main__", [path])
    if spec is None or spec.loader is None:
        what = "folder" if os.path.isdir(path) else "archive"  # noqa: PTH112
        raise WhygradError(
            f"the {what} `{target.name}` has no `__main__.py`", help="give the script inside it, or `-m` and the package's name"
        )
    return Program(target, path, lambda: _from_spec(spec, target.name), bundle=True)


def _module(target: Target) -> Program:
    top = target.name.partition(".")[0]
    if not target.name or target.name.startswith(".") or "/" in target.name or os.sep in target.name:
        raise WhygradError(f"`{target.name}` is no module name", help="write it as for `python -m`: `package.module`, without `.py`")
    folder = os.getcwd()  # noqa: PTH109
    if top not in sys.modules and PathFinder.find_spec(top, [folder, *sys.path[1:]]) is None and find_spec(top) is None:
        written = os.path.exists(target.name)  # noqa: PTH110
        ending = f"did you mean `{target.name}` without `-m`?" if written else "run it from the folder that holds the package"
        raise WhygradError(f"no module is called `{top}`", help=ending)
    return Program(target, folder, lambda: _from_spec(_module_spec(target.name), None))


def _module_spec(name: str) -> ModuleSpec:
    """The spec of a module to run, or of its `__main__` if it is a package; imports the packages above it."""
    _import_above(name)
    try:
        spec = find_spec(name)
    except (ImportError, AttributeError, TypeError, ValueError) as problem:
        hint = f". Try using '{name[:-3]}' instead of '{name}' as the module name." if name.endswith(".py") else ""
        raise MissingModuleError(
            f"Error while finding module specification for {name!r} ({type(problem).__name__}: {problem}){hint}"
        ) from problem
    if spec is None:
        raise MissingModuleError(f"No module named {name}")
    if spec.submodule_search_locations is not None:
        if name.endswith("__main__"):
            raise MissingModuleError("Cannot use package as __main__ module")
        _import_above(f"{name}.__main__")
        inner = find_spec(f"{name}.__main__")
        if inner is None:
            raise MissingModuleError(f"No module named {name}.__main__; {name!r} is a package and cannot be directly executed")
        return inner
    return spec


def _import_above(name: str) -> None:
    """Import the packages above a module, so that a mistake inside them is shown as it is and only their absence is left to the search."""
    above = name.rpartition(".")[0]
    try:
        if above:
            __import__(above)  # unlike `import_module` it leaves no frames in a traceback
    except ImportError as problem:
        if problem.name is None or (problem.name != above and not above.startswith(problem.name + ".")):
            raise


def _from_spec(spec: ModuleSpec, argv0: str | None) -> Located:
    get_code = getattr(spec.loader, "get_code", None)
    code = get_code(spec.name) if get_code else None
    if code is None:
        raise MissingModuleError(f"No code object available for {spec.name}")
    names = {
        "__name__": "__main__", "__doc__": None, "__package__": spec.parent, "__loader__": spec.loader, "__spec__": spec,
        "__file__": spec.origin, "__cached__": spec.cached,
    }  # fmt: skip
    return Located(code, argv0 if argv0 is not None else str(spec.origin), names)
