"""WG108 on masks of targets between two bounds."""

import pytest

from sketch import said
from whygrad.rules.labels.few_labels_used import diagnose

DEPTH = """
    step {number}
    x: input f32[8,2,20,20]
    y: label f32[8,1,20,20] minimum=0 maximum=0.925 zeros=0.2 whole=0.2 distinct=500
    w: parameter f32[1,2,1,1]
    p: activation f32[8,1,20,20]
    a: activation bool[8,1,20,20]
    b: activation bool[8,1,20,20]
    m: activation bool[8,1,20,20] minimum=0 maximum=1 zeros=0.92 distinct=2 called=valid
    d: activation f32[8,1,20,20]
    e: activation f32[8,1,20,20]
    k: activation f32[8,1,20,20]
    p = conv x w @ "net.py":3
    a = compare y native="torch.Tensor.gt" with={{"by":0.8}} @ "losses.py":13
    b = compare y native="torch.Tensor.lt" with={{"by":80.0}} @ "losses.py":13
    m = compare a b native="torch.Tensor.__and__" @ "losses.py":13
    d = sub p y @ "losses.py":14
    e = abs d @ "losses.py":14
    k = mul e m @ "losses.py":14
    loss = sum k @ "losses.py":15
    labels values=["y"] how="batch"
"""


def steps(text: str = DEPTH) -> str:
    return "".join(text.format(number=number) for number in range(2))


LOWER = '    a = compare y native="torch.Tensor.gt" with={{"by":0.8}} @ "losses.py":13\n'
PICKED = (
    DEPTH.replace("    d: activation f32[8,1,20,20]", "    r: activation f32[204]\n    s: activation f32[204]\n    d: activation f32[204]")
    .replace("    e: activation f32[8,1,20,20]", "    e: activation f32[204]")
    .replace("    d = sub p y @", '    r = index p m @ "losses.py":14\n    s = index y m @ "losses.py":14\n    d = sub r s @')
    .replace("    k: activation f32[8,1,20,20]\n", "").replace('    k = mul e m @ "losses.py":14\n', "").replace("sum k", "sum e")
)  # fmt: skip

FIRES = {
    "bounds in metres, depths in parts of 80 metres": DEPTH,
    "by picking": PICKED,
    "by `where`": DEPTH.replace("k = mul e m", "k = where m e"),
    "millimetres, bounds in metres": DEPTH.replace("maximum=0.925", "maximum=9000.0").replace("80.0", "10.0").replace("0.8}", "0.1}"),
    "as a product of two masks": DEPTH.replace('m = compare a b native="torch.Tensor.__and__"', "m = mul a b"),
}

SILENT = {
    "most of them are kept": DEPTH.replace("zeros=0.92", "zeros=0.3"),
    "a far bound against outliers": DEPTH.replace("zeros=0.92", "zeros=0.21").replace("0.8}", "0.001}"),
    "the bound is that of the targets": DEPTH.replace("80.0", "1.0"),
    "no lower bound": DEPTH.replace(LOWER, "").replace("m = compare a b", "m = compare b"),
    "no upper bound": DEPTH.replace('    b = compare y native="torch.Tensor.lt" with={{"by":80.0}} @ "losses.py":13\n', "").replace(
        "m = compare a b", "m = compare a"
    ),
    "nothing is kept (WG105)": DEPTH.replace("zeros=0.92", "zeros=1.0"),
    "a band round zero": DEPTH.replace("minimum=0 maximum=0.925", "minimum=-0.9 maximum=0.925"),
    "classes": DEPTH.replace("whole=0.2", "whole=1.0"),
    "the others count in another term": DEPTH.replace("loss = sum k", "t = add k e\n    loss = sum t"),
    "a mask of the inputs": DEPTH.replace("compare y", "compare x"),
    "one step alone": steps() and DEPTH.format(number=0) + DEPTH.format(number=1).replace("zeros=0.92", "zeros=0.3"),
    "no figures": DEPTH.replace(" minimum=0 maximum=0.925 zeros=0.2 whole=0.2 distinct=500", ""),
    "figures that are no numbers": DEPTH.replace("maximum=0.925", 'maximum="nan"'),
    "a largest target that is infinite": DEPTH.replace("maximum=0.925", 'maximum="inf"').replace("80.0", "10.0"),
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_bounds_in_other_units(text: str) -> None:
    (diagnosis,) = said(diagnose, steps(text))

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("losses.py", 13)
    assert diagnosis.confidence == "suspected"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text if "{number}" not in text else steps(text))
