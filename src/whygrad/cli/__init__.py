"""The command line: one file for each subcommand. A command only reads its options; what it starts runs outside of click."""

import click

from whygrad import __version__
from whygrad.cli.check import check
from whygrad.cli.compare import compare
from whygrad.cli.doctor import doctor
from whygrad.cli.explain import explain
from whygrad.cli.fix import fix
from whygrad.cli.mcp import mcp
from whygrad.cli.rules import rules
from whygrad.cli.run import run
from whygrad.cli.show import show
from whygrad.errors import WhygradError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="whygrad", message="%(prog)s %(version)s")
def whygrad() -> None:
    """Tell why a model gets no useful gradient from its labels.

    Runs an unmodified training program, watches a few of its steps, and names the root cause, its line, the figures that prove it, and the remedy.
    """


for command in (run, check, fix, show, compare, rules, explain, doctor, mcp):
    whygrad.add_command(command)


def main() -> int:
    """The command `whygrad`; returns the exit status."""
    try:
        started = whygrad.main(prog_name="whygrad", standalone_mode=False)
        return int(started() if callable(started) else started or 0)
    except click.exceptions.NoArgsIsHelpError as problem:
        click.echo(problem.format_message(), err=True)
        return problem.exit_code
    except click.ClickException as problem:
        problem.show()
        return problem.exit_code
    except click.Abort:
        return 130
    except WhygradError as problem:
        click.echo(f"error: {problem}", err=True)
        return 2
