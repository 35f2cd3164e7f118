"""WG304 on draws beside an open path, in sketches."""

import pytest

from sketch import said
from whygrad.rules.graph.non_differentiable_op import diagnose

TRAINED = """
    parameter enc value=enc optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    parameter dec value=dec optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
"""
START = """
    enc: parameter f32[4,6]
    dec: parameter f32[6,4]
    x: input f32[8,6]
    mu: activation f32[8,4]
    z: activation f32[8,4]
    mu = linear x enc
"""
DRAWN = (
    START
    + """
    z = sample mu mu native="torch.normal" carries=[true,true] @ "vae.py":20
    out = linear z dec
"""
)
PENALTY = """
    square = square mu
    penalty = mean square
"""

FIRES = {
    "scalar terms": DRAWN + PENALTY + "rec = mse_loss out x\nloss = add rec penalty" + TRAINED,
    "a loss that is printed": DRAWN + PENALTY + "rec = mse_loss out x\nloss = add rec penalty\nn = leave loss" + TRAINED,
    "a penalty that is weighed": DRAWN + PENALTY + "rec = mse_loss out x\nweighed = mul penalty\nloss = add rec weighed" + TRAINED,
    "terms of each example, added before the mean": (
        DRAWN + "square = square mu\nrows = sum square\nerrors = mse_loss out x\nboth = add errors rows\nloss = mean both" + TRAINED
    ),
    "a draw whose result has no history": (
        START
        + """
    wide = expand mu tracking=false
    z = sample wide mu native="torch.normal" carries=[false,false] tracking=false @ "vae.py":20
    out = linear z dec carries=[false,true]
    """
        + PENALTY
        + "rec = mse_loss out x\nloss = add rec penalty"
        + TRAINED
    ),
}
SILENT = {
    "noise scaled by hand": (
        START + "e: activation f32[8,4]\ne = sample mu mu\nz = add mu e\nout = linear z dec" + PENALTY + "rec = mse_loss out x\nloss = add rec penalty" + TRAINED
    ),
    "the log-probability of the draw": (
        DRAWN + "gap = sub z mu\nlogp = square gap\nlog = mean logp\nrec = mse_loss out x\nloss = add rec log" + TRAINED
    ),
    "a skip connection beside the draw": (
        DRAWN + "skip = linear mu dec\nsum = add out skip\nrec = mse_loss sum x" + PENALTY + "loss = add rec penalty" + TRAINED
    ),
    "no other term trains the encoder here": DRAWN + "loss = mse_loss out x" + TRAINED,
    "a distribution that was detached": (
        START + "d = detach mu\nz = sample d d\nout = linear z dec" + PENALTY + "rec = mse_loss out x\nloss = add rec penalty" + TRAINED
    ),
    "a model that goes on from its own draws": (
        DRAWN.replace("linear z dec", "linear z enc") + PENALTY + "rec = mse_loss out x\nmore = mean dec\nsum = add rec more\nloss = add sum penalty" + TRAINED
    ),
    "ids that a model picked": (
        DRAWN.replace("z: activation f32[8,4]", "z: activation i64[8,4]") + PENALTY + "rec = mse_loss out x\nloss = add rec penalty" + TRAINED
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_a_draw_cuts_one_term_off(text: str) -> None:
    (found,) = [one for one in said(diagnose, text, steps=2) if one.severity == "warning"]

    assert found.site is not None
    assert (found.site.line, found.names) == (20, ("enc",))
    assert found.message == "the draw has no derivative: what the loss says of `dec` never reaches `enc`"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_draws_that_are_meant_are_no_cut_of_a_term(text: str) -> None:
    assert [one for one in said(diagnose, text) if one.severity == "warning"] == []
