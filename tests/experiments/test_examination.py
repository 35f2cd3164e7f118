"""What is measured on a recorded step, and within which bounds."""

from dataclasses import replace
from typing import Any

import pytest

from sketch import sketch
from whygrad.diagnosis import Test as Wanted
from whygrad.experiments import examine
from whygrad.ir import Birth, Descend, Intervention, Lift, Measures, Permute, Step, Trial, Vary

TEXT = """
    x: input f32[8,3]
    y: label i64[8] minimum=0 maximum=1
    w: parameter f32[2,3]
    h = linear x w
    d = detach h
    loss = cross_entropy d y
    labels values=["y"] how="target"
"""


class Replayed:
    """A replay whose every run takes `seconds` on a clock of its own."""

    def __init__(self, trial: Trial, baseline: Measures | None = None, seconds: float = 0.0) -> None:
        self.trial = trial
        self.measures = baseline or Measures(loss=1.0, gradient_norm=0.5, noise_floor=0.0, reproduced=True)
        self.seconds = seconds
        self.now = 0.0
        self.asked: list[object] = []

    def baseline(self) -> Measures:
        self.now += 2 * self.seconds
        return self.measures

    def births(self, index: int) -> tuple[Birth, ...]:
        return ()

    def run(self, intervention: Intervention) -> Trial:
        self.now += self.seconds
        self.asked.append(intervention)
        return replace(self.trial, intervention=intervention)

    def clock(self) -> float:
        return self.now


def step(text: str = TEXT) -> Step:
    return sketch(text).steps[0].step


def trial(**figures: Any) -> Trial:
    return Trial(Permute(("y",)), **{"loss": 1.2, "gradient_norm": 0.6, "change": 0.4, **figures})


def lifts(*names: str, required: bool = False) -> list[Wanted]:
    return [Wanted(Lift((name,)), "it learns", required=required) for name in names]


def test_the_measures_are_filled_in() -> None:
    found = examine(step(), Replayed(trial()), lambda _: [])

    assert found.measures == Measures(1.0, 0.5, 0.4, "", 0.0, 1.2, reproduced=True)
    assert [one.intervention for one in found.trials] == [Permute(("y",))]


@pytest.mark.parametrize(
    ("text", "figures", "baseline", "reason"),
    [
        (TEXT.replace('labels values=["y"] how="target"', 'labels reason="looked at 1 loss"'), {}, None, "looked at 1 loss"),
        (TEXT.replace('labels values=["y"] how="target"', ""), {}, None, "no labels were found"),
        (TEXT.replace("minimum=0", "minimum=1"), {}, None, "every label of the batch is the same, so there is nothing to permute"),
        (TEXT.replace("i64[8]", "i64[1]"), {}, None, "every label of the batch is the same, so there is nothing to permute"),
        (TEXT, {"change": None, "gradient_norm": 0.0}, None, "the gradient is zero with the labels and with permuted ones (0/0)"),
        (TEXT, {"change": None, "gradient_norm": None}, None, "no gradient reaches a trainable parameter"),
        (TEXT, {"change": float("nan")}, None, "the gradient is not finite"),
        (TEXT, {"change": None, "gradient_norm": float("inf")}, None, "the gradient is not finite"),
        (TEXT, {"change": None, "reason": "an opaque op"}, None, "an opaque op"),
        (TEXT, {}, Measures(sensitivity_reason="the step can't be replayed"), "the step can't be replayed"),
    ],
)
def test_no_figure_without_meaning(text: str, figures: dict[str, Any], baseline: Measures | None, reason: str) -> None:
    found = examine(step(text), Replayed(trial(**figures), baseline), lambda _: [])

    assert found.measures.label_sensitivity is None
    assert found.measures.sensitivity_reason == reason


def test_labels_known_from_a_sample_alone_are_permuted() -> None:
    sampled = TEXT.replace("minimum=0 maximum=1", "minimum=1 maximum=1 sampled=true")

    assert examine(step(sampled), Replayed(trial()), lambda _: []).measures.label_sensitivity == 0.4


@pytest.mark.parametrize(("scores", "classes"), [("f32[8,5]", 5), ("f32[8]", 2)])
def test_labels_that_are_all_the_same_are_drawn_anew(scores: str, classes: int) -> None:
    told = (
        TEXT.replace("minimum=0", "minimum=1")
        .replace("w: param", f"d: activation {scores}\n    w: param")
        .replace("cross_entropy d y", 'cross_entropy d y with={"target":1}')
    )
    replay = Replayed(trial())

    found = examine(step(told), replay, lambda _: [])

    assert replay.asked == [Vary(("y",), classes)]
    assert [one.intervention for one in found.trials] == replay.asked


def test_each_intervention_once_and_only_on_what_the_step_has() -> None:
    replay = Replayed(trial())

    examine(step(), replay, lambda _: [*lifts("h", "d", "d", "elsewhere"), Wanted(Permute(("y",)), "again")])

    assert replay.asked == [Permute(("y",)), Lift(("h",)), Lift(("d",))]


def test_what_could_not_be_tried_is_tried_again_when_the_step_is_examined_anew() -> None:
    refusing, able = Replayed(trial(reason="no optimizer is known")), Replayed(trial())

    first = examine(step(), refusing, lambda _: lifts("h"))
    again = examine(first, able, lambda _: lifts("h"))
    once_more = examine(again, able, lambda _: lifts("h"))

    assert [item.reason for item in again.trials if item.intervention == Lift(("h",))] == [""]
    assert able.asked.count(Lift(("h",))) == 1
    assert [item for item in once_more.trials if item.intervention == Lift(("h",))] == [
        item for item in again.trials if item.intervention == Lift(("h",))
    ]


def test_what_a_diagnosis_depends_on_is_tried_first() -> None:
    replay = Replayed(trial())

    examine(step(), replay, lambda _: [*lifts("h"), *lifts("d", required=True)])

    assert replay.asked[1:] == [Lift(("d",)), Lift(("h",))]


def test_short_experiments_are_made_before_long_ones() -> None:
    long, short = Descend(steps=32, activate=("h",), control=("y",)), Descend(factor=0.03)
    replay = Replayed(trial())

    examine(step(), replay, lambda _: [Wanted(long, "it learns", required=True), Wanted(short, "it falls", required=True), *lifts("h")])

    assert replay.asked[1:] == [short, long, Lift(("h",))]


def test_rules_are_asked_once_the_measures_are_known() -> None:
    seen: list[Measures] = []

    def asked(measured: Step) -> list[Wanted]:
        seen.append(measured.measures)
        return []

    examine(step(), Replayed(trial()), asked)

    assert seen[0].label_sensitivity == 0.4


@pytest.mark.parametrize(("losses", "tried"), [((9.0, 2.0, 20.0), [0.03, 0.003]), ((9.0, 2.0, 1.0), [0.03])])
def test_rules_are_asked_once_more_where_a_smaller_rate_is_still_too_large(losses: tuple[float, ...], tried: list[float]) -> None:
    replay = Replayed(trial(losses=losses))

    def asked(measured: Step) -> list[Wanted]:
        done = [one.intervention for one in measured.trials if isinstance(one.intervention, Descend)]
        return [Wanted(Descend(factor=0.003 if done else 0.03), "it falls", required=True)]

    found = examine(step(), replay, asked)

    assert [one.factor for one in replay.asked if isinstance(one, Descend)] == tried
    assert [one.intervention for one in found.trials] == replay.asked


def test_experiments_end_when_their_time_is_used_up() -> None:
    names = tuple(f"v{number}" for number in range(30))
    chain = TEXT + "".join(f"    {name} = neg h\n" for name in names)
    replay = Replayed(trial(), seconds=1.0)

    found = examine(step(chain), replay, lambda _: lifts(*names), replay.clock)

    assert replay.now == 10.0
    assert len(replay.asked) == 8
    assert [one.reason for one in found.trials[8:]] == ["the time for experiments was used up"] * 23
