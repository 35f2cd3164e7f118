"""`whygrad check`."""

from collections.abc import Callable
from typing import Any

import click

from whygrad.cli.options import AS_THE_PROGRAMS, for_programs, started


@click.command(context_settings=AS_THE_PROGRAMS)
@for_programs
def check(script: str, arguments: tuple[str, ...], *, module: bool, **options: Any) -> Callable[[], int]:
    """Run SCRIPT only as far as the recorded steps, then report.

    Exit status: 1 for an error-level diagnosis, else the program's own failure, else 3 if nothing could be judged, else 0; 2 for wrong usage.
    """
    return started(script, arguments, module, options, check=True)
