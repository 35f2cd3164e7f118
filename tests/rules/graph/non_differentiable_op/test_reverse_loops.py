"""WG304 on sketches of loops without a reverse mode."""

from sketch import said
from whygrad.rules.graph.non_differentiable_op import diagnose

REFUSED = """
    step 0
    x: input f32[64,4]
    w: parameter f32[4,4]
    z: activation f32[64,4]
    h = matmul x w @ "layer.py":12
    z = opaque h w native="jax.numpy.while" @ "layer.py":14
    loss = mean z @ "train.py":20
    ! backward loss with={"failed":true} @ "train.py":26
    ! exception with={"type":"ValueError","message":"Reverse-mode differentiation does not work for lax.while_loop or lax.fori_loop with dynamic start/stop values."}
    parameter w value=w reached=true gradient="none"
"""


def test_the_loop_is_told() -> None:
    (found,) = [one for one in said(diagnose, REFUSED) if "loop" in one.message]
    assert found.site is not None
    assert (found.site.file, found.site.line) == ("layer.py", 14)


def test_a_loop_that_is_not_refused_is_left_alone() -> None:
    text = REFUSED.replace("Reverse-mode differentiation does not work for lax.while_loop", "something else")
    assert not [one for one in said(diagnose, text) if "loop" in one.message]
