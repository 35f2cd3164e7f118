"""WG320 where a layer inside of the model is normalised over a single feature."""

import pytest

from sketch import said
from whygrad.rules.graph.input_ignored import diagnose

DEEP = """
    x: input f32[8,5] minimum=0.2 maximum=3.0
    v: parameter f32[1,5] minimum=0.2 maximum=0.9
    h: activation f32[8,1] minimum=-2.0 maximum=1.5
    n: activation f32[8,1] minimum=0.1 maximum=0.1
    g: parameter f32[1] minimum=1.0 maximum=1.0 zeros=0.0
    b: parameter f32[1] minimum=0.1 maximum=0.1 zeros=0.0
    w: parameter f32[4,1] minimum=0.2 maximum=0.9
    h = linear x v @ "net.py":20
    n = layer_norm h g b @ "net.py":21 module="blocks.0.norm"
    out = linear n w @ "net.py":22
    loss = mean out @ "train.py":31
    ! backward loss @ "train.py":32
    ! optimizer_step opt
    parameter v reached=true gradient="zero" @ "net.py":5
    parameter g reached=true gradient="finite" @ "net.py":6 text="        self.norm = nn.LayerNorm(dim)" callers=[["net.py",11,"__init__","        self.blocks = Block(dim)"],["train.py",9,"main","    net = Net(dim=1)"]]
    parameter b reached=true gradient="finite"
    parameter w reached=true gradient="finite"
"""
SILENT = {
    "a way round": DEEP.replace("out = linear n w", "k = add h n\n    out = linear k w"),
    "several features": DEEP.replace("h: activation f32[8,1]", "h: activation f32[8,3]").replace(
        "n: activation f32[8,1] minimum=0.1", "n: activation f32[8,3] minimum=-1.1"
    ),
    "its factor begins at zero": DEEP.replace("minimum=1.0 maximum=1.0 zeros=0.0", "minimum=0.0 maximum=0.0 zeros=1.0").replace(
        "minimum=0.1 maximum=0.1 zeros=0.0", "minimum=0.0 maximum=0.0 zeros=1.0"
    ),
}


def test_the_call_that_says_the_width() -> None:
    (found,) = said(diagnose, DEEP)

    assert found.site is not None
    assert (found.rule, found.site.file, found.site.line) == ("WG320", "train.py", 9)
    assert "single feature" in found.message


def test_where_the_layer_is_made_if_no_call_says_it() -> None:
    (found,) = said(diagnose, DEEP.replace("dim=1", "width"))

    assert found.site is not None
    assert found.site.line == 6


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
