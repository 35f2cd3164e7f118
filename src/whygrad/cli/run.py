"""`whygrad run`."""

from collections.abc import Callable
from typing import Any

import click

from whygrad.cli.options import AS_THE_PROGRAMS, for_programs, started


@click.command(context_settings=AS_THE_PROGRAMS)
@for_programs
def run(script: str, arguments: tuple[str, ...], *, module: bool, **options: Any) -> Callable[[], int]:
    """Run SCRIPT to its end, then report on stderr.

    The program runs as under `python SCRIPT ARGUMENTS`, and the exit status is its own unless --fail-on says otherwise.
    """
    return started(script, arguments, module, options, check=False)
