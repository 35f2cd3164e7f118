"""`whygrad fix`."""

from collections.abc import Callable

import click

from whygrad.cli.options import AS_THE_PROGRAMS


@click.command(context_settings=AS_THE_PROGRAMS)
@click.option("--write", is_flag=True, help="Change the files, once the fix is verified or tried; the old ones are kept beside them.")
@click.option("--unsafe", is_flag=True, help="Try fixes as well that change more than the fault.")
@click.option("--limit", type=click.FloatRange(min=1), default=600.0, metavar="SECONDS", help="Stop a patched run after this time (600).")
@click.option("--json", default="", metavar="FILE", help="Write the report on the program as JSON, with what trying the fixes showed.")
@click.option("--html", default="", metavar="FILE", help="Write that report as a page too, with both loss curves.")
@click.option("--experiments", type=click.Choice(["off", "default", "all"]), help="Replays with one thing changed (default).")
@click.option("-m", "module", is_flag=True, help="SCRIPT is a module's name, as for `python -m`.")
@click.argument("script")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def fix(
    script: str,
    arguments: tuple[str, ...],
    *,
    write: bool,
    unsafe: bool,
    limit: float,
    json: str,
    html: str,
    experiments: str | None,
    module: bool,
) -> Callable[[], int]:
    """Repair SCRIPT's faults: make a patch, run the patched program whole, show both runs side by side.

    Nothing is changed without --write, and nothing that was not verified or tried. What the runs write is put back. Exit status: 0 if no fault is
    left, 1 if one is, 2 for wrong usage.
    """

    def start() -> int:
        from whygrad.delivery import outputs_for
        from whygrad.program import Target
        from whygrad.repairing import Wish
        from whygrad.repairing import fix as repaired
        from whygrad.session import renderers, write_report
        from whygrad.settings import Settings

        outputs = outputs_for(Settings(json=json, html=html))
        options = ("--experiments", experiments) if experiments else ()
        try:
            status, report = repaired(Wish(Target(script, arguments, module), write, unsafe, limit, options))
        except KeyboardInterrupt:
            click.echo("stopped; no file was changed", err=True)
            return 130
        for _, path, render in renderers(outputs, tuple):
            if path is not None and report is not None:
                write_report(path, report, render)
        return status

    return start
