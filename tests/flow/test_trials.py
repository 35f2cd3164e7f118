"""Trials as verdicts."""

import pytest

from whygrad.diagnosis import Test as Asked
from whygrad.flow.trials import described, judged, outran, trial_of
from whygrad.ir import Bypass, Descend, Differentiate, Lift, Measures, Permute, Reshape, Step, Trial

LIFT = Lift(("d",))
RAISES = Asked(LIFT, "w gets a gradient", raises_gradient_of=("w",))
CHANGES = Asked(LIFT, "the gradient changes")
STAYS = Asked(LIFT, "the gradient stays", stays=True)


@pytest.mark.parametrize(
    ("asked", "trial", "baseline", "verdict"),
    [
        pytest.param(RAISES, Trial(LIFT, gradients={"w": 0.5}), Measures(), "confirmed", id="raised"),
        pytest.param(RAISES, Trial(LIFT, gradients={"w": 0.0}), Measures(), "refuted", id="zero"),
        pytest.param(RAISES, Trial(LIFT), Measures(), "refuted", id="none reached it"),
        pytest.param(RAISES, Trial(LIFT, gradients={"w": float("nan")}), Measures(), "inconclusive", id="not a number"),
        pytest.param(RAISES, Trial(LIFT, gradients={"w": 0.5}, reason="cannot be replayed"), Measures(), "inconclusive", id="not done"),
        pytest.param(RAISES, Trial(LIFT, gradients={"w": 0.5}), Measures(reproduced=False), "inconclusive", id="not reproduced"),
        pytest.param(CHANGES, Trial(LIFT, change=0.3), Measures(noise_floor=0.01), "confirmed", id="beyond the noise"),
        pytest.param(CHANGES, Trial(LIFT, change=0.005), Measures(noise_floor=0.01), "refuted", id="within the noise"),
        pytest.param(CHANGES, Trial(LIFT, change=None), Measures(), "inconclusive", id="nothing over nothing"),
        pytest.param(STAYS, Trial(LIFT, change=0.0), Measures(), "confirmed", id="stays bit for bit"),
        pytest.param(STAYS, Trial(LIFT, change=0.005), Measures(noise_floor=0.01), "confirmed", id="stays within the noise"),
        pytest.param(STAYS, Trial(LIFT, change=0.3), Measures(noise_floor=0.01), "refuted", id="does not stay"),
        pytest.param(STAYS, Trial(LIFT, change=None), Measures(), "inconclusive", id="nothing that could stay"),
        pytest.param(CHANGES, Trial(LIFT, change=float("nan")), Measures(noise_floor=float("nan")), "inconclusive", id="nan"),
    ],
)
def test_a_trial_is_read_against_the_prediction(asked: Asked, trial: Trial, baseline: Measures, verdict: str) -> None:
    assert judged(asked, trial, baseline).verdict == verdict


@pytest.mark.parametrize(
    ("losses", "plain", "verdict"),
    [
        ((1.0, 0.9), (1.0, 0.95), "confirmed"),
        ((1.0, 0.9), (1.0, 1.0), "confirmed"),
        ((1.0, 0.95), (1.0, 0.9), "refuted"),
        ((1.0, 0.9), (1.0, 0.901), "inconclusive"),
        ((1.0, float("nan")), (1.0, 0.9), "inconclusive"),
        ((1.0, 0.9), (1.0, float("inf")), "inconclusive"),
        ((0.0, 0.0), (0.0, 0.0), "inconclusive"),
    ],
)
def test_what_joins_a_descent_lowers_the_loss(losses: tuple[float, ...], plain: tuple[float, ...], verdict: str) -> None:
    joined = Descend(joined=("w",))

    assert judged(Asked(joined, ""), Trial(joined, losses=losses, plain=plain), Measures()).verdict == verdict


@pytest.mark.parametrize(
    ("losses", "plain", "verdict"),
    [
        pytest.param((0.9, 0.8, 0.7), (9e7, 7e7, 4e7), "confirmed", id="all of it lies far below"),
        pytest.param((0.9, 0.8, 0.7), (9.0, 5.0, 3.0), "refuted", id="below, and within reach"),
        pytest.param((0.9, 0.9, 0.9), (9e7, 7e7, 4e7), "refuted", id="it does not fall"),
        pytest.param((0.9, 0.9, 0.89), (), "refuted", id="nobody knows what it reaches without"),
    ],
)
def test_a_descent_far_below_all_that_is_reached_without_counts_where_the_unit_is_the_same(
    losses: tuple[float, ...], plain: tuple[float, ...], verdict: str
) -> None:
    change = Descend(standardise=("x",))
    trial = Trial(change, losses=losses, plain=plain)

    assert judged(Asked(change, "falls", same_unit=True), trial, Measures()).verdict == verdict
    assert judged(Asked(change, "falls"), trial, Measures()).verdict == "refuted"


@pytest.mark.parametrize(
    ("figures", "required", "verdict"),
    [
        pytest.param({"checked": 1.0, "wrong": 1.0, "zero": 1.0}, False, "confirmed", id="its only entry moves the output"),
        pytest.param({"checked": 1.0, "wrong": 1.0, "zero": 0.0}, False, "inconclusive", id="something is said of it"),
        pytest.param({"checked": 0.0, "wrong": 0.0, "zero": 0.0}, False, "inconclusive", id="nothing was compared"),
        pytest.param({"checked": 1.0, "wrong": 1.0, "zero": 1.0}, True, "inconclusive", id="nothing else is known of it"),
    ],
)
def test_one_entry_is_enough_where_the_backward_is_known_to_return_nothing(figures: dict[str, float], required: bool, verdict: str) -> None:
    change = Differentiate(("d",))

    assert judged(Asked(change, "moves", required=required), Trial(change, figures=figures), Measures()).verdict == verdict


def test_only_the_very_intervention_counts() -> None:
    step = Step(0, trials=(Trial(LIFT, loss=1.0),))

    assert trial_of(step, Lift(("d",))) == Trial(LIFT, loss=1.0)
    assert trial_of(step, Lift(("d", "e"))) is None


@pytest.mark.parametrize(
    ("intervention", "words"),
    [
        (Permute(("y",)), "permute `y` along the batch axis"),
        (Lift(("a", "b", "c", "d", "e")), "let the gradient pass at `a`, `b`, `c` and 2 more"),
        (Bypass(("a",)), "leave out `a`"),
        (Reshape("y", (4, 1)), "give `y` the shape [4,1]"),
    ],
)
def test_interventions_read_as_words(intervention: Permute | Lift | Bypass | Reshape, words: str) -> None:
    assert described(intervention) == words


@pytest.mark.parametrize(
    ("losses", "plain", "verdict"),
    [
        pytest.param((9.0, 8.9, 8.8), (9.0, 40.0, 8.9), "confirmed", id="steadily, where its own jumps"),
        pytest.param((2481.5, 2425.5, 2318.8, 236.5), (2481.5, 655.6, 2696.8, 1567.8), "confirmed", id="its own falls and jumps back"),
        pytest.param((1.436, 1.362, 1.278, 1.129), (1.436, 2.917, 4.153, 0.576), "refuted", id="its own jumps, and ends lower"),
        pytest.param((9.0, 8.9, 8.8), (9.0, 8.0, 6.0), "refuted", id="its own falls further"),
        pytest.param((9.0, 9.1, 8.8), (9.0, 40.0, 6.0), "refuted", id="not steadily"),
        pytest.param((9.0, 8.9, 8.8), (9.0, float("nan"), 6.0), "confirmed", id="its own is no number on its way"),
        pytest.param((0.03, -0.2, -0.5), (0.03, 4e18, 3e6), "confirmed", id="a likelihood falls by many times its size"),
    ],
)
def test_a_smaller_rate_helps_where_the_loss_of_the_same_batch_jumps_without_it(
    losses: tuple[float, ...], plain: tuple[float, ...], verdict: str
) -> None:
    slower = Descend(factor=0.03)

    assert judged(Asked(slower, ""), Trial(slower, losses=losses, plain=plain), Measures()).verdict == verdict


@pytest.mark.parametrize(
    ("change", "losses", "too_large"),
    [
        (Descend(factor=0.03), (9.0, 8.0, 2.0, 5.0), True),
        (Descend(factor=0.03), (9.0, 8.0, float("nan")), True),
        (Descend(factor=0.03), (9.0, 8.0, 7.0, 9.0), False),
        (Descend(factor=0.03), (3.0, 3.4, 3.2, 3.3), True),
        (Descend(factor=0.03), (9.0, 0.1, 0.3, 0.2), False),
        (Descend(factor=0.03), (), False),
        (Descend(standardise=("x",)), (9.0, 8.0, 2.0, 5.0), False),
    ],
)
def test_a_smaller_rate_whose_loss_jumps_is_still_too_large(change: Descend, losses: tuple[float, ...], *, too_large: bool) -> None:
    assert outran(Trial(change, losses=losses)) is too_large


@pytest.mark.parametrize(
    ("losses", "plain", "verdict"),
    [
        pytest.param(
            (674402.5, 674375.6, 674348.5), (1.6e10, 1.7e25, float("inf")), "confirmed", id="at the rate of the run it moves little"
        ),
        pytest.param((674402.5, 674402.4, 674402.3), (1.6e10, 1.7e25, float("inf")), "refuted", id="rounding"),
        pytest.param((674402.5, 674348.5, 674375.6), (1.6e10, 1.7e25, float("inf")), "refuted", id="not at each update"),
        pytest.param((674402.5, 674375.6, 674348.5), (1.6e10, 2.1e10, 1.9e10), "refuted", id="its own rises and does not run away"),
        pytest.param((674402.5, 674375.6, 674348.5), (1.6e10, 1.5e10, 1.4e10), "refuted", id="its own falls"),
    ],
)
def test_another_scale_helps_where_the_loss_runs_away_without_it(losses: tuple[float, ...], plain: tuple[float, ...], verdict: str) -> None:
    scaled = Descend(standardise=("x",))

    assert judged(Asked(scaled, ""), Trial(scaled, losses=losses, plain=plain), Measures()).verdict == verdict


@pytest.mark.parametrize(
    ("losses", "plain", "verdict"),
    [
        pytest.param((0.7, 0.698, 0.696), (0.7, 0.7, 0.7), "confirmed", id="steadily, where nothing moves without"),
        pytest.param((0.7, 0.6995, 0.699), (0.7, 0.7, 0.7), "refuted", id="by next to nothing"),
        pytest.param((0.7, 0.695, 0.696), (0.7, 0.7, 0.7), "refuted", id="not at each update"),
        pytest.param((0.7, 0.698, 0.696), (0.7, 0.6995, 0.699), "refuted", id="without, it falls as well"),
    ],
)
def test_a_larger_rate_helps_where_the_loss_stands_without_it(losses: tuple[float, ...], plain: tuple[float, ...], verdict: str) -> None:
    larger = Descend(factor=1e5, steps=2)

    assert judged(Asked(larger, ""), Trial(larger, losses=losses, plain=plain), Measures()).verdict == verdict
