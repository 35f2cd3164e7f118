"""What the README shows is what the program prints."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from reports.samples import DETACHED, HEALTHY
from whygrad.ir import Record
from whygrad.ir.files import write_record
from whygrad.session import packed

DETACHED_REPORT = replace(HEALTHY, healthy=False, diagnoses=(DETACHED,))
TOP = Path(__file__).resolve().parent.parent


def shown() -> str:
    text = (TOP / "README.md").read_text()
    return text[text.index("<!-- example: begin") : text.index("<!-- example: end")]


def without_figures(text: str) -> str:
    """Figures depend on the machine's arithmetic, the version on what is installed."""
    return re.sub(r"-?\d+\.\d+(?:[.\d+a-z]*)", "N", text)


@pytest.mark.torch
def test_the_example_is_what_is_printed():
    done = subprocess.run(
        [sys.executable, "-m", "whygrad", "run", "unused_labels.py"],
        cwd=TOP / "examples",
        env={**os.environ, "OMP_NUM_THREADS": "1", "NO_COLOR": "1", "COLUMNS": "120"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert without_figures(done.stderr.strip()) in without_figures(shown())


def test_the_pictures_are_there_and_made_by_the_demo():
    named = re.findall(r'<img src="([^"]+)" alt="([^"]+)"', (TOP / "README.md").read_text())

    assert [Path(file).name for file, _ in named] == ["terminal.svg", "report.png"]
    assert all((TOP / file).stat().st_size > 5000 for file, _ in named)
    assert "docs/site/pictures.py" in (TOP / "Makefile").read_text()


def test_the_picture_of_the_terminal_holds_the_report_and_fetches_nothing(tmp_path: Path):
    sys.path.insert(0, str(TOP / "docs/site"))
    try:
        from pictures import terminal
    finally:
        sys.path.remove(str(TOP / "docs/site"))
    record = tmp_path / "record"
    write_record(record, Record(), packed(DETACHED_REPORT))
    drawn = terminal(record)

    assert "detached" in drawn
    assert "font-face" not in drawn
    assert re.findall(r"https?://[^\"'<> ]+", drawn) == ["http://www.w3.org/2000/svg"]
