"""WG214 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.loss.non_scalar_loss import diagnose

STACKED = """
    x: input f32[30,6]
    y: label f32[30]
    w: parameter f32[1,6]
    p: activation f32[30]
    a: activation f32[]
    loss: loss f32[2]
    p = linear x w @ "a.py":3
    a = mse_loss p y with={"target":1,"reduction":"mean"} @ "a.py":4
    loss = concat a a @ "a.py":5
    ! backward loss with={"failed":true} @ "a.py":9
    ! exception with={"type":"RuntimeError","message":"grad can be implicitly created only for scalar outputs"}
"""
UNREDUCED = (
    STACKED.replace('    loss = concat a a @ "a.py":5\n', "")
    .replace("a: activation f32[]", "")
    .replace("f32[2]", "f32[30]")
    .replace('    a = mse_loss p y with={"target":1,"reduction":"mean"}', '    loss = mse_loss p y with={"target":1,"reduction":"none"}')
)

TRAINED = (
    UNREDUCED.replace("loss: loss f32[30]", "each: activation f32[30]\n    loss: loss f32[30]")
    .replace("    loss = mse_loss", "    each = mse_loss")
    .replace("    ! backward", '    loss = div each @ "a.py":20\n    ! backward')
    .replace('@ "a.py":9', '@ "a.py":20 library=[["trainer.py",7,"training_step"]]')
)
"""A trainer of a library divides what it was handed, and asks for the gradient."""

FIRES = {
    "divided by a trainer": (TRAINED, 4),
    "divided on the line of the backward": (TRAINED.replace(' library=[["trainer.py",7,"training_step"]]', ""), 20),
    "losses stacked": (STACKED, 5),
    "a loss per entry": (UNREDUCED, 4),
    "a table of losses": (UNREDUCED.replace("loss: loss f32[30]", "loss: loss f32[30,4]"), 4),
    "refused by JAX": (
        UNREDUCED.replace(
            "grad can be implicitly created only for scalar outputs",
            "Gradient only defined for scalar-output functions. Output had shape: (30,).",
        ),
        4,
    ),
    "made in no op that is known": (UNREDUCED.replace('loss = mse_loss p y with={"target":1,"reduction":"none"} @ "a.py":4', ""), 9),
}

SILENT = {
    "one number": STACKED.replace("f32[2]", "f32[]")
    .replace('with={"failed":true}', "")
    .replace("grad can be implicitly created only for scalar outputs", ""),
    "one entry": STACKED.replace("f32[2]", "f32[1]"),
    "weights are given": STACKED.replace('with={"failed":true}', "").replace("grad can be implicitly created only for scalar outputs", ""),
    "the backward raised for another reason": STACKED.replace(
        "grad can be implicitly created only for scalar outputs", "Trying to backward through the graph a second time"
    ),
    "the shape is unknown": STACKED.replace("f32[2]", "f32"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_several_numbers_to_minimise(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_reduction_is_told_and_the_exception_explained() -> None:
    (diagnosis,) = said(diagnose, UNREDUCED)

    assert "reduction='none'" in diagnosis.evidence[0].statement
    assert {fact.what for fact in diagnosis.explains} == {"exception"}
    assert diagnosis.related[0].site.line == 9


SUMMED = """
    record whygrad="0.1.0"
    course steps=60 start=500.0 first=900.0 last=9e30 lowest=500.0 highest=9e30 noise=2.0 @ "a.py":9
    optimizer opt native="SGD" steps=60
      group rate=0.1 parameters=["w"]
    step 0
    x: input f32[30,4]
    y: label f32[30,1]
    w: parameter f32[4,1]
    p: activation f32[30,1]
    loss: loss f32[30] called="loss"
    p = linear x w @ "a.py":3
    loss = mse_loss p y with={"target":1,"reduction":"none"} @ "a.py":4
    ! batch x y
    ! backward loss @ "a.py":9 with={"stale":0,"failed":false}
    ! optimizer_step opt
    parameter w optimizer="opt" gradient="finite"
    labels values=["y"] how="target"
    measures loss=500.0 gradient_norm=34.0 label_sensitivity=0.4
"""

BY_TAPE = {
    "the run learns": SUMMED.replace("last=9e30", "last=20.0").replace("highest=9e30", "highest=900.0"),
    "one number": SUMMED.replace("loss: loss f32[30]", "loss: loss f32[]"),
    "an optimizer that does not feel the scale": SUMMED.replace('native="SGD"', 'native="Adam"'),
    "a few losses, none of an example": SUMMED.replace("loss: loss f32[30]", "loss: loss f32[3]"),
}


def test_a_tape_that_took_the_sum_of_the_examples_where_the_run_diverges() -> None:
    (diagnosis,) = said(diagnose, SUMMED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 4
    assert {"diverges", "stands"} <= {fact.what for fact in diagnosis.explains}


@pytest.mark.parametrize("text", BY_TAPE.values(), ids=BY_TAPE)
def test_sums_that_do_no_harm(text: str) -> None:
    assert not said(diagnose, text)


OTHERS_TOO = """
    x: input f32[8,4]
    w: parameter f32[4]
    d = matmul x w
    ! exception with={"type":"TypeError","message":"Gradient only defined for scalar-output functions. Output was (JitTracer(f32[]), JitTracer(f32[8]))."}
"""


def test_a_loss_that_comes_with_other_values_in_jax() -> None:
    (diagnosis,) = said(diagnose, OTHERS_TOO)

    assert Fact("exception", "TypeError") in diagnosis.explains
    assert diagnosis.evidence[0].statement == "it returned `(JitTracer(f32[]), JitTracer(f32[8]))`"


def test_one_value_of_several_entries_is_no_tuple() -> None:
    assert not said(diagnose, OTHERS_TOO.replace("(JitTracer(f32[]), JitTracer(f32[8]))", "JitTracer(f32[8])"))
