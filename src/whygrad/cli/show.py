"""`whygrad show`."""

from typing import Any

import click

from whygrad.cli.options import REPORTS


@click.command()
@click.argument("record")
def show(record: str, **options: Any) -> int:
    """Print the report of a saved RECORD again, and write it in other forms; nothing is judged anew."""
    from whygrad.session import show_record
    from whygrad.settings import Settings

    return show_record(record, Settings(**{name: value for name, value in options.items() if value}))


for option in reversed(REPORTS):
    show = option(show)
