"""WG312 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.ir import Differentiate
from whygrad.rules.graph.wrong_custom_gradient import diagnose

NONE = """
    ending w changed=true gradient_seen=true
    ending b changed=false gradient_seen=false
    x: input f32[8,4]
    w: parameter f32[2,4] differentiable=true
    b: parameter f32[2] differentiable=true
    out: activation f32[8,2] differentiable=true
    loss: loss f32[] differentiable=true
    out = custom x w b native="Fused" carries=[false,true,true] with={"backward":["fused.py",17,"Fused.backward","return gx, gw, None"]} @ "fused.py":27
    loss = mean out
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.7
    parameter b optimizer="opt" reached=true gradient="none"
"""

WRONG = (
    NONE.replace('parameter b optimizer="opt" reached=true gradient="none"', 'parameter b optimizer="opt" reached=true gradient="finite"')
    + '    trial intervention={"type":"differentiate","ops":["out"]} figures={"checked":6.0,"wrong":6.0,"opposed":6.0,"zero":0.0,"input":1.0}\n'
)

SILENT = {
    "another open way": NONE.replace("loss = mean out", "part = mean b\n    rest = mean out\n    loss = add part rest"),
    "not to be trained": NONE.replace('parameter b optimizer="opt"', 'parameter b trainable=false optimizer="opt"'),
    "a gradient in another step": NONE.replace(
        'parameter b optimizer="opt" reached=true gradient="none"', 'parameter b optimizer="opt" reached=true gradient="finite"'
    ),
    "a library's own function": NONE.replace('"backward":["fused.py",17,"Fused.backward","return gx, gw, None"]', '"axis":0'),
    "under no_grad": NONE.replace("carries=[false,true,true]", "tracking=false carries=[false,false,false]"),
    "nothing happened": 'record program="train.py"',
}


def test_a_backward_that_returns_none() -> None:
    (diagnosis,) = said(diagnose, NONE)

    assert diagnosis.confidence == "proved"
    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("fused.py", 17)
    assert diagnosis.message == "the backward of `Fused` returns None at position 3, so `b` gets no gradient"


def test_a_backward_that_finite_differences_contradict() -> None:
    (diagnosis,) = said(diagnose, WRONG)

    assert diagnosis.confidence == "measured"
    assert diagnosis.test is not None
    assert diagnosis.test.required
    assert diagnosis.test.intervention == Differentiate(("out",))
    assert diagnosis.message == "the backward of `Fused` gives a wrong gradient for `w`: it points the other way"


def test_a_backward_that_does_not_use_what_it_is_given() -> None:
    (diagnosis,) = said(diagnose, WRONG.replace('"input":1.0', '"input":1.0,"deaf":1.0'))

    assert diagnosis.message == "the backward of `Fused` gives a wrong gradient for `w`: it does not use the gradient that it is given"
    assert diagnosis.help.startswith("multiply the derivative by the gradient that the backward is given")


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    """What asks for an experiment first is not spoken without it."""
    assert not [diagnosis for diagnosis in said(diagnose, text) if diagnosis.test is None]
