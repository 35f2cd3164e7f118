"""`whygrad doctor`."""

import sys
from pathlib import Path

import click


@click.command()
@click.option("--bug-report", "bundle", default="", metavar="FILE", help="Write what a bug report needs: no source lines, no names.")
@click.option("--record", default="", metavar="RECORD", help="Put this record in, without its names and lines.")
@click.option("--with-names", is_flag=True, help="Leave the names in.")
def doctor(bundle: str, record: str, *, with_names: bool) -> int:
    """Say what is installed here, what of it is supported, and what would be recorded."""
    from whygrad.delivery import screen, telling, unwritable, write_text
    from whygrad.doctor import bug_report, facts
    from whygrad.errors import WhygradError

    if record and not bundle:
        raise WhygradError("`--record` needs a file to go to", help="name it with `--bug-report FILE`")
    if with_names and not bundle:
        raise WhygradError("`--with-names` needs a file to go to", help="name it with `--bug-report FILE`")
    if bundle and (problem := unwritable(Path(bundle))):
        raise WhygradError(f"--bug-report `{bundle}` can't be written: {problem}", help="give a file in a folder that you may write to")
    at = screen(sys.stdout)
    found = [*facts(Path.cwd())]
    longest = max(len(name) for name, _ in found) + 2
    at.print("".join(f"{name + ':':<{longest}}{told}\n" for name, told in found))
    if bundle:
        with telling(f"--bug-report `{bundle}`"):
            write_text(Path(bundle), bug_report(Path.cwd(), record, names=with_names))
        at.print(f"{'written:':<{longest}}{bundle}; read it before you attach it to an issue\n")
    return 0
