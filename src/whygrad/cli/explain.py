"""`whygrad explain`."""

import sys

import click


@click.command()
@click.argument("rule")
def explain(rule: str) -> None:
    """Show what a RULE (a code or a name) finds, and when it is fine."""
    from whygrad.delivery import screen
    from whygrad.judging import all_rules
    from whygrad.reports.catalogue import page
    from whygrad.settings import named

    at = screen(sys.stdout)
    at.print(page(named(rule, all_rules()[0]), width=at.width, color=at.color, unicode=at.unicode))
