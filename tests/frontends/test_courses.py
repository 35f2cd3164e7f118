"""One loss over the run, in a few numbers."""

from whygrad.frontends.courses import WINDOW, CourseWatch


def test_the_highest_and_the_lowest_are_means_of_a_few_losses_with_their_rates():
    course = CourseWatch(None)
    for step in range(3 * WINDOW):
        course.add(float(step // WINDOW), step, rate=step / 10)
    found = course.record(None)

    assert (found.lowest, found.highest) == (0.0, 2.0)
    assert found.rate_at_highest == (3 * WINDOW - 1) / 10


def test_a_loss_that_is_the_mean_of_many_counts_as_many():
    course = CourseWatch(None)
    course.add(1.0, 0)
    course.add(9.0, 16, rate=0.5, of=16)
    found = course.record(None)

    assert found.steps == 17
    assert found.highest == (1.0 + 16 * 9.0) / 17
    assert found.rate_at_highest == 0.5
