"""`whygrad compare`."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("one")
@click.argument("other")
def compare(one: str, other: str) -> int:
    """Show where two records first differ: in structure, then in magnitude.

    Records of a healthy and a sick run, of before and after a change, or of a program and its port to another framework (`whygrad run --record FILE`).
    Exit status: 0 if they are the same, 1 if they differ.
    """
    from whygrad.delivery import screen
    from whygrad.errors import WhygradError
    from whygrad.flow.comparing import compare as compared
    from whygrad.ir.files import read_record
    from whygrad.judging import nearer
    from whygrad.reports.comparison import render

    records = [read_record(path).record for path in (one, other)]
    found = compared(*records)
    if found is None:
        empty = one if not any(step.differentiated for step in records[0].steps) else other
        raise WhygradError(f"there is no training step in `{empty}`", help="record a run that takes at least one step")
    at = screen(sys.stdout)
    at.print(render(nearer(found, Path.cwd()), one, other, at.width))
    return int(bool(found.structure) or found.first is not None)
