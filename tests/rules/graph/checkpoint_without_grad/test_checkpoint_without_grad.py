"""WG313 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.checkpoint_without_grad import diagnose

BLOCK = """
    ending head.w changed=true gradient_seen=true
    ending enc.block.w changed=false gradient_seen=false
    x: input f32[8,4] called="x"
    enc.block.w: parameter f32[4,4]
    head.w: parameter f32[2,4] differentiable=true
    h: activation f32[8,4]
    out: activation f32[8,2] differentiable=true
    h = custom x native="CheckpointFunction" module="enc" with={"runs":"enc.block"} carries=[false] @ "net.py":20
    out = linear h head.w
    loss = mean out
    parameter enc.block.w optimizer="opt"
    parameter head.w optimizer="opt" reached=true gradient="finite"
"""

FIRES = {
    "the first block is given the data": BLOCK,
    "what it runs is not known": BLOCK.replace('with={"runs":"enc.block"}', ""),
    "behind a frozen embedding": BLOCK.replace("x: input f32[8,4]", "x: activation f32[8,4]"),
}

SILENT = {
    "an input that requires a gradient": BLOCK.replace('called="x"', 'called="x" differentiable=true').replace(
        "h: activation f32[8,4]", "h: activation f32[8,4] differentiable=true"
    ),
    "the non-reentrant form": BLOCK.replace("CheckpointFunction", "checkpoint"),
    "under no_grad": BLOCK.replace('module="enc"', 'module="enc" tracking=false'),
    "frozen inside": BLOCK.replace("parameter enc.block.w", "parameter enc.block.w trainable=false"),
    "another part is unused (WG306)": BLOCK.replace('"runs":"enc.block"', '"runs":"enc.other"'),
    "a gradient in another step": BLOCK.replace(
        'parameter enc.block.w optimizer="opt"', 'parameter enc.block.w optimizer="opt" gradient="finite"'
    ),
    "not in the loss": BLOCK.replace("out = linear h head.w", "out = linear x head.w"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_checkpoints_without_a_gradient(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 20
    assert diagnosis.message == "`enc.block.w` gets no gradient: what is checkpointed here has no input that requires one"
    assert Fact("unused", "enc.block.w") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
