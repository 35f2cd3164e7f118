"""Runs small programs under `whygrad run`, each in a forked child of one process that has imported their framework once.

Requests are lines of JSON on stdin, `{"program": path, "arguments": [...], "whygrad": [...]}`, the last with the options of `whygrad run` or null for plain Python; each is answered by one line on stdout with what the child ended with and
printed. A child has its own `__main__`, arguments, folder and streams, as the command has; that the framework is imported already is what whygrad
meets in notebooks as well (`tests/rules/test_programs.py` compares one report with that of the command itself).
"""

import gc
import importlib
import json
import os
import runpy
import signal
import subprocess
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO

WIDTH = 100
"""Columns of the reports."""
PATIENCE = 240
"""Seconds that a program may take on a machine that is busy with other things."""


IMPORTED = {
    "torch": ("numpy", "torch._dynamo"),  # the first optimizer imports the second
    "tensorflow": ("tensorflow", "keras"),
    "jax": ("jax.numpy", "optax", "flax.nnx", "flax.linen"),
}
"""What the programs of a framework import; none of it starts a thread or a device before it is used."""


def keep_compilations() -> None:
    """Two thirds of the time of a small JAX program is compilation, and the tests run many alike: JAX keeps what it compiled from one process to the next."""
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(Path(__file__).parents[1] / ".jax_cache"))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


class Pool:
    """The process with a framework in it, seen from the tests."""

    def __init__(self, framework: str = "torch") -> None:
        sources = Path(__file__).parents[1] / "src"
        kept = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "TERM", "RANK", "WORLD_SIZE")}
        environment = {
            **kept, "PYTHONPATH": str(sources), "PYTHONIOENCODING": "utf-8", "COLUMNS": str(WIDTH), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TF_CPP_MIN_LOG_LEVEL": "2",
            "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # most of the time of a small JAX program is compilation
        }  # fmt: skip
        self.process = subprocess.Popen(
            [sys.executable, __file__, framework],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=environment,
        )

    def run(self, program: Path, report: Path, *options: str, arguments: Sequence[str] = ()) -> dict[str, Any]:
        """Exit status, stdout and stderr of a program; the JSON report is written to `report`."""
        return self._answer({"program": str(program), "arguments": arguments, "whygrad": ["--json", str(report), *options]})

    def plain(self, program: Path, *arguments: str) -> dict[str, Any]:
        """The same without whygrad."""
        return self._answer({"program": str(program), "arguments": arguments, "whygrad": None})

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(PATIENCE)
        self.process.stdout.close()


class Pools(dict[str, Pool]):
    """A process for each framework that is asked for."""

    def __missing__(self, framework: str) -> Pool:
        self[framework] = Pool(framework)
        return self[framework]

    def close(self) -> None:
        """End them."""
        for pool in self.values():
            pool.close()


def serve(framework: str) -> None:
    """Answer requests until stdin ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    import_all(framework)
    for line in sys.stdin:
        request = json.loads(line)
        answers.write(json.dumps(forked(Path(request["program"]), request["arguments"], request["whygrad"])) + "\n")
        answers.flush()


def import_all(framework: str) -> None:
    """Everything that takes time to import and that each child would import in turn."""
    for module in (*IMPORTED[framework], "whygrad.cli", "whygrad.reports.terminal", "whygrad.session", "whygrad.fixes.patching"):
        importlib.import_module(module)
    for name in IMPORTED:
        if name in sys.modules:  # TensorFlow imports JAX where it is installed
            importlib.import_module(f"whygrad.frontends.{name}")
    importlib.import_module("whygrad.rules").load_rules()
    gc.collect()
    gc.freeze()  # what is shared stays shared: a search for garbage would write to all of it in every child


def forked(program: Path, arguments: list[str], options: list[str] | None) -> dict[str, Any]:
    """The child's end."""
    with TemporaryFile() as out, TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            in_child(program, arguments, options, out, err)
        _, ended = os.waitpid(child, 0)
        return {"status": os.waitstatus_to_exitcode(ended), "stdout": written(out), "stderr": written(err)}


def written(file: BinaryIO) -> str:
    """What a child wrote."""
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def in_child(program: Path, arguments: list[str], options: list[str] | None, out: BinaryIO, err: BinaryIO) -> None:
    """Become `python PROGRAM` or `whygrad run PROGRAM` in the program's folder; never returns."""
    status = 70
    try:
        signal.alarm(PATIENCE)
        os.chdir(program.parent)
        for number, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, out.fileno()), (2, err.fileno())):
            os.dup2(file, number)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))
        status = run_plain(program, arguments) if options is None else run_watched(program, arguments, options)
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def run_plain(program: Path, arguments: list[str]) -> int:
    """As `python PROGRAM`."""
    sys.argv, sys.path[0] = [program.name, *arguments], str(program.parent)
    runpy.run_path(program.name, run_name="__main__")
    return 0


def run_watched(program: Path, arguments: list[str], options: list[str]) -> int:
    """As `whygrad run PROGRAM`."""
    sys.argv = ["whygrad", "run", *options, program.name, *arguments]
    from whygrad.cli import main

    return main()


if __name__ == "__main__":
    serve(sys.argv[1])
