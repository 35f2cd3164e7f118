"""WG304 on second derivatives, on sketches: zero everywhere in a net of straight pieces, and silence where something bends it."""

import pytest

from sketch import said
from whygrad.rules.graph.non_differentiable_op import diagnose

EQUATION = """
    x: input f32[64,1]
    ones: activation f32[64,1]
    w: parameter f32[32,1]
    v: parameter f32[1,32]
    z: activation f32[64,32]
    h: activation f32[64,32]
    u: activation f32[64,1]
    du: activation f32[64,1] minimum=-0.2 maximum=0.7 finite=1.0
    ddu: activation f32[64,1] minimum=0.0 maximum=0.0 finite=1.0
    r: activation f32[64,1]
    pde: activation f32[]
    bc: activation f32[]
    loss: loss f32[]
    z = linear x w @ "nets.py":5
    h = relu z @ "nets.py":6
    u = linear h v @ "nets.py":7
    du = opaque u x ones native="grad" carries=[true,true,false] @ "physics.py":3
    ddu = opaque du x ones native="grad" carries=[true,true,false] @ "physics.py":4
    r = add ddu x @ "physics.py":5
    pde = mean r @ "train.py":9
    bc = mean u @ "train.py":10
    loss = add pde bc @ "train.py":11
    ! backward loss
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.3
    parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=0.3
"""
TOLD = {
    "a term of an equation": EQUATION,
    "a tape within a tape": EQUATION.replace(" ones native", " native")
    .replace("[true,true,false]", "[true,true]")
    .replace('native="grad"', 'native="gradient"'),
    "another activation of straight pieces": EQUATION.replace("h = relu", "h = leaky_relu"),
    "the derivative in a variable of its own": EQUATION.replace("ddu = opaque du x", "du2 = index du\n    ddu = opaque du2 x"),
}
SILENT = {
    "a bent activation": EQUATION.replace("h = relu", "h = tanh"),
    "straight pieces behind a bent activation": EQUATION.replace("h = relu z", "g = tanh z\n    h = relu g"),
    "a second derivative that is not zero": EQUATION.replace("minimum=0.0 maximum=0.0", "minimum=0.0 maximum=0.3"),
    "a first derivative: a function that is constant here": EQUATION.replace("minimum=-0.2 maximum=0.7", "minimum=0.0 maximum=0.0")
    .replace("ddu = opaque du x ones", "ddu = neg du")
    .replace(' native="grad" carries=[true,true,false] @ "physics.py":4', ' @ "physics.py":4'),
    "a linear equation of no net": EQUATION.replace("h = relu", "h = copy"),
    "a second derivative that is only looked at": EQUATION.replace("r = add ddu x", "r = add du x"),
    "a penalty on the gradient of a critic": EQUATION.replace("ddu = opaque du x ones", "ddu = square du").replace(
        ' native="grad" carries=[true,true,false] @ "physics.py":4', ' @ "physics.py":4'
    ),
    "numbers that were not kept": EQUATION.replace(" minimum=0.0 maximum=0.0 finite=1.0", ""),
}


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD)
def test_a_second_derivative_of_straight_pieces(text: str) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert "zero everywhere" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 6
    assert [place.site.line for place in diagnosis.related] == [4]


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not [one for one in said(diagnose, text) if "second derivative" in one.message]
