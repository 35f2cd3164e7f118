"""WG315 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.graph.integer_parameter import diagnose

BEFORE = """
    outcome exit_status=1
    raised type="RuntimeError" message="Only Tensors of floating point and complex dtype can require gradients" @ "train.py":7 text="scale = nn.Parameter(weights)"
"""
WITHIN = """
    outcome exit_status=1 steps_seen=1
    raised type="RuntimeError" message="only Tensors of floating point dtype can require gradients" @ "train.py":9 text="shift.requires_grad_()"
    shift: activation i64[4] called="shift"
    shift = enter native="torch.tensor" @ "train.py":3
    ! exception with={"type":"RuntimeError","message":"only Tensors of floating point dtype can require gradients"} @ "train.py":9 text="shift.requires_grad_()"
"""

ASKED = """
    outcome exit_status=1 steps_seen=1
    raised type="TypeError" message="grad requires real- or complex-valued inputs (input dtype that is a sub-dtype of np.inexact), but got int32." @ "train.py":9
    t0: parameter i32[3] called="weights" differentiable=true
    t1: parameter f32[2] called="bias" differentiable=true
    ! exception with={"type":"TypeError","message":"grad requires real- or complex-valued inputs (input dtype that is a sub-dtype of np.inexact), but got int32."} @ "train.py":9
    parameter weights value=t0 @ "train.py":6
    parameter bias value=t1 @ "train.py":5
"""

ANSWERED = """
    framework tensorflow "2.21.0"
    w: parameter i32[3,1] called="weights"
    x: input f32[4,3]
    c = integer_cast w @ "train.py":4
    p = matmul x c
    loss = mean p
    ! backward loss @ "train.py":7
    parameter weights value=w gradient=none @ "train.py":2
"""

FIRES = {
    "TensorFlow, which answers None": (ANSWERED, 2),
    "a parameter, before the first step": (BEFORE, 7),
    "the line that made it": (WITHIN, 3),
    "made of floating numbers, as far as is known": (WITHIN.replace("i64[4]", "f32[4]"), 9),
    "the line names another": (WITHIN.replace('text="shift.', 'text="other.'), 9),
    "JAX": (
        BEFORE.replace(
            "Only Tensors of floating point and complex dtype can require gradients",
            "grad requires real- or complex-valued inputs (input dtype that is a sub-dtype of np.inexact), but got int32.",
        ),
        7,
    ),
    "what the derivative is asked by, where it was made": (ASKED, 6),
    "several, of which none is named": (ASKED.replace("f32[2]", "i32[2]"), 9),
    "an attribute": (WITHIN.replace('called="shift"', 'called="self.shift"').replace('text="shift.', 'text="self.shift.'), 3),
}

SILENT = {
    "a counter that the loss does not read": ANSWERED.replace("p = matmul x c", "p = mul x x"),
    "a counter that the program moves": ANSWERED + "    ending weights changed=true gradient_seen=false\n",
    "floating numbers (another rule)": ANSWERED.replace("i32[3,1]", "f32[3,1]"),
    "another exception": BEFORE.replace(
        "Only Tensors of floating point and complex dtype can require gradients", "expected scalar type Long but found Float"
    ),
    "no exception": "outcome exit_status=0 steps_seen=3",
    "ids of an embedding": "i: input i64[8]\n    w: parameter f32[4,4]\n    h = embedding i w\n    loss = mean h",
    "a parameter that got none (another rule)": "w: parameter f32[4,4]\n    d = detach w\n    loss = mean d",
    "an empty message": BEFORE.replace("Only Tensors of floating point and complex dtype can require gradients", ""),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert (diagnosis.rule, diagnosis.severity, diagnosis.confidence) == ("WG315", "error", "proved")
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
