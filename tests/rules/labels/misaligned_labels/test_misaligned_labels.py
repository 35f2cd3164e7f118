"""WG104 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

ORCHARD = """
    x: input f32[300,9]
    y: label i64[300]
    order: activation i64[300]
    rows: activation i64[32]
    xs: activation f32[300,9]
    xb: activation f32[32,9]
    yb: activation i64[32]
    w: parameter f32[5,9]
    s: activation f32[32,5]
    order = random native="torch.randperm" @ "a.py":1
    xs = index x order @ "a.py":2
    rows = random native="torch.randint"
    xb = index xs rows @ "a.py":7
    yb = index y rows @ "a.py":7
    s = linear xb w @ "a.py":8
    loss = cross_entropy s yb with={"target":1} @ "a.py":9
    labels values=["yb"] how="target"
"""

TIME_FIRST = """
    x: input f32[7,16,9]
    y: label i64[16,7]
    w: parameter f32[5,9]
    s: activation f32[7,16,5]
    rows: activation f32[112,5]
    flat: activation i64[112]
    s = linear x w @ "a.py":3
    rows = reshape s @ "a.py":4
    flat = reshape y @ "a.py":5
    loss = cross_entropy rows flat with={"target":1} @ "a.py":5
    labels values=["flat"] how="target"
"""
"""Scores (T, N, C) and labels (N, T), both flattened."""

BATCH = """
    x: input f32[300,9]
    y: label i64[300]
    order: activation i64[32]
    rows: activation i64[32]
    xb: activation f32[32,9]
    yb: activation i64[32]
    yo: activation i64[32]
    w: parameter f32[5,9]
    s: activation f32[32,5]
    rows = random native="torch.randint"
    xb = index x rows @ "a.py":7
    yb = index y rows @ "a.py":7
    order = random native="torch.randperm" @ "a.py":8
    yo = index yb order @ "a.py":9
    s = linear xb w @ "a.py":10
    loss = cross_entropy s yo with={"target":1} @ "a.py":11
    n = leave loss
    labels values=["yo"] how="target"
"""
"""Rows are picked for a batch, and its labels are put into another order."""

SHUFFLED = """
    x: input f32[32,9]
    y: label i64[32]
    xs: activation f32[32,9]
    w: parameter f32[5,9]
    s: activation f32[32,5]
    xs = index x native="tf.random_shuffle" @ "a.py":2
    s = linear xs w @ "a.py":8
    loss = cross_entropy s y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
"""

FIRES = {
    "the inputs of a batch shuffled": (SHUFFLED, 2),
    "an order that was shuffled": (
        ORCHARD.replace('order = random native="torch.randperm"', 'order = index all native="tf.random_shuffle"'),
        2,
    ),
    "flattened in different orders": (TIME_FIRST, 4),
    "flattened before the last layer": (
        TIME_FIRST.replace("s = linear x w", "rows = reshape x")
        .replace("rows = reshape s", "s = linear rows w")
        .replace("f32[7,16,5]", "f32[112,5]")
        .replace("rows: activation f32[112,5]", "rows: activation f32[112,9]")
        .replace("cross_entropy rows", "cross_entropy s"),
        3,
    ),
    "the inputs permuted": (ORCHARD, 2),
    "the inputs permuted, and the loss printed": (ORCHARD.replace("    labels values", "    n = leave loss\n    labels values"), 2),
    "the labels of a batch permuted": (BATCH, 9),
    "the labels permuted": (
        ORCHARD.replace("xs = index x order", "ys = index y order")
        .replace("xb = index xs rows", "xb = index x rows")
        .replace("yb = index y rows", "yb = index ys rows")
        .replace("    w: parameter", "    ys: activation i64[300]\n    w: parameter"),
        2,
    ),
    "the inputs sorted": (ORCHARD.replace('order = random native="torch.randperm"', 'order = argmax x native="torch.argsort"'), 2),
    "the whole data set at once": (
        ORCHARD.replace("[32", "[300").replace("xb = index xs rows", "xb = copy xs").replace("yb = index y rows", "yb = copy y"),
        2,
    ),
}

SILENT = {
    "one order for both sides of a batch": BATCH.replace("linear xb w", "linear xo w")
    .replace("    yo: activation", "    xo: activation f32[32,9]\n    yo: activation")
    .replace("    s = linear", "    xo = index xb order\n    s = linear"),
    "the labels of a batch mixed with others of it": BATCH.replace("cross_entropy s yo", "cross_entropy s m")
    .replace("    yo: activation i64", "    m: activation i64[32]\n    yo: activation i64")
    .replace("    loss =", "    m = add yb yo\n    loss ="),
    "a few of a batch, as negatives": BATCH.replace("order: activation i64[32]", "order: activation i64[8]").replace(
        "yo: activation i64[32]", "yo: activation i64[8]"
    ),
    "both shuffled, perhaps by one seed": SHUFFLED.replace("s = linear", 'ys = index y native="tf.random_shuffle"\n    s = linear')
    .replace("cross_entropy s y", "cross_entropy s ys")
    .replace('values=["y"]', 'values=["ys"]'),
    "labels made of the shuffled inputs": SHUFFLED.replace("    y: label i64[32]\n", "    y: activation i64[32]\n").replace(
        "s = linear", "y = argmax xs\n    s = linear"
    ),
    "shuffled noise beside the data": SHUFFLED.replace("s = linear xs w", "d = sub x xs\n    s = linear d w"),
    "flattened in the same order": TIME_FIRST.replace("i64[16,7]", "i64[7,16]"),
    "labels transposed first": TIME_FIRST.replace("flat = reshape y", "t = transpose y\n    flat = reshape t").replace(
        "    s = linear", "    t: activation i64[7,16]\n    s = linear"
    ),
    "axes of one size": TIME_FIRST.replace("7,16", "16,16").replace("16,7", "16,16").replace("112", "256"),
    "both permuted": ORCHARD.replace("yb = index y rows", "ys = index y order\n    yb = index ys rows").replace(
        "    w: parameter", "    ys: activation i64[300]\n    w: parameter"
    ),
    "rows of a batch alone": ORCHARD.replace("xs = index x order", "xs = copy x"),
    "labels computed from the permuted inputs": ORCHARD.replace("yb = index y rows", "ys = argmax xs\n    yb = index ys rows").replace(
        "    w: parameter", "    ys: activation i64[300]\n    w: parameter"
    ),
    "a mixture of examples": ORCHARD.replace("xb = index xs rows", "m = add x xs\n    xb = index m rows").replace(
        "    w: parameter", "    m: activation f32[300,9]\n    w: parameter"
    ),
    "put back behind the network": ORCHARD.replace("[32", "[300")
    .replace("xb = index xs rows", "xb = copy xs")
    .replace("yb = index y rows", "yb = copy y")
    .replace("loss = cross_entropy s", "b = argmax order\n    u = index s b\n    loss = cross_entropy u")
    .replace("    w: parameter", "    b: activation i64[300]\n    u: activation f32[300,5]\n    w: parameter"),
    "the order left the framework": ORCHARD.replace("    rows =", "    n = leave order\n    rows ="),
    "the order was walked through": ORCHARD.replace("    rows =", '    n = index order native="torch.Tensor.__iter__"\n    rows ='),
    "an index of unknown origin": ORCHARD.replace('order = random native="torch.randperm"', "order = enter"),
    "a running mean that was reordered": ORCHARD.replace("x: input f32[300,9]", "x: input f32[9]")
    .replace("xs: activation f32[300,9]", "xs: activation f32[9]")
    .replace("order: activation i64[300]", "order: activation i64[9]"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_one_side_reordered(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
