"""WG307 on tensors that a model computes once, of a leaf that asks for a gradient."""

import pytest

from sketch import said
from whygrad.rules.graph.unregistered_parameter import diagnose

STEP = """
    step {number}
    x: input f32[8,4]
    b: parameter f32[4]
    l: activation f32[4]
    f: activation f32[4]
    m{number}: activation f32[8,4]
    a{number}: activation f32[8,4]
    loss: loss f32[]
    l = random native="torch.randn" carries=[] @ "net.py":4
    f = mul l native="torch.Tensor.mul" carries=[true] with={{"by":0.3}} @ "net.py":4 text="        self.factors = torch.randn(4, requires_grad=True) * 0.3"
    m{number} = mul x f carries=[false,true] scope=0 @ "net.py":9
    a{number} = add m{number} b scope=0 @ "net.py":9
    loss = mean a{number} @ "train.py":3
    ! backward loss
    ! optimizer_step opt
    parameter b value=b optimizer="opt" reached=true gradient="finite"
    scope forward arguments={{"x":"x"}} @ "net.py":8 in "forward"
"""


def steps(text: str = STEP) -> str:
    return '    framework torch "2.13"\n    optimizer opt native="Adam" steps=2\n' + "".join(
        text.format(number=number) for number in range(2)
    )


SILENT = {
    "made anew in each step": STEP.replace("l = random", "l{number} = random").replace("f = mul l", "f{number} = mul l{number}").replace("mul x f", "mul x f{number}")
    .replace("    l: ", "    l{number}: ").replace("    f: ", "    f{number}: "),
    "no gradient is asked for": STEP.replace("carries=[true] with", "carries=[false] with"),
    "of a parameter": STEP.replace("    parameter b", '    parameter l value=l optimizer="opt" reached=true gradient="finite"\n    parameter b'),
    "the forward is given it": STEP.replace('"x":"x"', '"x":"x","points":"f"'),
    "a derivative by it is asked for": STEP.replace("    loss = mean", '    g{number} = opaque a{number} f native="grad"\n    loss = mean'),
    "no attribute of a model": STEP.replace("self.factors = ", "factors = "),
    "of something computed": STEP.replace("f = mul l", "k = mul b carries=[true]\n    f = mul k"),
    "no gradient comes back": STEP.replace("mul x f carries=[false,true]", "mul x f carries=[false,false]"),
}  # fmt: skip


def test_a_result_that_was_meant_as_a_parameter() -> None:
    (diagnosis,) = said(diagnose, steps())

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.names) == (4, ("self.factors",))
    assert "steps 0 and 1" in diagnosis.evidence[0].statement


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, steps(text))


def test_a_single_recorded_step_shows_nothing() -> None:
    assert not said(diagnose, '    framework torch "2.13"\n' + STEP.format(number=0))
