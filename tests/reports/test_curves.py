"""The loss over the run, kept small while it is watched and drawn as a line."""

from dataclasses import replace

import pytest

from reports.samples import DETACHED, HEALTHY, ONE_ERROR
from whygrad.diagnosis import Fix, Picture
from whygrad.flow.picturing import picture
from whygrad.frontends.courses import MOST_DRAWN, CourseWatch
from whygrad.ir import Course, Step
from whygrad.reports.curves import HEIGHT, WIDTH, curve
from whygrad.reports.html import render


def watched(losses: list[float]) -> Course:
    watch = CourseWatch(None)
    for step, loss in enumerate(losses):
        watch.add(loss, step)
    return watch.record(None)


def test_a_short_run_keeps_each_loss() -> None:
    assert watched([3.0, 2.0, 1.0]).curve == (3.0, 2.0, 1.0)


@pytest.mark.parametrize("steps", [127, 128, 1000, 100_000])
def test_a_long_run_keeps_means_and_never_more_than_fit(steps: int) -> None:
    course = watched([float(step) for step in range(steps)])
    half = (course.curve_width - 1) / 2

    assert MOST_DRAWN // 2 - 1 <= len(course.curve) < MOST_DRAWN
    assert course.curve == tuple(at * course.curve_width + half for at in range(len(course.curve)))


def test_losses_that_are_no_numbers_are_left_out() -> None:
    assert watched([1.0, float("nan"), float("inf"), 2.0]).curve == (1.0, 2.0)


def test_losses_near_the_end_of_the_range_stay_finite() -> None:
    assert set(watched([1.5e308] * 1000).curve) == {1.5e308}


def test_of_several_losses_the_longest_course_is_drawn() -> None:
    found = picture(Step(0), (), (Course(steps=2, curve=(9.0, 9.0)), Course(steps=3, curve=(3.0, 2.0, 1.0))))

    assert found.curve == (3.0, 2.0, 1.0)


@pytest.mark.parametrize("losses", [(), (1.0,)])
def test_one_loss_makes_no_line(losses: tuple[float, ...]) -> None:
    assert curve(Picture(curve=losses)) is None


@pytest.mark.parametrize("losses", [(2.0, 1.5, 1.0), (1.0, 1.0), (-3.0, 1e30, 0.0), (1e308, -1e308)])
def test_the_line_stays_in_its_box(losses: tuple[float, ...]) -> None:
    line = curve(Picture(curve=losses))

    assert line is not None
    points = [tuple(map(float, point.split(","))) for point in line.run.points.split()]
    assert all(0 <= across <= WIDTH and 0 <= down <= HEIGHT for across, down in points)


def test_the_curve_is_told_in_words_too() -> None:
    page = render(replace(HEALTHY, picture=Picture(curve=(2.0, 1.5, 1.0), curve_width=8)))

    assert "from 2 to 1 over 24 steps, each point the mean of 8 steps; highest 2, lowest 1" in page


def test_the_patched_programs_curve_is_drawn_on_the_same_scale() -> None:
    both = curve(Picture(curve=(2.0, 1.5, 1.0)), Fix("leave it out", curve=(2.0, 0.0), curve_width=4))

    assert both is not None
    assert both.patched is not None
    assert (both.highest, both.lowest, both.patched.sentence) == ("2", "0", "from 2 to 0 over 8 steps, each point the mean of 4 steps")
    assert both.patched.points.endswith(f",{HEIGHT - 10:.1f}")
    assert float(both.run.points.rpartition(",")[2]) == HEIGHT / 2


def test_figures_of_a_tried_fix_stand_side_by_side() -> None:
    fix = Fix("leave it out", "-a\n+b", verified=True, before={"loss_last": 0.5, "<b>": "no"}, after={"loss_last": 0.125})
    page = render(replace(ONE_ERROR, diagnoses=(replace(DETACHED, fix=fix),)))

    assert '<th scope="row">loss at the end</th><td>0.5</td><td>0.125</td>' in page
    assert '<th scope="row">&lt;b&gt;</th><td>no</td><td>–</td>' in page
