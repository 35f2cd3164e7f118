"""WG415 on sketches: programs that stop because the update took a parameter's name."""

from textwrap import dedent

import pytest

from whygrad.diagnosis import Diagnosis
from whygrad.flow import Index
from whygrad.ir.text import loads
from whygrad.rules.update.updated_copy import diagnose

STOPPED = """
    framework torch "2"
    outcome steps_seen=1 backwards_seen=2 exit_status=1
    raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":9 text="    loss.backward()"
    x: input f32[8,4]
    w: parameter f32[2,4]
    g: gradient f32[2,4]
    s: activation f32[2,4]
    p: activation f32[2,4]
    out2: activation f32[8,2]
    out = linear x w @ "train.py":7
    l1 = mean out @ "train.py":8
    ! backward l1 @ "train.py":9
    s = mul g @ "train.py":11 tracking=false
    p = sub w s @ "train.py":11 tracking=false text="        w = w - rate * w.grad"
    out2 = linear x p @ "train.py":7
    loss = mean out2 @ "train.py":8
    parameter w reached=true gradient="finite" gradient_norm=0.7
"""
NO_GRADIENT = STOPPED.replace(" tracking=false", "").replace(
    'raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":9 text="    loss.backward()"',
    'raised type="TypeError" message="unsupported operand type(s) for *: \'float\' and \'NoneType\'" @ "train.py":11 text="    w = w - rate * w.grad"',
)
CLEARED = STOPPED.replace(
    'raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":9 text="    loss.backward()"',
    'raised type="AttributeError" message="\'NoneType\' object has no attribute \'zero_\'" @ "train.py":12 text="    w.grad.zero_()"',
)
OPTIMIZER = '    optimizer opt native="SGD" steps=1\n    group rate=0.1 parameters=["w"]\n'

FIRES = {
    "under no_grad": STOPPED,
    "with tracking on": NO_GRADIENT,
    "cleared next": CLEARED,
    "an element of a list": STOPPED.replace("w = w - rate * w.grad", "params[i] = params[i] - rate * params[i].grad"),
}
SILENT = {
    "in place": STOPPED.replace('text="        w = w - rate * w.grad"', 'text="        w -= rate * w.grad" with={"inplace":true}'),
    "to .data": STOPPED.replace("w = w - rate", "w.data = w.data - rate"),
    "another name's gradient is None": CLEARED.replace("w.grad.zero_()", "v.grad.zero_()"),
    "an optimizer is about": STOPPED.replace("    x: input", OPTIMIZER + "    x: input", 1),
    "the loss reads the parameter": STOPPED.replace("linear x p", "linear x w"),
    "another complaint": STOPPED.replace("does not require grad and does not have a grad_fn", "is on another device"),
    "of another shape": STOPPED.replace("p: activation f32[2,4]", "p: activation f32[]"),
}


def told(text: str) -> list[Diagnosis]:
    return list(diagnose.check(Index(loads(dedent(text)))))


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_the_line_that_binds_the_name_anew(text: str) -> None:
    (found,) = told(text)

    assert found.site is not None
    assert (found.rule, found.site.line) == ("WG415", 11)
    assert "binds" in found.message


def test_in_place_where_tracking_is_off_alone() -> None:
    (off,), (on,) = told(STOPPED), told(NO_GRADIENT)

    assert off.remedy is not None
    assert on.remedy is None


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not told(text)
