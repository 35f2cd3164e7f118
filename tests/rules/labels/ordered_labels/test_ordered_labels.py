"""WG109 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.ordered_labels import diagnose

LOADER = """
    batches path="[0]" seen=64 minimum=-3.0 maximum=3.0 distinct=64 values=["x"] length=20 @ "a.py":52
    batches path="[1]" seen=64 minimum=0 maximum=4 constant_batches=64 constant_levels=5 distinct=5 values=["y"] length=20 @ "a.py":52
    x: input f32[20,9]
    y: label i64[20] minimum=0 maximum=0
    w: parameter f32[5,9]
    s: activation f32[20,5]
    s = linear x w @ "a.py":57
    loss = cross_entropy s y with={"target":1} @ "a.py":58
    ! batch x y @ "a.py":56
    ! backward loss
    labels values=["y"] how="target"
"""

SLICES = """
    step 0
    x0: input f32[20,9]
    all: input i64[200]
    y0: label i64[20] minimum=0 maximum=0
    w: parameter f32[5,9]
    s: activation f32[20,5]
    y0 = index all @ "a.py":5
    s = linear x0 w @ "a.py":6
    loss = cross_entropy s y0 with={"target":1} @ "a.py":7
    labels values=["y0"] how="target"
    step 1
    x1: input f32[20,9]
    all: input i64[200]
    y1: label i64[20] minimum=1 maximum=1
    w: parameter f32[5,9]
    s: activation f32[20,5]
    y1 = index all @ "a.py":5
    s = linear x1 w @ "a.py":6
    loss = cross_entropy s y1 with={"target":1} @ "a.py":7
    labels values=["y1"] how="target"
"""

PICKED = LOADER.replace(
    '    loss = cross_entropy s y with={"target":1} @ "a.py":58',
    """    l = log_softmax s with={"axis":1} @ "a.py":57
    p = index l y @ "a.py":58
    m = mean p @ "a.py":58
    loss = neg m @ "a.py":58""",
).replace("    s: activation", "    l: activation f32[20,5]\n    s: activation")

FIRES = {
    "a loader": (LOADER, 52),
    "a cross-entropy that the program writes out": (PICKED, 52),
    "with a mixed batch at each border": (LOADER.replace("constant_batches=64", "constant_batches=56"), 52),
    "a sampler of the user's own": (LOADER.replace('length=20 @ "a.py":52\n    x:', 'length=20 @ "a.py":52 ^ "a.py":26\n    x:'), 26),
    "slices of a sorted table": (SLICES, 5),
    "yes and no": (SLICES.replace("cross_entropy", "bce_with_logits"), 5),
}

SILENT = {
    "mixed batches": LOADER.replace("constant_batches=64 constant_levels=5", "constant_batches=0"),
    "mixed batches of a cross-entropy that is written out": PICKED.replace("constant_batches=64", "constant_batches=3"),
    "a rare class": LOADER.replace("constant_levels=5", "constant_levels=1"),
    "a few batches by chance": LOADER.replace("constant_batches=64", "constant_batches=9"),
    "one label for all (WG103)": LOADER.replace("constant_levels=5", "constant_levels=1").replace("maximum=4", "maximum=0"),
    "small batches": LOADER.replace("[20", "[4"),
    "a regression": LOADER.replace("cross_entropy", "mse_loss"),
    "slices that are mixed": SLICES.replace("minimum=1 maximum=1", "minimum=0 maximum=3"),
    "the same class twice": SLICES.replace("minimum=1 maximum=1", "minimum=0 maximum=0"),
    "two calls that are given one class each": SLICES.replace("y0 = index all", "y0 = cast all").replace(
        "    step 1", '    ! batch x0 y0 @ "a.py":30\n    ! backward loss\n    step 1'
    )
    + '    ! batch x1 y1 @ "a.py":31\n    ! backward loss\n',
    "smoothed ones and zeros of a GAN, one number for all": SLICES.replace("y0 = index all", "y0 = expand c")
    .replace("y1 = index all", "y1 = expand c")
    .replace("    all: input i64[200]", "    c: input f32[]"),
    "ones for what is real beside zeros for what was made": SLICES.replace(
        '    loss = cross_entropy s y1 with={"target":1} @ "a.py":7',
        '    z1 = index all @ "a.py":6\n    a = cross_entropy s y1 with={"target":1} @ "a.py":7\n    b = cross_entropy s z1 with={"target":1}\n    loss = add a b',
    )
    .replace("    y1: label", "    z1: label i64[20] minimum=0 maximum=0\n    y1: label")
    .replace('values=["y1"]', 'values=["y1","z1"]'),
    "ones and zeros of a GAN": SLICES.replace("y0 = index all", "y0 = create").replace("y1 = index all", "y1 = create"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_batches_of_one_class(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
