"""WG307 on programs without an optimizer that stop at a `.grad` of None."""

from textwrap import dedent

import pytest

from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.ir.text import loads
from whygrad.rules.graph.unregistered_parameter import diagnose

STOPPED = """
    framework torch "2"
    raised type="TypeError" message="unsupported operand type(s) for *: 'float' and 'NoneType'" @ "train.py":9 text="    p -= rate * p.grad"
    x: input f32[8,4]
    w: parameter f32[4,2]
    u: activation f32[4,2]
    u = mul w carries=[true] with={"by":0.1} @ "net.py":4 text="        self.user = torch.randn(4, 2, requires_grad=True) * 0.1"
    out = matmul x u @ "net.py":8
    loss = mean out @ "train.py":7
    ! backward loss @ "train.py":8
    parameter w reached=true gradient="finite" @ "net.py":4
"""
SILENT = {
    "the leaf was made elsewhere": STOPPED.replace('gradient="finite" @ "net.py":4', 'gradient="finite" @ "net.py":3'),
    "the leaf is read elsewhere too": STOPPED.replace("    out = matmul", "    v = sum w\n    out = matmul"),
    "nothing is asked of a gradient": STOPPED.replace("p -= rate * p.grad", "p -= rate * scale"),
    "another complaint": STOPPED.replace("NoneType", "str"),
    "no gradient comes to it": STOPPED.replace("matmul x u", "matmul x x"),
}


def told(text: str) -> list[Diagnosis]:
    return list(diagnose.check(Index(loads(dedent(text)))))


def test_the_line_that_computes_what_should_be_a_leaf() -> None:
    (found,) = told(STOPPED)

    assert found.site is not None
    assert (found.rule, found.site.line, found.names) == ("WG307", 4, ("self.user",))


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not told(text)
