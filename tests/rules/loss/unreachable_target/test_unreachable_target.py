"""WG216 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.loss.unreachable_target import diagnose

TIDE = """
    x: input f32[44,9]
    y: label f32[44] minimum=-3.1 maximum=3.0 mean=0.1 std=1.6
    w: parameter f32[1,9]
    s: activation f32[44,1]
    t: activation f32[44,1]
    p: activation f32[44]
    s = linear x w @ "a.py":3
    t = tanh s @ "a.py":4
    p = reshape t @ "a.py":4
    loss = l1_loss p y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""

TAGS = """
    x: input f32[32,9]
    y: label f32[32,4] minimum=0.0 maximum=1.0 mean=0.4 std=0.5 whole=1.0 row_sums=[0.0,3.0]
    w: parameter f32[4,9]
    t: activation f32[32,4]
    s = linear x w @ "a.py":3
    t = softmax s with={"axis":1} @ "a.py":4
    loss = mse_loss t y with={"target":1} @ "a.py":5
    labels values=["y"] how="target"
"""
SHARES = TAGS.replace("whole=1.0 row_sums=[0.0,3.0]", "whole=0.0 row_sums=[1.4,2.0]")

QS = """
    x: input f32[44,9]
    y: input f32[44,3] minimum=-1.2 maximum=10.0 mean=0.4 std=1.1
    w: parameter f32[3,9]
    q: activation f32[44,3]
    r: activation f32[44,3]
    t: activation f32[44,3]
    r = softmax x w tracking=false @ "a.py":2
    p = leave r carries=[false] tracking=false @ "a.py":2
    y = enter p carries=[false] tracking=false @ "a.py":9
    q = linear x w @ "a.py":3
    t = softmax q @ "a.py":4
    loss = mse_loss t y carries=[true,false] with={"target":1} @ "a.py":5
    labels values=["y"] how="framework"
    ! backward loss
"""
"""Rewards written into what the network gave, as in Q learning."""
CODES = """
    x: input f32[44,9]
    w: parameter f32[1,9]
    k: parameter f32[8,1]
    s: activation f32[44,1]
    t: activation f32[44,1]
    c: activation f32[44,1] minimum=-3.1 maximum=3.0 mean=0.1 std=1.6
    f: activation f32[44,1] minimum=-3.1 maximum=3.0 mean=0.1 std=1.6
    s = linear x w @ "a.py":3
    t = tanh s @ "a.py":4
    c = embedding k t carries=[true,false] @ "a.py":5
    f = detach c @ "a.py":6
    d = mse_loss t f with={"target":1} @ "a.py":6
    e = mse_loss c t with={"target":1} @ "a.py":7
    loss = add d e
    ! backward loss
"""

FIRES = {
    "rewards written into the network's own predictions": (QS, 4),
    "rows that name several classes behind a softmax": (TAGS, 4),
    "the same in a binary cross-entropy": (TAGS.replace("mse_loss", "binary_cross_entropy"), 4),
    "shares that sum to more than 1": (SHARES, 4),
    "shares that sum to less than 1": (SHARES.replace("[1.4,2.0]", "[0.1,0.5]"), 4),
    "behind a tanh": (TIDE, 4),
    "a recurrent layer as the last one": (TIDE.replace("tanh s", 'rnn s w with={"activation":"tanh"}'), 4),
    "behind a sigmoid": (TIDE.replace("tanh s", "sigmoid s"), 4),
    "picked out of what a tanh gave": (TIDE.replace("p = reshape t", "p = index t"), 4),
    "behind a ReLU": (TIDE.replace("tanh s", "relu s"), 4),
    "where the layer was made": (TIDE.replace('t = tanh s @ "a.py":4', 't = tanh s @ "a.py":4 ^ "net.py":19'), 19),
    "a few alone": (TIDE.replace("mean=0.1 std=1.6", "mean=0.1 std=0.3"), 4),
    "every example counts": (
        TIDE.replace("    w: parameter", "    k: input f32[44] minimum=1 maximum=3 zeros=0.0\n    w: parameter").replace(
            "l1_loss p y with", "l1_loss p y k with"
        ),
        4,
    ),
    "a difference that is squared": (
        TIDE.replace('loss = l1_loss p y with={"target":1}', "d = sub p y\n    q = square d\n    loss = mean q"),
        4,
    ),
}

SILENT = {
    "one class in each row": TAGS.replace("[0.0,3.0]", "[1.0,1.0]"),
    "one class in each row or none: padding": TAGS.replace("[0.0,3.0]", "[0.0,1.0]"),
    "several classes behind sigmoids": TAGS.replace('softmax s with={"axis":1}', "sigmoid s"),
    "several classes behind a softmax over the batch: another fault": TAGS.replace('"axis":1', '"axis":0'),
    "shares with a little noise": SHARES.replace("[1.4,2.0]", "[0.9,1.1]"),
    "the sums are not known": TAGS.replace(" row_sums=[0.0,3.0]", ""),
    "rows that are weighed": TAGS.replace("    w: parameter", "    k: input f32[32]\n    w: parameter").replace(
        "mse_loss t y with", "mse_loss t y k with"
    ),
    "a softmax of a teacher as the target": TAGS.replace("y: label f32[32,4]", "y: label f32[32,4]").replace(
        "mse_loss t y", "mse_loss t t"
    ),
    "a categorical loss, which is another rule's": TAGS.replace("mse_loss", "categorical_cross_entropy"),
    "scaled into the range": TIDE.replace("minimum=-3.1 maximum=3.0 mean=0.1 std=1.6", "minimum=-1 maximum=1 mean=0 std=0.5"),
    "a little noise beyond": TIDE.replace("minimum=-3.1 maximum=3.0 mean=0.1 std=1.6", "minimum=-1.3 maximum=1.2 mean=0 std=0.5"),
    "scaled after the tanh": TIDE.replace("p = reshape t", "p = mul t"),
    "the memory of an LSTM, which no tanh limits": TIDE.replace(
        "t = tanh s", 'o, h, t = rnn s w with={"activation":"tanh"} native="torch.lstm"'
    ).replace("    t: activation", "    o: activation f32[44,1]\n    h: activation f32[44,1]\n    t: activation"),
    "a recurrent layer whose activation is not known": TIDE.replace("tanh s", "rnn s w"),
    "picked out of what is no activation's": TIDE.replace("p = reshape t", "p = index s"),
    "no activation": TIDE.replace("tanh s", "copy s"),
    "counts behind a ReLU": TIDE.replace("tanh s", "relu s").replace(
        "minimum=-3.1 maximum=3.0 mean=0.1 std=1.6", "minimum=0 maximum=30 mean=4 std=5"
    ),
    "a loss on classes": TIDE.replace("l1_loss", "bce_with_logits"),
    "NaN": TIDE.replace("minimum=-3.1 maximum=3.0", 'finite=0.5 minimum=-3.1 maximum="nan"'),
    "no figures": TIDE.replace(" minimum=-3.1 maximum=3.0 mean=0.1 std=1.6", ""),
    "missing labels with the weight 0": TIDE.replace(
        "    w: parameter", "    k: input f32[44] minimum=0 maximum=1 zeros=0.5\n    w: parameter"
    ).replace("l1_loss p y with", "l1_loss p y k with"),
    "missing labels that a mask takes out": TIDE.replace("    w: parameter", "    k: input bool[44] zeros=0.5\n    w: parameter")
    .replace("loss = l1_loss p y", "e = l1_loss p y")
    .replace("    labels", "    m = mul e k\n    loss = mean m\n    labels"),
    "rewards within the range": QS.replace("minimum=-1.2 maximum=10.0 mean=0.4 std=1.1", "minimum=0.0 maximum=1.1 mean=0.4 std=0.3"),
    "rewards behind no activation": QS.replace("t = softmax q", "t = copy q"),
    "a code book, which another term brings to the limited code": CODES,
    "a target from the network (a teacher)": TIDE.replace("    p = reshape t", "    y = linear x w\n    p = reshape t"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_targets_out_of_reach(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_some_targets_beyond_are_a_warning() -> None:
    (most,), (some,) = said(diagnose, FIRES["behind a tanh"][0]), said(diagnose, FIRES["a few alone"][0])

    assert (most.severity, some.severity) == ("error", "warning")


LAST_RNN = """
    x: input f32[44,6,5]
    y: label f32[44,1] minimum=-3.1 maximum=3.0 mean=0.1 std=1.6
    w: parameter f32[16,1]
    h: activation f32[44,6,16]
    p: activation f32[44,1]
    h = rnn x w with={"activation":"tanh"} native="keras.layers.LSTM" @ "a.py":3 ^ "net.py":18
    p = rnn h w with={"activation":"tanh"} native="keras.layers.LSTM" @ "a.py":4 ^ "net.py":19
    loss = mse_loss p y with={"target":1} @ "a.py":6
    labels values=["y"] how="framework"
"""


def test_a_dense_layer_ends_what_a_recurrent_one_did_which_may_then_be_wider():
    (found,) = said(diagnose, LAST_RNN)

    assert found.remedy is not None
    assert [(edit.action, edit.text, edit.site.line) for edit in found.remedy.edits] == [
        ("argument", "16", 19), ("enlist", "keras.layers.Dense(1)", 19),
    ]  # fmt: skip


def test_a_recurrent_layer_that_is_the_only_one_keeps_its_width():
    (found,) = said(diagnose, LAST_RNN.replace("p = rnn h", "p = rnn x"))

    assert found.remedy is not None
    assert [edit.action for edit in found.remedy.edits] == ["enlist"]


def test_a_recurrent_layer_of_another_library_is_left_to_a_person():
    (found,) = said(diagnose, LAST_RNN.replace("keras.layers", "torch.nn"))

    assert found.remedy is None
