"""WG318 on sketches of parameters that a compiled function took in."""

import pytest

from sketch import said
from whygrad.rules.graph.stale_weight import diagnose
from whygrad.rules.update.missing_step import diagnose as missing

TRACED = """
    optimizer opt native="SGD" @ "fit.py":12
    group rate=0.1 parameters=["w"]
    outcome exit_status=0 steps_seen=100 backwards_seen=100
    step 0
    x: input f32[64,3]
    y: label f32[64]
    w: parameter f32[3]
    a = matmul x w @ "fit.py":18
    loss = mse_loss a y with={"target":1}
    ! backward loss @ "fit.py":20
    ! dropped w with={"what":"traced"} @ "fit.py":25
    parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=0.5
    ending w changed=false gradient_seen=true
"""
SILENT = {
    "an update that was dropped": TRACED.replace("traced", "applied"),
    "what moved all the same": TRACED.replace("changed=false", "changed=true"),
    "one derivative": TRACED.replace("backwards_seen=100", "backwards_seen=1"),
}


def test_it_stands_where_the_gradient_is_asked_for_and_no_step_is_missing() -> None:
    (found,) = said(diagnose, TRACED)
    assert (found.rule, found.site.line if found.site else 0) == ("WG318", 20)
    assert not said(missing, TRACED)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_it_is_silent(text: str) -> None:
    assert not said(diagnose, text)
