"""WG303 and WG308 on sketches of runs without a backward."""

import pytest

from sketch import said
from whygrad.rules.graph import discarded_result, gradient_disabled

STEPPED = """
    optimizer opt native="SGD" steps=25 rates=[0.1,0.1]
      group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    y: label i64[8]
    w: parameter f32[2,4]
    out: activation f32[8,2]
    value: activation f32[]
    out = linear x w @ "train.py":11
    value = cross_entropy out y with={"target":1} @ "train.py":12
    ! optimizer_step opt @ "train.py":13
    parameter w value=w optimizer="opt" trainable=true reached=true gradient="none" gradient_at_update="none"
"""
SWITCHED = """
    outcome cleared=45
    optimizer opt native="SGD" steps=0
      group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    y: label i64[8]
    w: parameter f32[2,4]
    out: activation f32[8,2]
    value: activation f32[]
    ! tracking with={"on":false} @ "train.py":17 text="with torch.set_grad_enabled(phase == 'train'):"
    out = linear x w tracking=false @ "train.py":18
    value = cross_entropy out y tracking=false with={"target":1} @ "train.py":19
    parameter w value=w optimizer="opt" trainable=true reached=true gradient="none"
"""
BLOCK = SWITCHED.replace("""with torch.set_grad_enabled(phase == 'train'):""", "with torch.no_grad():")


def test_a_backward_that_was_forgotten():
    (found,) = said(discarded_result.diagnose, STEPPED)

    assert found.site is not None
    assert (found.site.line, found.confidence, found.severity) == (12, "proved", "warning")
    assert found.message == "the loss is computed in every step and never differentiated: the run asks for no gradient"
    assert found.evidence[0].statement == "an optimizer was asked to step 25 times, and no backward ran in the whole program"


@pytest.mark.parametrize(
    ("text", "help_"), [(SWITCHED, "the condition of this line"), (BLOCK, "outside of this")], ids=["a condition", "a block"]
)
def test_tracking_that_was_never_on(text: str, help_: str):
    (found,) = said(gradient_disabled.diagnose, text)

    assert found.site is not None
    assert found.site.line == 17
    assert found.message == "every loss of the run is computed with gradient tracking off, and no gradient is asked for: `w` never moves"
    assert found.evidence[0].statement == "gradients were cleared for another step 45 times, and no backward ran in the whole program"
    assert help_ in found.help


SILENT = {
    "a backward outside the recorded steps": "    outcome backwards_seen=1\n" + STEPPED,
    "one step to see that it runs": STEPPED.replace("steps=25", "steps=1"),
    "a schedule is drawn": STEPPED.replace('    value = cross_entropy out y with={"target":1} @ "train.py":12\n', ""),
    "gradients written by hand": STEPPED.replace('gradient_at_update="none"', 'gradient_at_update="finite"'),
    "no parameter of the optimizer": STEPPED.replace('parameters=["w"]', 'parameters=["v"]').replace('optimizer="opt" ', ""),
    "a score of labels against labels": STEPPED.replace("cross_entropy out y", "cross_entropy x y"),
    "an evaluation": SWITCHED.replace("cleared=45", "cleared=0"),
    "an exception ended it": '    raised type="KeyError" message="images"\n' + STEPPED,
    "no switch known": SWITCHED.replace("! tracking with={\"on\":false} @ \"train.py\":17 text=\"with torch.set_grad_enabled(phase == 'train'):\"", ""),
}  # fmt: skip


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str):
    assert not said(discarded_result.diagnose, text)
    assert not said(gradient_disabled.diagnose, text)
