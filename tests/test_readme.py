"""What the README shows is what the program prints."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

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
