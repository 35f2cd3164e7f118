"""`whygrad rules`."""

import sys

import click


@click.command()
def rules() -> None:
    """List the rules."""
    from whygrad.delivery import screen
    from whygrad.judging import all_rules
    from whygrad.reports.catalogue import table

    at = screen(sys.stdout)
    at.print(table(all_rules()[0], width=at.width, color=at.color, unicode=at.unicode))
