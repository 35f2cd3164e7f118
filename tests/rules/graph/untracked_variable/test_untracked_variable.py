"""WG314 on sketches: fires, is silent. It occurs in TensorFlow alone."""

import pytest

from sketch import said
from whygrad.rules.graph.untracked_variable import diagnose

TEXT = """
    w: activation f32[2,1] called="w"
    x: input f32[32,2]
    b: parameter f32[1]
    w = enter native="tf.constant" @ "train.py":3
    h = matmul x w
    s = add h b
    loss = mean s
    ! backward loss with={"unwatched":["w"]} @ "train.py":9
    ! update b
"""
SPENT = """
    outcome exit_status=1 steps_seen=1
    raised type="RuntimeError" message="A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)" @ "train.py":12
"""

WITHIN = SPENT.replace(
    "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians)",
    "tf.function only supports singleton tf.Variables created on the first call. Make sure that",
).replace("RuntimeError", "ValueError")
TWICE = (
    """
    x: input f32[32,2]
    ! exception with={"type":"ValueError","message":"Argument `initial_value` (Tensor) could not be lifted out of a `tf.function`. (Tried to"}
"""
    + WITHIN
)

ANEW = """
    step 0 updated=true
    x: input f32[32,2]
    b: parameter f32[4,2]
    w: parameter f32[1,4]
    h = linear x b
    s = linear h w
    loss = mean s
    ! backward loss
    ! update body head
    parameter body value=b reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":2
    parameter head value=w reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":6
    step 1 updated=true
    x: input f32[32,2]
    b: parameter f32[4,2]
    v: parameter f32[1,4]
    h = linear x b
    s = linear h v
    loss = mean s
    ! backward loss
    ! update body head
    parameter body value=b reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":2
    parameter head value=w norm=1.0 update_norm=0.0 @ "train.py":6
    parameter "head (2)" value=v reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":6
"""
ANEW = ANEW.replace("    v: parameter f32[1,4]\n", "    v: parameter f32[1,4]\n    w: parameter f32[1,4]\n")

FIRES = {
    "a layer that each step makes anew": (ANEW, 6),
    "a variable that a compiled step makes": (WITHIN, 12),
    "the same, raised once by a trial": (TWICE, 12),
    "a constant": (TEXT, 3),
    "a constant that came from elsewhere": (TEXT.replace('    w = enter native="tf.constant" @ "train.py":3\n', ""), 9),
    "in another form": (TEXT.replace("    h = matmul x w", "    r = reshape w\n    h = matmul x r"), 3),
    "a tape that is spent": (SPENT, 12),
}

SILENT = {
    "another layer trained in turns": ANEW.replace(
        'parameter "head (2)" value=v reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":6',
        'parameter "head (2)" value=v reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":7',
    ),
    "a whole model that is new": ANEW.replace("parameter body value=b reached=true", "parameter body value=b trainable=false reached=true"),
    "an inner loop": ANEW.replace("    ! backward loss\n", "    ! backward loss\n    ! backward loss\n"),
    "steps that do not follow each other": ANEW.replace("step 1", "step 9"),
    "one that is read as well": ANEW.replace("parameter head value=w norm", "parameter head value=w reached=true norm"),
    "a head of another size": ANEW.replace("v: parameter f32[1,4]", "v: parameter f32[3,4]"),
    "what the first step never moved": ANEW.replace(
        'reached=true gradient="finite" norm=1.0 update_norm=0.1 @ "train.py":6',
        'reached=true gradient="finite" norm=1.0 update_norm=0.0 @ "train.py":6',
    ),
    "a function that raises something else": WITHIN.replace("singleton tf.Variables", "tensors"),
    "everything watched": TEXT.replace('"unwatched":["w"]', '"stale":0'),
    "the loss does not depend on it": TEXT.replace('"unwatched":["w"]', '"unwatched":["x2"]').replace(
        "    h = matmul", "    x2: input f32[2]\n    h = matmul"
    ),
    "a name that the step does not have": TEXT.replace('["w"]', '["q"]'),
    "none of them": TEXT.replace('["w"]', "[]"),
    "another exception": SPENT.replace("A non-persistent GradientTape can only be used to compute one set of gradients", "shapes differ"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert (diagnosis.rule, diagnosis.severity, diagnosis.confidence) == ("WG314", "error", "proved")
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_an_exception_about_none_follows() -> None:
    raised = '    ! exception with={"type":"TypeError","message":"unsupported operand type(s) for *: \'float\' and \'NoneType\'"}\n'
    (diagnosis,) = said(diagnose, TEXT + raised)

    assert any(fact.what == "exception" for fact in diagnosis.explains)
