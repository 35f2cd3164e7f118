"""What is said of a repair's runs."""

from whygrad.ir import Course
from whygrad.reports.figures import counted
from whygrad.reports.repairs import compared, side_by_side, summary
from whygrad.rules.phrases import listed


def test_a_measure_that_neither_run_has_is_no_line() -> None:
    table = compared({"loss_first": None, "gradient_norm": 0.5}, {"loss_first": None, "gradient_norm": None})

    assert [line.split() for line in table.splitlines()] == [["as", "it", "stands", "patched"], ["gradient", "norm", "0.5", "-"]]


def test_runs_without_any_measure_have_no_table() -> None:
    assert compared({"loss_first": None}, {"loss_first": None}) == ""


def test_losses_between_the_ends_stand_beside_them() -> None:
    course = Course(steps=5, curve=(5.0, 4.0, 3.0, 2.0, 1.0))

    assert [line.split()[-2:] for line in side_by_side(course, course).splitlines()] == [["4", "4"], ["3", "3"], ["2", "2"]]


def test_files_that_changed_meanwhile_are_named_without_blame() -> None:
    said = summary((), "", {}, ("notes.txt",))

    assert "changed in the folder during the runs, and left as it is: notes.txt" in said


def test_thousands_are_set_apart_everywhere() -> None:
    assert counted(4500, "step") == "4,500 steps"
    assert listed([f"p{at}" for at in range(2000)]).endswith("and 1,998 more")
