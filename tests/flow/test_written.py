"""Losses that programs write out."""

import pytest

from sketch import sketch
from whygrad.flow.written import losses_of
from whygrad.loss_contracts import input_of, target_of

HEAD = """
    x: input f32[8,4]
    y: label i32[8]
    w: parameter f32[4,3]
    z = matmul x w
    z: activation f32[8,3]
"""
BINARY = HEAD.replace("i32[8]", "f32[8] minimum=0 maximum=1 finite=1").replace("[4,3]", "[4]").replace("[8,3]", "[8]")
PICKED = """
    l = log_softmax z with={"axis":1}
    p = index l y
    m = mean p
    loss = neg m
"""
SHAPED_TOGETHER = """
    l = log_softmax z with={"axis":1}
    n = create
    r, i = index n y native="jax.Array.__getitem__"
    p = index l r i
    m = mean p
    loss = neg m
"""
RAW = """
    p = index z y
    m = mean p
    loss = neg m
"""
ROWS = """
    t = one_hot y
    l = log_softmax z with={"axis":-1}
    r = mul t l
    s = sum r with={"axis":1}
    n = neg s
    loss = mean n
    t: constant f32[8,3]
    l: activation f32[8,3]
    r: activation f32[8,3] maximum=0 minimum=-3
"""
NORMALISED = """
    a = logsumexp z
    p = index z y
    d = sub a p
    loss = mean d
"""
OF_PROBABILITIES = """
    q = softmax z with={"axis":1}
    e = add q
    l = log e
    p = index l y
    m = mean p
    loss = neg m
"""
OF_ENTRY = """
    q: activation f32[8,3]
    q = sigmoid z
    p = index q y
    r = reshape p
    e = add r
    l = log e
    m = mean l
    loss = neg m
"""
YES_AND_NO = """
    q = sigmoid z
    l = log q
    a = mul y l
    u = sub y native=rsub
    v = sub q native=rsub
    k = log v
    b = mul u k
    c = add a b
    m = mean c
    loss = neg m
    u: activation f32[8] minimum=0 maximum=1 finite=1
"""
SOFTPLUS = """
    q = softplus z
    a = mul y z
    d = sub q a
    loss = mean d
"""


def written(text: str) -> list[tuple[str, str | None, str | None]]:
    index = sketch(text + '    labels values=["y"] how="target"\n')
    return [(op.kind, input_of(op), target_of(op)) for step in index.steps for op in losses_of(index, step)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEAD + PICKED, ("cross_entropy", "z", "y")),
        (HEAD + SHAPED_TOGETHER, ("cross_entropy", "z", "y")),
        (HEAD + ROWS, ("cross_entropy", "z", "y")),
        (HEAD + RAW, ("nll_loss", "z", "y")),
        (HEAD + NORMALISED, ("cross_entropy", "z", "y")),
        (HEAD + OF_PROBABILITIES, ("categorical_cross_entropy", "q", "y")),
        (HEAD + OF_ENTRY, ("categorical_cross_entropy", "q", "y")),
        (BINARY + YES_AND_NO, ("binary_cross_entropy", "q", "y")),
        (BINARY + SOFTPLUS, ("bce_with_logits", "z", "y")),
        (
            BINARY + YES_AND_NO.replace("a = mul y l", "g = mul y\n    g: label f32[8] maximum=25\n    a = mul g l"),
            ("binary_cross_entropy", "q", "y"),
        ),
        (
            HEAD
            + "    k: constant f32[3]\n"
            + ROWS.replace("r = mul t l", "g = mul k t\n    g: label f32[8,3] maximum=25\n    r = mul g l"),
            ("cross_entropy", "z", "y"),
        ),
    ],
)
def test_a_loss_written_out_is_a_loss(text: str, expected: tuple[str, str, str]) -> None:
    assert written(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        HEAD + PICKED.replace("loss = neg m", "loss = mean m"),  # driven the other way
        HEAD + PICKED.replace("log_softmax z", "tanh z"),  # a value of an action
        HEAD + PICKED.replace("index l y", "mul l l"),  # no label
        HEAD + RAW.replace("loss = neg m", "q = neg m\n    k = mean z\n    loss = add q k"),  # the other scores count too
        HEAD + RAW.replace("loss = neg m", "q = square m\n    loss = neg q"),
        HEAD + NORMALISED.replace("index z y", "index x y"),  # another table
        HEAD + OF_PROBABILITIES.replace("q = softmax", "q = exp"),  # a density
        HEAD + OF_ENTRY.replace("index q y", "index x y"),  # no prediction
        HEAD + OF_ENTRY.replace("loss = neg m", "loss = mean m"),  # driven the other way
        HEAD + OF_ENTRY.replace("reshape p", "sum p"),  # of a sum
        BINARY + SOFTPLUS.replace("mul y z", "mul y y"),
    ],
)
def test_what_only_looks_like_one_is_none(text: str) -> None:
    assert written(text) == []
