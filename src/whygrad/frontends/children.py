"""Counts the Python programs that a program starts and that are not watched, so that the report can say that there were some."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from multiprocessing.process import BaseProcess
from typing import Any

LAUNCHERS = ("python", "torchrun", "accelerate", "deepspeed", "mpirun", "horovodrun")
"""How commands that start Python programs begin."""
LOADERS = ("torch.utils.data", "keras.src.utils", "tensorflow.python", "grain.")
"""Modules whose worker processes load data and train nothing."""


@dataclass(slots=True)
class Children:
    """Listens to `multiprocessing` and `subprocess` while the program runs."""

    started: int = 0
    undo: list[Callable[[], None]] = field(default_factory=list)

    def install(self) -> None:
        """Begin to count."""
        self._before(BaseProcess, "start", _trains)
        self._before(subprocess.Popen, "__init__", _is_python)

    def remove(self) -> None:
        """Stop counting."""
        while self.undo:
            self.undo.pop()()

    def limits(self) -> tuple[str, ...]:
        """What the report says of them."""
        if not self.started:
            return ()
        what = "1 child process was started and is" if self.started == 1 else f"{self.started} child processes were started and are"
        return (f"{what} not watched: this report is about the first process alone",)

    def _before(self, owner: Any, name: str, counts: Callable[..., bool]) -> None:
        original = getattr(owner, name)

        @wraps(original)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            self.started += _quietly(counts, *args, **kwargs)
            return original(*args, **kwargs)

        setattr(owner, name, wrapper)
        self.undo.append(lambda: setattr(owner, name, original))


def _quietly(counts: Callable[..., bool], *args: Any, **kwargs: Any) -> bool:
    """The answer, or False: nothing here may stop the program."""
    try:
        return counts(*args, **kwargs)
    except Exception:  # noqa: BLE001 - the program must not notice
        return False


def _trains(process: Any) -> bool:
    module = getattr(getattr(process, "_target", None), "__module__", "") or ""
    return not process.daemon or not module.startswith(LOADERS)


def _is_python(_: object, args: Any = (), *__: object, **___: object) -> bool:
    words = args.split() if isinstance(args, str) else [os.fspath(word) for word in args]
    name = os.path.basename(str(words[0])) if words else ""  # noqa: PTH119 - whatever text the program gave
    return name.startswith(LAUNCHERS) or str(words[0] if words else "") == sys.executable
