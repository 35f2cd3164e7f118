"""WG514 on sketches: fires, is silent."""

import pytest

from sketch import said
from whygrad.rules.magnitude.lost_precision import diagnose

HELD = """
    x: input f32[64,3]
    t: input f32[64] minimum=1700000000 maximum=1700000640 whole=1.0 distinct=6 called="arrivals"
    w: parameter f32[1,3]
    out: activation f32[64]
    out = linear x w
    loss = mse_loss out t with={"target":1} @ "train.py":9
    ! batch x t @ "train.py":7
    ! backward loss
    ! optimizer_step opt
    labels values=["t"] how="target"
    measures loss=9.0 gradient_norm=1.0 label_sensitivity=0.3
"""
ADDED = HELD.replace(
    "    out = linear x w", "    y: label f32[64] minimum=0 maximum=640 whole=1.0 distinct=6\n    out = linear x w\n    y = sub t start"
).replace("mse_loss out t", "mse_loss out y")
HALF = HELD.replace(
    "t: input f32[64] minimum=1700000000 maximum=1700000640 whole=1.0", "t: input bf16[64] minimum=1984 maximum=2000 whole=1.0"
)
COMPARED = HELD.replace("minimum=1700000000 maximum=1700000640 whole=1.0", "minimum=1990 maximum=2010 whole=0.0").replace(
    "out: activation f32", "out: activation bf16"
)

ROWS = (
    HELD.replace("distinct=6", "distinct=500")
    .replace(
        "    out = linear x w",
        """    y: label f32[4] minimum=0 maximum=2.1333 whole=0.5 distinct=2
    a: activation f32[]
    b: activation f32[]
    c: activation f32[]
    a = index t
    b = sub a start
    c = div b with={"by":60.0}
    y = concat c c c c with={"axis":0}
    out = linear x w""",
    )
    .replace("mse_loss out t", "mse_loss out y")
    .replace("minimum=1700000000 maximum=1700000640", "minimum=1700000000 maximum=1701000000")
)

FIRES = {
    "seconds since 1970": (HELD, 7),
    "their difference": (ADDED, 7),
    "years in bfloat16": (HALF, 7),
    "cast from half precision": (
        HALF.replace("    out = linear x w", "    y: label f32[64]\n    out = linear x w\n    y = cast t")
        .replace("mse_loss out t", "mse_loss out y")
        .replace("y: label f32[64]", "y: label f32[64] minimum=1984 maximum=2000 whole=1.0"),
        7,
    ),
    "compared with half precision": (COMPARED, 9),
    "row by row in a data set, and scaled": (ROWS, 7),
    "scaled afterwards": (
        ADDED.replace(
            "    loss = mse_loss out y",
            "    z: activation f32[64] minimum=0 maximum=6.4\n    c: constant f32[]\n    z = div y c\n    loss = mse_loss out z",
        ),
        7,
    ),
}

SILENT = {
    "row by row, by an unknown scale": ROWS.replace(' with={"by":60.0}', ""),
    "row by row, over many steps": ROWS.replace('"by":60.0', '"by":3600.0'),
    "row by row, in double precision": ROWS.replace("t: input f32", "t: input f64").replace("c: activation f32", "c: activation f64"),
    "a wide range": HELD.replace("1700000640", "1710000000"),
    "double precision": HELD.replace("t: input f32", "t: input f64").replace("out: activation f32", "out: activation f64"),
    "integers": HELD.replace("t: input f32", "t: input i64"),
    "years in float32": HELD.replace("minimum=1700000000 maximum=1700000640", "minimum=1984 maximum=2000"),
    "years in float16, which holds them": HALF.replace("bf16", "f16"),
    "all the same": HELD.replace("1700000640", "1700000000"),
    "no numbers": HELD.replace("minimum=1700000000 maximum=1700000640", 'minimum="nan" maximum="nan" finite=0.0'),
    "infinite": HELD.replace("maximum=1700000640", 'maximum="inf"'),
    "no figures": HELD.replace("minimum=1700000000 maximum=1700000640 whole=1.0 distinct=6", ""),
    "classes": HALF.replace("minimum=1984 maximum=2000", "minimum=0 maximum=9"),
    "half precision that is fine enough": COMPARED.replace("minimum=1990 maximum=2010", "minimum=0 maximum=10"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
