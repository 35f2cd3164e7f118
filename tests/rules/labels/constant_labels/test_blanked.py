"""WG103 on labels that the step itself makes all alike."""

import pytest

from sketch import said
from whygrad.rules.labels.constant_labels import diagnose

TIMES = """
    x: input f32[32,7]
    y: label i64[32] minimum=0 maximum=4
    w: parameter f32[5,7]
    z: activation f32[32,5]
    t: activation i64[32] minimum=0 maximum=0
    z = linear x w @ "train.py":19
    t = mul y with={"by":0.0} @ "train.py":20
    loss = cross_entropy z t with={"target":1} @ "train.py":21
    ! backward loss @ "train.py":22
    labels values=["t"] how="target"
"""
LIKE = (
    TIMES.replace("t = mul y", "t = create")
    .replace('with={"by":0.0} @ "train.py":20', 'with={"like":"y"} @ "train.py":20')
    .replace("t: activation", "t: constant")
    .replace('values=["t"] how="target"', 'values=["y"] how="batch"')
)
WRITTEN = TIMES.replace("loss = cross_entropy z t", "d = sub z t").replace(
    ' with={"target":1} @ "train.py":21', ' @ "train.py":21\n    q = square d\n    loss = mean q'
)
FIRES = {
    "a difference that is written out": WRITTEN,
    "times 0": TIMES,
    "times a number that is not known": TIMES.replace('with={"by":0.0} ', ""),
    "less themselves": TIMES.replace("mul y", "sub y y"),
    "filled in the same form": LIKE,
    "cast before and after": TIMES.replace("t = mul y", "u: activation i64[32]\n    u = mul y").replace(
        "    loss", "    t = cast u\n    loss"
    ),
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_labels_of_which_the_step_leaves_nothing(text: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert found.site is not None
    assert (found.site.line, found.severity, found.confidence) == (20, "warning", "proved")


TWO = TIMES.replace("loss = cross", "one = cross").replace("    ! backward", "    loss = add one more\n    ! backward")
TWO_LIKE = LIKE.replace("loss = cross", "one = cross").replace("    ! backward", "    loss = add one more\n    ! backward")
SILENT = {
    "a difference with what is left": WRITTEN.replace('"by":0.0', '"by":2.0').replace("maximum=0\n", "maximum=8\n"),
    "times another number": TIMES.replace('"by":0.0', '"by":2.0').replace("maximum=0\n", "maximum=8\n"),
    "times what is not known, and nothing is known of them": TIMES.replace('with={"by":0.0} ', "").replace("minimum=0 maximum=4", ""),
    "times a mask": TIMES.replace("mul y", "mul y m")
    .replace("    z: act", "    m: input i64[32]\n    z: act")
    .replace('with={"by":0.0} ', ""),
    "compared with a threshold, which a rare class may not reach": TIMES.replace('mul y with={"by":0.0}', "compare y"),
    "in the form of the examples": LIKE.replace('"like":"y"', '"like":"x"'),
    "in no form of the batch's": LIKE.replace(' with={"like":"y"}', ""),
    "in the form of what the model gives": LIKE.replace('"like":"y"', '"like":"z"'),
    "beside labels that are left": TWO.replace(
        "    loss = add", '    more = mse_loss z v with={"target":1} @ "train.py":23\n    loss = add'
    ).replace("    z: act", "    v: label f32[32,5] minimum=0 maximum=4\n    z: act"),
    "of two classes, each filled": TWO_LIKE.replace(
        "    loss = add",
        '    o = create with={"like":"y"} @ "train.py":24\n    more = cross_entropy z o with={"target":1} @ "train.py":23\n    loss = add',
    ).replace("    z: act", "    o: constant i64[32] minimum=1 maximum=1\n    z: act"),
    "not all seen": TIMES.replace("t: activation i64[32] minimum=0 maximum=0", "t: activation i64[32] minimum=0 maximum=0 sampled=true"),
    "no figures": TIMES.replace("t: activation i64[32] minimum=0 maximum=0", "t: activation i64[32]"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not [found for found in said(diagnose, text, steps=2) if "the step itself" in found.message]
