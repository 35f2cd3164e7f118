"""WG702 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.wiring.loss_not_returned import diagnose

NONE = """
    raised type="AttributeError" message="'NoneType' object has no attribute 'backward'" @ "train.py":11
    x: input f32[4,8]
    y: label i64[4]
    w: parameter f32[2,8] differentiable=true
    l: activation f32[] called="loss" differentiable=true
    out = linear x w @ "train.py":9
    l = cross_entropy out y @ "train.py":5 in "criterion"
    ! exception with={"type":"AttributeError","message":"'NoneType' object has no attribute 'backward'"}
"""

SKIPPED = """
    outcome steps_seen=1 backwards_seen=0
    x: input f32[4,8]
    y: label i64[4]
    w: parameter f32[2,8] differentiable=true
    l: activation f32[] called="loss" differentiable=true
    out = linear x w scope=0 @ "model.py":8
    l = cross_entropy out y scope=0 @ "model.py":9 in "Net.training_step"
    scope training_step @ "model.py":7
    ! optimizer_step opt
"""

FIRES = {
    "a function without a return": (NONE, 5, "`criterion` computes a loss and does not return it"),
    "a function without a return, for a tape of TensorFlow's": (
        NONE.replace(
            "'NoneType' object has no attribute 'backward'",
            "Argument `target` should be a list or nested structure of Tensors, Variables or CompositeTensors to be differentiated, but received None.",
        ),
        5,
        "`criterion` computes a loss and does not return it",
    ),
    "a loss that is written out, and not returned": (
        NONE.replace("l = cross_entropy out y", "d = sub out y\n    l = mean d") + '    labels values=["y"] how="target"\n',
        5,
        "`criterion` computes a loss and does not return it",
    ),
    "a loss that is written out, where nothing was differentiated": (
        NONE.replace(
            "'NoneType' object has no attribute 'backward'", "Gradient only defined for scalar-output functions. Output was None."
        ).replace("l = cross_entropy out y", "d = sub out y\n    l = mean d"),
        5,
        "`criterion` computes a loss and does not return it",
    ),
    "a training step without a return": (SKIPPED, 9, "`training_step` computes a loss, and no gradient is ever asked for: it returns none"),
}

SILENT = {
    "no loss was computed (WG701)": NONE.replace("l = cross_entropy out y", "l = sum out"),
    "a penalty alone": NONE.replace("l = cross_entropy out y", "l = sum w"),
    "differentiated": SKIPPED.replace("! optimizer_step opt", "! backward l"),
    "a validation": SKIPPED.replace("training_step", "validation_step"),
    "under no_grad": SKIPPED.replace("l = cross_entropy out y scope=0", "l = cross_entropy out y scope=0 tracking=false"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line", "message"), FIRES.values(), ids=FIRES)
def test_losses_that_are_not_handed_on(text: str, line: int, message: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.message == message
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", [NONE, SKIPPED], ids=["a function", "a training step"])
def test_the_function_is_to_return_what_was_made(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.remedy is not None
    assert [(edit.action, edit.site) for edit in found.remedy.edits] == [("return", found.site)]


def test_nothing_is_edited_in_a_function_that_the_step_calls() -> None:
    (found,) = said(diagnose, SKIPPED.replace('in "Net.training_step"', 'in "Net.loss_of"'))

    assert found.remedy is None
