"""WG412 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.ir import Descend
from whygrad.rules.update.too_small_update import diagnose

SLOW = """
    optimizer opt native="SGD" steps=120 rates=[0.00025,0.00025] last_rate=0.00025 @ "train.py":5
    group rate=0.00025 parameters=["w"]
    course steps=120 start=1.37 first=1.37 last=1.36 noise=0.02 @ "train.py":11
    x: input f32[64,8]
    y: label i64[64]
    w: parameter f32[4,8]
    a = linear x w
    loss = cross_entropy a y with={"target":1}
    ! batch x y
    ! backward loss @ "train.py":11
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=2.0 update_norm=1e-4
    labels values=["y"] how="target"
    measures loss=1.37 label_sensitivity=0.5
"""

UNSEEN = SLOW.replace(
    '    course steps=120 start=1.37 first=1.37 last=1.36 noise=0.02 @ "train.py":11\n', "    outcome exit_status=0 steps_seen=120\n"
)
"""A jitted step that does not return its loss."""

INNER = UNSEEN.replace("    outcome", '    course steps=2 start=1.37 first=1.37 last=1.36 noise=0.02 @ "train.py":11\n    outcome')
"""A compiled step whose loss is seen where it is recorded alone."""

DIVIDED = SLOW.replace('parameters=["w"]', 'parameters=["w"] settings={"divides_by":32768.0}').replace(
    "update_norm=1e-4", "update_norm=1e-6"
)
"""A loss scale divides the gradients of a loss that was never multiplied."""

AVERAGED = SLOW.replace('parameters=["w"]', 'parameters=["w"] settings={"ema_overwrite_frequency":1,"ema_momentum":0.999}').replace(
    "1e-4", "1e-6"
)
"""Keras' own average is told to overwrite the weights after each update."""

FIRES = {
    "a bias that began with zeros has moved by its size": (
        SLOW.replace(
            "    labels values",
            '    b: parameter f32[4]\n    parameter b optimizer="opt" gradient="finite" norm=0.01 update_norm=0.01\n    labels values',
        ),
        5,
        "warning",
    ),
    "an average that overwrites the weights after each update": (AVERAGED, 5, "warning"),
    "a loss scale that no loss is multiplied by": (DIVIDED, 11, "warning"),
    "a rate divided by the data set's size": (SLOW, 5, "warning"),
    "batches that scatter, and weights that move by a ten-thousandth in the whole run": (
        SLOW.replace("last=1.36 noise=0.02", "last=1.2 noise=0.2").replace("update_norm=1e-4", "update_norm=1e-6"),
        5,
        "warning",
    ),
    "a short run that a thousand steps would not have helped": (
        SLOW.replace("course steps=120", "course steps=30").replace("update_norm=1e-4", "update_norm=1e-9"),
        5,
        "warning",
    ),
    "asked for while the run is young, before its first update": (
        SLOW.replace("course steps=120", "course steps=1").replace("update_norm=1e-4", ""),
        5,
        "warning",
    ),
    "nobody saw the loss, and the run was too short to move": (UNSEEN, 5, "warning"),
    "it was seen of the recorded steps alone": (INNER, 5, "warning"),
    "an absolute error that is far off, whose gradient is the same for all labels": (
        SLOW.replace("cross_entropy", "l1_loss").replace("label_sensitivity=0.5", "label_sensitivity=0.0"),
        5,
        "warning",
    ),
}

SILENT = {
    "batches that scatter, and weights that may have learnt": SLOW.replace("last=1.36 noise=0.02", "last=1.2 noise=0.2"),
    "another loss whose gradient is the same for all labels": SLOW.replace("label_sensitivity=0.5", "label_sensitivity=0.0"),
    "a loss scale without a scaled loss, where the optimizer makes up for it": DIVIDED.replace("last=1.36", "last=0.5"),
    "a short run with small updates": SLOW.replace("course steps=120", "course steps=30"),
    "a try of one step, whose update was seen": SLOW.replace("course steps=120", "course steps=1"),
    "the loss falls": SLOW.replace("last=1.36", "last=0.5"),
    "updates of ordinary size": SLOW.replace("update_norm=1e-4", "update_norm=0.05"),
    "young, with ordinary updates": SLOW.replace("course steps=120", "course steps=1").replace("gradient_norm=0.5", "gradient_norm=500"),
    "seen of the recorded steps alone, in a run long enough to move": INNER.replace("steps_seen=120", "steps_seen=10000"),
    "nobody saw the loss, and the run was long enough to move": UNSEEN.replace("steps_seen=120", "steps_seen=10000"),
    "nobody saw the loss of a try that a thousand updates would have moved": UNSEEN.replace("steps_seen=120", "steps_seen=5"),
    "no number": SLOW.replace("update_norm=1e-4", 'update_norm="nan"'),
    "nothing measured": SLOW.replace("update_norm=1e-4", ""),
}

OTHERS = {
    "no update at all (WG406)": SLOW.replace("update_norm=1e-4", "update_norm=0.0"),
    "labels without effect (WG102)": SLOW.replace("label_sensitivity=0.5", "label_sensitivity=0.0"),
}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG412"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


SCHEDULED = (
    SLOW.replace("rates=[0.00025,0.00025] last_rate=0.00025", "rates=[0.0,0.0004] last_rate=0.0001")
    .replace('@ "train.py":5', '@ "train.py":5 & "train.py":6')
    .replace('parameters=["w"]', 'parameters=["w"] settings={"initial_lr":0.02}')
    .replace("update_norm=1e-4", "update_norm=0.05")
)


@pytest.mark.parametrize(
    "text",
    [
        SCHEDULED,
        SCHEDULED.replace("last=1.36", "last=0.9"),
        SCHEDULED.replace("last_rate=0.0001", "last_rate=0.0004"),
    ],
    ids=["it fell again", "the loss falls", "it stays at the square"],
)
def test_a_schedule_that_is_multiplied_is_named(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 6
    assert diagnosis.test is not None
    assert diagnosis.test.required


@pytest.mark.parametrize(
    "text",
    [
        SCHEDULED.replace("[0.0,0.0004]", "[0.0,0.02]"),
        SCHEDULED.replace("[0.0,0.0004] last_rate=0.0001", "[0.0,0.0005] last_rate=0.0005"),
        SCHEDULED.replace('"initial_lr":0.02', '"initial_lr":1.0'),
        SCHEDULED.replace('{"initial_lr":0.02}', "{}"),
        SCHEDULED.replace("[0.0,0.0004]", '[0.0,"nan"]'),
    ],
    ids=["it reaches the rate", "a warm-up under way", "rates for an optimizer of rate 1", "no schedule", "no number"],
)
def test_schedules_that_are_meant_so_are_left_alone(text: str) -> None:
    assert not said(diagnose, text)


def test_an_average_is_told_only_where_it_overwrites_at_each_update() -> None:
    (diagnosis,) = said(diagnose, AVERAGED)
    (other,) = said(diagnose, AVERAGED.replace('"ema_overwrite_frequency":1', '"ema_overwrite_frequency":100'))

    assert "moving average" in diagnosis.message
    assert diagnosis.test is None
    assert "moving average" not in other.message


def test_a_loss_scale_is_told_without_a_larger_rate_being_tried() -> None:
    (diagnosis,) = said(diagnose, DIVIDED)

    assert diagnosis.test is None
    assert "scale_loss(loss)" in diagnosis.help
    assert not said(diagnose, DIVIDED.replace("course steps=120", "course steps=1"))


def test_only_a_schedule_that_gives_the_rate_itself_is_multiplied_by_one() -> None:
    (itself,) = said(diagnose, SCHEDULED)
    (other,) = said(diagnose, SCHEDULED.replace("[0.0,0.0004]", "[0.0,0.0003]"))

    assert itself.remedy is not None
    assert [(edit.keyword, edit.text) for edit in itself.remedy.edits] == [("lr", "1.0")]
    assert other.remedy is None


@pytest.mark.parametrize(("rate", "factor"), [("0.00025", 1e2), ("0.00005", 1e3), ("0.000005", 1e4), ("0.0000005", 1e5)])
def test_the_rate_that_is_tried_is_one_at_which_a_few_updates_show(rate: str, factor: float) -> None:
    (found,) = said(diagnose, SLOW.replace("0.00025", rate))

    assert found.test is not None
    assert isinstance(found.test.intervention, Descend)
    assert found.test.intervention.factor == factor
