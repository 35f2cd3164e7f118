"""The line of one use of a class or function among several."""

import pytest

from sketch import sketch
from whygrad.flow.instances import is_shared, own_line

BLOCKS = """
    x: input f32[4,9]
    y: label i64[4]
    v: parameter f32[9,9]
    w: parameter f32[5,9]
    a: activation f32[4,9]
    b: activation f32[4,9]
    s: activation f32[4,5]
    r: activation f32[4,5]
    a = linear x v @ "net.py":7 module="body"
    b = relu a @ "net.py":8 module="body" callers=[["net.py",21,"forward"]]
    s = linear b w @ "net.py":7 module="last"
    r = relu s @ "net.py":8 module="last" callers=[["net.py",22,"forward"]]
    loss = cross_entropy r y with={"target":1} @ "train.py":5
    parameter body.fc.weight value="v" reached=true @ "net.py":5 callers=[["net.py",17,"__init__"]]
    parameter last.fc.weight value="w" reached=true @ "net.py":5 callers=[["net.py",18,"__init__"]]
"""
FUNCTION = BLOCKS.replace(' module="body"', "").replace(' module="last"', "")
ONE_LINE = BLOCKS.replace('["net.py",18', '["net.py",17')

PLACES = {
    "where the copy of the module was made": (BLOCKS, 18),
    "the call, where it is a function": (FUNCTION, 22),
    "the call, where one line makes both": (ONE_LINE, 22),
    "the line itself, where there is no other use": (BLOCKS.replace("b = relu a", "b = gelu a"), 8),
    "the line itself, where both feed a loss": (BLOCKS.replace("loss =", "l2 = cross_entropy b y\n    loss ="), 8),
    "the line itself, beside a second forward for a figure": (FUNCTION.replace("s = linear b w", "s = linear a w"), 8),
    "the line itself, where the same copy is called twice": (BLOCKS.replace('module="body"', 'module="last"'), 8),
    "the line itself, in a loop": (FUNCTION.replace('"net.py",21', '"net.py",22'), 8),
    "where the framework's layer was made": (BLOCKS.replace('r = relu s @ "net.py":8', 'r = relu s @ "net.py":8 ^ "net.py":15'), 15),
}


@pytest.mark.parametrize(("text", "line"), PLACES.values(), ids=PLACES)
def test_the_line_to_edit(text: str, line: int) -> None:
    (step,) = sketch(text).steps

    site = own_line(step, step.producer["r"][1])

    assert site is not None
    assert site.line == line
    assert is_shared(step, step.producer["r"][1]) == (line in (18, 22))


def test_a_line_that_makes_and_calls_both_is_shared_all_the_same() -> None:
    (step,) = sketch(ONE_LINE.replace('["net.py",22', '["net.py",21')).steps

    site = own_line(step, step.producer["r"][1])

    assert site is not None
    assert site.line == 8
    assert is_shared(step, step.producer["r"][1])
