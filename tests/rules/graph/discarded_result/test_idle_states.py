"""The part of WG308 about loops that hand on the old state: fires, is silent, and the line that the source gives."""

from pathlib import Path
from textwrap import dedent
from time import time

import pytest

from sketch import said, sketch
from whygrad.frontends.origins.carried import carried
from whygrad.frontends.origins.program import Program
from whygrad.frontends.source import Sources
from whygrad.rules.graph.discarded_result import diagnose

TURN = """
    a{0} = matmul x{0} w
    r{0} = matmul h u @ "cells.py":3
    s{0} = add a{0} r{0}
    t{0} = tanh s{0}
"""
LOOP = (
    """
    ending w changed=true gradient_seen=true
    ending u changed=false gradient_seen=true
    x0: input f32[8,4]
    x1: input f32[8,4]
    x2: input f32[8,4]
    h: input f32[8,4] zeros=1.0
    w: parameter f32[4,4]
    u: parameter f32[4,4]
"""
    + "".join(TURN.format(turn) for turn in range(3))
    + """
    kept = concat t0 t1 t2
    loss = mean kept
    ! backward loss
    ! optimizer_step opt
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=1.0 update_norm=0.1
    parameter u optimizer="opt" reached=true gradient="zero" gradient_norm=0.0
"""
)
MADE = LOOP.replace("    x0: input", "    n: input f32[]\n    x0: input").replace("    a0 = ", "    h = expand n\n    a0 = ")
DECAYED = ("ending u changed=false", "ending u changed=true")


@pytest.mark.parametrize("text", [LOOP, MADE.replace(*DECAYED)], ids=["handed in", "made in the step, under weight decay"])
def test_weights_that_meet_the_zeros_of_the_beginning_at_each_turn(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.message.startswith("`u` weighs nothing but zeros")
    assert diagnosis.site is not None
    assert diagnosis.site.line == 3
    assert diagnosis.evidence[0].value == 3
    assert ("the same values at the end" in diagnosis.evidence[1].statement) == ("u changed=false" in text)
    assert "lax.scan" not in (diagnosis.help or "")


@pytest.mark.parametrize(
    "text",
    [
        LOOP.replace("zeros=1.0", "zeros=0.5"),
        LOOP.replace("h: input f32[8,4] zeros=1.0", "h: parameter f32[8,4] zeros=1.0"),
        LOOP.replace("r1 = matmul h u", "r1 = matmul t0 u").replace("r2 = matmul h u", "r2 = matmul t1 u"),
        LOOP.replace("    x0: input f32[8,4]", "    step 0\n    x0: input f32[8,4]")
        + '    step 1\n    u: parameter f32[4,4]\n    loss = mean u\n    ! backward loss\n    parameter u reached=true gradient="finite" gradient_norm=1.0\n',
        LOOP.replace(*DECAYED),
        LOOP.replace("r1 = matmul h u", "r1 = copy a1").replace("r2 = matmul h u", "r2 = copy a2"),
        LOOP.replace('parameter u optimizer="opt"', 'parameter u trainable=false optimizer="opt"'),
    ],
    ids=["a state", "a trained state of zeros", "handed on", "filled later", "moved later", "a single turn", "frozen on purpose"],
)
def test_states_that_are_read_once_or_change(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("    return h, new", 5),
        ("    return (h, new)", 5),
        ("    return new, new", None),
        ("    h = new\n    return h, new", None),
        ("    return h", None),
    ],
)
def test_the_line_that_hands_back_what_was_given(tmp_path: Path, body: str, line: int | None) -> None:
    source = tmp_path / "cells.py"
    source.write_text(
        dedent("""\
        def cell(params, h, x):
            past = x @ params["w"]
            past = past + h @ params["u"]
            new = jax.nn.tanh(past)
        """)
        + body
        + "\n"
    )
    record = sketch(LOOP.replace("cells.py", str(source))).record
    found = [origin.site.line for origin in carried(Program(Sources(time() + 9)), record) if origin.site is not None]

    assert found == ([line] if line else [])
