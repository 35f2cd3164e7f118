"""The terminal report, whole and byte for byte. WHYGRAD_WRITE_GOLDEN=1 writes the files anew; read them as a user would before committing."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from reports.samples import DETACH, DETACHED, ONE_ERROR, SAMPLES, TWO_CAUSES
from whygrad.diagnosis import Diagnosis, Fix
from whygrad.ir import Site
from whygrad.reports.terminal import render, wrap

GOLDEN = Path(__file__).parent / "golden"


def matches(name: str, text: str) -> bool:
    """Whether a text is the golden one."""
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("WHYGRAD_WRITE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return text == path.read_text()


@pytest.mark.parametrize("name", SAMPLES)
def test_whole_reports(name: str) -> None:
    assert matches(name, render(SAMPLES[name], width=100))


def test_a_narrow_terminal() -> None:
    assert matches("narrow", render(TWO_CAUSES, width=40))


def test_a_wide_terminal() -> None:
    assert matches("wide", render(TWO_CAUSES, width=200))


def test_a_terminal_without_unicode() -> None:
    site = replace(DETACH, text="        größe = self.encoder(x).detach()  # → code")
    shown = render(replace(ONE_ERROR, diagnoses=(replace(DETACHED, site=site, message="`w` — 3 × smaller…"),)), unicode=False)

    assert "`w` - 3 x smaller..." in shown
    assert matches("ascii", shown)


def test_colour_only_where_asked() -> None:
    assert "\x1b[" in render(ONE_ERROR, color=True)
    assert "\x1b[" not in render(ONE_ERROR, color=False)


def marked(site: Site, width: int = 100) -> tuple[str, str]:
    """The source line and the marks below it, without their gutter."""
    lines = render(replace(ONE_ERROR, diagnoses=(replace(DETACHED, site=site, label=""),)), width=width).splitlines()
    at = next(number for number, line in enumerate(lines) if "-->" in line)
    return lines[at + 1].partition("| ")[2], lines[at + 2].partition("| ")[2]


@pytest.mark.parametrize(
    ("text", "column", "end_column", "under"),
    [
        ("loss = f(x)", 8, 12, "f(x)"),
        ("\tloss = f(x)", 9, 13, "f(x)"),
        ("größe = f(größe)", 9, 17, "f(größe)"),
        ("'日本' + f(x)", 8, 12, "f(x)"),
        ("loss = f(", 8, 0, "f("),
        ("    loss = f(x)", 0, 0, "loss = f(x)"),
        ("loss = f(x)", 40, 44, "loss = f(x)"),
        ("loss = f(x)", 8, 99, "f(x)"),
    ],
)
def test_the_mark_stands_under_the_expression(text: str, column: int, end_column: int, under: str) -> None:
    line, marks = marked(Site("a.py", 1, 1, column, end_column, text=text))

    start = cell_len(line[: line.index(under)])
    assert marks == " " * start + "^" * cell_len(under)


def test_a_long_line_is_cut_around_the_mark() -> None:
    text = "x = " + "a + " * 60 + "target(y)" + " + b" * 60
    line, marks = marked(Site("a.py", 1, 1, text.index("target") + 1, text.index("target") + 10, text=text), width=60)

    assert "target(y)" in line
    assert line[marks.index("^") :][: marks.count("^")] == "target(y)"


def test_text_of_the_users_cannot_move_the_cursor() -> None:
    shown = render(replace(ONE_ERROR, program="a\x1b[2J.py", diagnoses=(replace(DETACHED, message="bad\x1b]0;title\x07 \u202e name"),)))

    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown


WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(words=st.tuples(WORDS, WORDS, WORDS, WORDS), width=st.integers(40, 200), columns=st.tuples(st.integers(0, 80), st.integers(0, 80)))
def test_no_line_is_wider_than_the_terminal(words: tuple[str, str, str, str], width: int, columns: tuple[int, int]) -> None:
    message, label, text, remedy = words
    site = Site("train.py", 7, 7, *columns, text=text.replace("\n", " "))
    diagnosis = Diagnosis("WG301", "detached", "error", "proved", message, site=site, label=label, help=remedy)

    shown = render(replace(ONE_ERROR, diagnoses=(diagnosis,)), width=width)

    assert max(cell_len(line) for line in shown.split("\n")) <= width


@given(st.text("ab `.,", max_size=200), st.integers(5, 40), st.integers(12, 40))
def test_wrapping_loses_no_words(words: str, first: int, rest: int) -> None:
    rows = wrap(words, first, rest)

    assert "".join(rows).replace(" ", "") == words.replace(" ", "")


def test_a_fix_shows_the_lines_that_it_changes() -> None:
    diff = "--- train.py\n+++ train.py\n@@ -1,2 +1,2 @@\n x = 1\n-y = z.detach()\n+y = z\n"
    fixed = replace(DETACHED, fix=Fix("leave out `detach`", diff))
    text = render(replace(ONE_ERROR, diagnoses=(fixed,)), width=100)
    unsafe = render(replace(ONE_ERROR, diagnoses=(replace(fixed, fix=Fix("leave it out", diff, safe=False, changes="all")),)), width=100)

    assert "   = fix: leave out `detach` (not tried yet)\n       -y = z.detach()\n       +y = z\n" in text
    assert "x = 1" not in text
    assert f"whygrad fix {ONE_ERROR.program}" in text
    assert "(not tried yet; unsafe: all)" in unsafe
    assert f"whygrad fix --unsafe {ONE_ERROR.program}" in unsafe
    kept = replace(fixed, fix=Fix("leave it out", diff, tried=True, shown="gets no further by that and no less far"))
    alike = render(replace(ONE_ERROR, diagnoses=(kept,)), width=200)
    assert "(tried: the fault is gone, and the patched program gets no further by that and no less far)" in alike
    better = render(replace(ONE_ERROR, diagnoses=(replace(fixed, fix=Fix("leave it out", diff, verified=True, tried=True)),)), width=200)
    assert "(verified: the patched program learns)" in better
    asked = render(replace(ONE_ERROR, repeatable=False, diagnoses=(fixed,)), width=100)
    assert "whygrad fix" not in asked


def test_a_long_fix_is_cut_short() -> None:
    diff = "".join(f"+line {number}\n" for number in range(12))
    text = render(replace(ONE_ERROR, diagnoses=(replace(DETACHED, fix=Fix("write it", diff)),)), width=100)

    assert "+line 7" in text
    assert "+line 8" not in text
    assert "4 more lines" in text


def test_thirty_columns_are_enough() -> None:
    lines = render(replace(TWO_CAUSES, arguments=()), width=30).splitlines()
    copied = ("next: ", "whygrad ", "--> ", "::: ")

    assert [line for line in lines if cell_len(line) > 30 and not line.strip().startswith(copied)] == []


@pytest.mark.parametrize(
    ("safe", "asked"), [((True, True), ""), ((True, False), " --unsafe"), ((False, True), " --unsafe"), ((False, False), " --unsafe")]
)
def test_the_next_command_tries_all_that_faults_of_one_gravity_need(safe: tuple[bool, bool], asked: str) -> None:
    both = tuple(replace(DETACHED, rule=f"WG{300 + at}", fix=Fix("mend", "-a\n+b\n", safe=is_safe)) for at, is_safe in enumerate(safe))

    assert f"whygrad fix{asked} {ONE_ERROR.program}" in render(replace(ONE_ERROR, diagnoses=both), width=100)


def test_an_unsafe_fix_of_a_warning_is_no_part_of_the_next_command() -> None:
    both = (
        replace(DETACHED, fix=Fix("mend", "-a\n+b\n")),
        replace(DETACHED, rule="WG505", severity="warning", fix=Fix("scale", "-a\n+b\n", safe=False)),
    )  # fmt: skip

    assert f"whygrad fix {ONE_ERROR.program}" in render(replace(ONE_ERROR, diagnoses=both), width=100)
