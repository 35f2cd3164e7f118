"""`whygrad show`."""

import click


@click.command()
@click.option("--json", default="", metavar="FILE", help="Write the report as JSON too.")
@click.option("--html", default="", metavar="FILE", help="Write the report as a page too.")
@click.argument("record")
def show(record: str, json: str, html: str) -> int:
    """Print the report of a saved RECORD again; nothing is judged anew."""
    from whygrad.session import show_record

    return show_record(record, json, html)
