"""The place of an exception that was raised in a source which nobody can read."""

import time
from pathlib import Path

from whygrad.frontends.raising import raised
from whygrad.frontends.source import Sources


def test_the_place_that_a_message_names_stands_for_a_source_that_is_gone(tmp_path: Path) -> None:
    own = tmp_path / "train.py"
    own.write_text("def step(x):\n    weight = make(1.0)\n")
    message = f'in user code:\n\n    File "{own}", line 2, in step  *\n        weight = make(1.0)\n'

    try:
        exec(compile("raise ValueError(message)", str(tmp_path / "generated.py"), "exec"), {"message": message})
    except ValueError as problem:
        found = raised(problem, Sources(time.time()))

    assert found.site is not None
    assert (found.site.file, found.site.line, found.site.function) == (str(own), 2, "step")


def test_a_source_that_can_be_read_keeps_its_place(tmp_path: Path) -> None:
    own = tmp_path / "train.py"
    own.write_text("raise ValueError('File \"other.py\", line 1, in step')\n")

    try:
        exec(compile(own.read_text(), str(own), "exec"), {})
    except ValueError as problem:
        found = raised(problem, Sources(time.time()))

    assert found.site is not None
    assert (found.site.file, found.site.line) == (str(own), 1)
