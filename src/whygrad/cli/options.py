"""Options that commands share."""

from collections.abc import Callable
from typing import Any

import click

Function = Callable[..., Any]

REPORTS = (
    click.option("--json", metavar="FILE", help="Write the report too, as JSON."),
    click.option("--html", metavar="FILE", help="Write the report too, as one page with a picture of the gradient's way."),
    click.option("--sarif", metavar="FILE", help="Write the report too, as SARIF 2.1.0 for code scanning."),
    click.option("--junit", metavar="FILE", help="Write the report too, as a JUnit file."),
    click.option(
        "--format", type=click.Choice(["text", "github"]), help="What is printed: a report to read (text), or annotations too (github)."
    ),
)
"""Forms of the report beside what is printed."""

PROGRAM = (
    *REPORTS,
    click.option("--record", metavar="FILE", help="Write the record, for `whygrad show`."),
    click.option(
        "--live", is_flag=True, default=None, help="Show the loss, the gradient by layer and what is found while the program runs."
    ),
    click.option("--steps", type=click.IntRange(min=1), metavar="N", help="Steps of each kind to record (2)."),
    click.option("--at-step", type=click.IntRange(min=0), metavar="N", help="Record from this step on, counted from 0."),
    click.option("--experiments", type=click.Choice(["off", "default", "all"]), help="Replays with one thing changed (default)."),
    click.option(
        "--fail-on", type=click.Choice(["error", "warning", "never"]), help="End with status 1 for these (run: never; check: error)."
    ),
    click.option("--select", metavar="RULES", multiple=True, help="Only these rules: codes, names or families, with commas between."),
    click.option("--ignore", metavar="RULES", multiple=True, help="Not these rules."),
    click.option("--baseline", metavar="FILE", help="Diagnoses that are accepted for now: only others are shown and count."),
    click.option("--update-baseline", is_flag=True, default=None, help="Accept all that this run shows, in the file of --baseline."),
    click.option("-m", "module", is_flag=True, help="SCRIPT is a module's name, as for `python -m`."),
    click.argument("script"),
    click.argument("arguments", nargs=-1, type=click.UNPROCESSED),
)


def for_programs(function: Function) -> Function:
    """The options of commands that run a program."""
    for option in reversed(PROGRAM):
        function = option(function)
    return function


AS_THE_PROGRAMS = {"allow_interspersed_args": False}
"""Whatever follows SCRIPT is the program's own."""


def started(script: str, arguments: tuple[str, ...], module: bool, options: dict[str, Any], *, check: bool) -> Callable[[], int]:  # noqa: FBT001
    """What is to be run once click has read its options."""

    def start() -> int:
        from pathlib import Path

        from whygrad.program import Target
        from whygrad.session import run_session
        from whygrad.settings import settings_for

        words = {key: _words(options[key]) for key in ("select", "ignore")}
        settings = settings_for({**options, **words}, check=check, folder=Path.cwd())
        return run_session(Target(script, arguments, module), settings)

    return start


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word.strip() for group in given for word in group.split(",") if word.strip())
