"""Make the README's pictures from a record: the terminal's report, and the page in a real browser. `python docs/site/pictures.py RECORD PAGE`."""

import shutil
import sys
from io import StringIO
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from whygrad.diagnosis import Report
from whygrad.ir.files import read_record
from whygrad.reports.terminal import render

IMAGES = Path(__file__).resolve().parents[1] / "img"
WIDTH = 110
PAGE = (1180, 2180)
"""Width and height of the page's picture, in pixels."""
FRAME = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{ font-family: Menlo, Consolas, "DejaVu Sans Mono", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-family: arial, sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own frame without its fonts, which would be fetched from elsewhere."""


def terminal(record: Path) -> str:
    """The report as an SVG of a terminal; raises `WhygradError` for a file that is no record."""
    kept = read_record(record).report_bytes
    assert kept is not None, f"{record} holds no report"
    report = msgspec.msgpack.decode(kept, type=Report)
    console = Console(file=StringIO(), record=True, width=WIDTH, force_terminal=True, color_system="standard")
    console.print(Text.from_ansi(render(report, width=WIDTH, color=True).rstrip()))
    return console.export_svg(title=f"whygrad run {report.program}", code_format=FRAME, unique_id="whygrad")


def browser() -> str | None:
    """Chromium, if there is one."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def page(path: Path, image: Path, chromium: str) -> None:
    """A picture of the upper part of a page."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only where there is a browser

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--headless", "--disable-gpu"])
        opened = started.new_page(viewport={"width": PAGE[0], "height": PAGE[1]}, color_scheme="light")
        opened.goto(path.resolve().as_uri())
        opened.screenshot(path=image)
        started.close()


def main() -> None:
    """Both pictures; the page's stays as it is where there is no browser."""
    record, html = map(Path, sys.argv[1:])
    IMAGES.mkdir(exist_ok=True)
    (IMAGES / "terminal.svg").write_text(terminal(record))
    chromium = browser()
    if chromium is None:
        print("no Chromium on PATH: docs/img/report.png stays as it is", file=sys.stderr)
        return
    page(html, IMAGES / "report.png", chromium)


if __name__ == "__main__":
    main()
