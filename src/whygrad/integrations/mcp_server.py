"""whygrad for coding assistants: a server of the Model Context Protocol over stdin and stdout. It runs only programs below one folder."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from anyio import to_thread
from mcp.server import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from typing_extensions import TypedDict

from whygrad import __version__
from whygrad.diagnosis import Report
from whygrad.errors import WhygradError
from whygrad.ir.files import read_record
from whygrad.judging import all_rules
from whygrad.reports import catalogue, terminal
from whygrad.session import judged_once
from whygrad.settings import named

INSTRUCTIONS = (
    "whygrad runs a training program that uses PyTorch, TensorFlow/Keras or JAX, and says why its model gets no useful gradient from its labels: "
    "the root cause with file and line, the figures that prove it, and what to change. Use `run` on the training script when training fails, "
    "stands still or gives NaN. A healthy program is said to be healthy: then look elsewhere."
)
WIDTH = 100
SECONDS = 600.0
MOST_OUTPUT = 4000
"""Characters of a program's own output that are handed on: its end."""


class Ran(TypedDict):
    """What came of a program."""

    healthy: bool | None
    exit_status: int
    report: str
    output: str


class Change(TypedDict):
    """A fix of one fault."""

    rule: str
    summary: str
    diff: str
    """Unified; "" where no patch could be made."""
    safe: bool
    """It changes the fault and nothing else."""
    verified: bool
    """The patched program was run whole, its fault is gone, and it gets further than the program as it stands."""
    reason: str
    """Why there is no patch, or why it was not kept."""
    tried: bool
    """The patched program was run whole, its fault is gone, and it learns no less; where it is not verified, `told` says what was measured."""


class Fixed(TypedDict):
    """What came of mending a program."""

    changes: list[Change]

    mended: bool
    """No fault is left in the patched program."""
    told: str
    """What the patched program did beside the original, and what remains."""


@dataclass(frozen=True, slots=True)
class Programs:
    """What may be run and read: what lies below a folder."""

    folder: Path

    def path(self, name: str) -> Path:
        """The file; raises `WhygradError` for one outside of the folder, links followed, and for one that is not there."""
        path = Path(os.path.realpath(self.folder / name))
        if not path.is_relative_to(os.path.realpath(self.folder)):
            raise WhygradError(
                f"`{name}` lies outside of the folder that this server was started in", help="start `whygrad mcp` in the project's folder"
            )
        if not path.is_file():
            raise WhygradError(f"there is no file `{name}`", help="give a path relative to the folder of the server")
        return path

    def run(self, script: str, arguments: list[str], seconds: float) -> tuple[Ran, Report | None]:
        """The program under `whygrad run`, without input, ended with all that it started when its time is over."""
        path = os.path.relpath(self.path(script), os.path.realpath(self.folder))
        with tempfile.TemporaryDirectory(prefix="whygrad-") as aside:
            record = Path(aside) / "record"
            status, output, told = finished(
                [sys.executable, "-m", "whygrad", "run", "--record", str(record), path, *arguments], self.folder, seconds
            )
            report = report_in(record) if record.is_file() else None
        said = terminal.render(report, width=WIDTH) if report is not None else told[-MOST_OUTPUT:]
        return Ran(healthy=report.healthy if report else None, exit_status=status, report=said, output=output[-MOST_OUTPUT:]), report

    def fix(self, script: str, arguments: list[str], unsafe: bool, seconds: float) -> Fixed:  # noqa: FBT001 - a tool's argument
        """What `whygrad fix` says, which tries each change on a copy."""
        path = os.path.relpath(self.path(script), os.path.realpath(self.folder))
        options = ["--unsafe"] if unsafe else []
        with tempfile.TemporaryDirectory(prefix="whygrad-") as aside:
            report = Path(aside) / "report.json"
            command = [sys.executable, "-m", "whygrad", "fix", "--json", str(report), *options, path, *arguments]
            status, output, told = finished(command, self.folder, seconds)
            found = json.loads(report.read_text()) if report.is_file() else {"diagnoses": []}
        return Fixed(changes=list(changes(found["diagnoses"])), mended=status == 0, told=(output + told)[-4 * MOST_OUTPUT :])


def changes(diagnoses: Iterable[dict[str, Any]]) -> Iterator[Change]:
    """The fixes of root causes, of a JSON report."""
    for diagnosis in diagnoses:
        fix = diagnosis["fix"] if diagnosis["root_cause"] else None
        if fix is not None:
            yield Change(
                rule=diagnosis["rule"],
                summary=fix["summary"],
                diff=fix["diff"] or "",
                safe=fix["safety"] == "safe",
                verified=fix["verified"],
                reason=fix["reason"] or "",
                tried=fix["tried"],
            )


def report_in(record: Path) -> Report:
    """The report of a record; of one that a killed program left, judged now."""
    file = read_record(record)
    if file.report_bytes is None:
        return judged_once(file.record)
    return msgspec.msgpack.decode(file.report_bytes, type=Report)


def finished(command: list[str], folder: Path, seconds: float) -> tuple[int, str, str]:
    """Exit status, output and errors of a command that gets no input."""
    with subprocess.Popen(  # noqa: S603 - running the user's program is what it is for
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True
    ) as process:  # fmt: skip
        try:
            output, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            output, told = process.communicate()
    return process.returncode, output, told


@contextmanager
def as_tool_errors() -> Iterator[None]:
    """What the caller can put right is told to it in words; anything else is a bug of ours."""
    try:
        yield
    except WhygradError as problem:
        raise ToolError(str(problem)) from problem


def server_for(folder: Path) -> MCPServer:
    """The server with its tools, for the programs below a folder."""
    programs = Programs(folder)
    server = MCPServer("whygrad", instructions=INSTRUCTIONS, version=__version__)

    @server.tool()
    async def run(script: str, arguments: list[str] | None = None, seconds: float = SECONDS) -> Ran:
        """Run a training SCRIPT (a path below the server's folder) with its ARGUMENTS, and report why its model does or does not learn."""
        with as_tool_errors():
            ran, _ = await to_thread.run_sync(programs.run, script, arguments or [], seconds)
        return ran

    @server.tool()
    async def fix(script: str, arguments: list[str] | None = None, unsafe: bool = False, seconds: float = SECONDS) -> Fixed:  # noqa: FBT001, FBT002 - a tool's argument
        """Mend a training SCRIPT on a copy, and return the change as a unified diff with what the patched program did. No file is changed.

        `unsafe`: try changes as well that do more than mend the fault.
        """
        with as_tool_errors():
            return await to_thread.run_sync(programs.fix, script, arguments or [], unsafe, seconds)

    @server.tool()
    def explain(rule: str) -> str:
        """What a RULE (a code such as WG301, or a name) finds, why it matters, and when it is fine."""
        with as_tool_errors():
            return catalogue.page(named(rule, all_rules()[0]), width=WIDTH)

    @server.tool()
    def show(record: str) -> str:
        """The report of a RECORD that `whygrad run --record` has saved below the server's folder."""
        with as_tool_errors():
            return terminal.render(report_in(programs.path(record)), width=WIDTH)

    return server


def serve(folder: Path) -> None:
    """Serve until the client closes the connection."""
    server_for(folder).run("stdio")
