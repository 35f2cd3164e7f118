"""How long the page of a 10,000-op record with 3,000 parameters takes to be made and to open in Chromium, beside a page with nothing in it."""

import shutil
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from whygrad.diagnosis import Coverage, Report
from whygrad.flow.picturing import picture
from whygrad.ir import Framework, Labels, Measures, Outcome
from whygrad.ir.text import loads
from whygrad.reports.html import render

OPS, PARAMETERS, ROUNDS = 10_000, 3_000, 9
EMPTY = "<!doctype html><title>empty</title><p>nothing"
OPENED = "const [entry] = performance.getEntriesByType('navigation'); entry.loadEventEnd - entry.startTime"
"""Milliseconds from the start of the navigation until everything stands, the picture's layout included."""


def report() -> Report:
    """A sound run of a deep chain of layers."""
    layers = [
        f'  h{at + 1} = linear h{at} w{at} module="blocks.{at // 100}.{at}" @ "net.py":{at}\n  r{at} = relu h{at + 1}'
        for at in range(OPS // 2)
    ]
    parameters = [
        f'  w{at}: parameter f32[4,4]\n  parameter block.{at}.weight value=w{at} gradient="finite" gradient_norm=0.5'
        for at in range(PARAMETERS)
    ]
    text = "\n".join(["step 0 updated=true", "  h0: input f32[4,4]", *layers, f'  ! backward h{OPS // 2} @ "t.py":1', *parameters, ""])
    return Report(
        whygrad="0", program="train.py", arguments=(), frameworks=(Framework("torch", "2.13.0"),), outcome=Outcome(0), steps_recorded=(0,),
        healthy=True, reason="", measures=Measures(loss=0.7), parameters=PARAMETERS, parameters_with_gradient=PARAMETERS, labels=Labels(),
        label_names=(), label_sites=(), coverage=Coverage(), picture=picture(loads(text).steps[0]),
    )  # fmt: skip


def opening(page: Page, path: Path) -> float:
    """Milliseconds until the page stands."""
    page.goto(path.as_uri())
    return float(page.evaluate(OPENED))


def main() -> None:
    """Make the page once, and open both by turns."""
    made, before = report(), time.perf_counter()
    text = render(made)
    print(f"making it: {time.perf_counter() - before:.2f} s, {len(text) / 1e6:.2f} MB")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        pages = {"the page": Path(folder, "page.html"), "an empty page": Path(folder, "empty.html")}
        for path, content in zip(pages.values(), (text, EMPTY), strict=True):
            path.write_text(content)
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--headless", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1200, "height": 800})
        times: dict[str, list[float]] = {name: [] for name in pages}
        for _ in range(ROUNDS):
            for name, path in pages.items():
                times[name].append(opening(page, path))
        browser.close()
    for name, taken in times.items():
        print(f"opening {name}: {statistics.median(taken):.0f} ms (median of {ROUNDS})")


if __name__ == "__main__":
    main()
