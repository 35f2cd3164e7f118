"""WG309 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.inplace_overwrite import diagnose

SAID = "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [8, 4]], which is output 0 of {}, is at version {}; expected version {} instead. Hint: …"

WRITTEN = f"""
    raised type="RuntimeError" message="{SAID.format("SigmoidBackward0", 1, 0)}" @ "train.py":30
    x: input f32[8,3]
    w: parameter f32[4,3]
    h: activation f32[8,4]
    a: activation f32[8,4] called="mask"
    a1: activation f32[8,4] called="mask"
    h = linear x w native="torch.nn.functional.linear" @ "train.py":10
    a = sigmoid h native="torch.sigmoid" @ "train.py":11
    a1 = write a native="torch.Tensor.__setitem__" with={{"inplace":true}} @ "train.py":12
    loss = mean a1 @ "train.py":13
    ! backward loss @ "train.py":30 with={{"failed":true}}
"""

TWICE = WRITTEN.replace("version 1; expected", "version 2; expected").replace(
    "    loss = mean a1",
    '    a2: activation f32[8,4]\n    a2 = add a1 native="torch.Tensor.add_" with={"inplace":true} @ "train.py":14\n    loss = mean a2',
)

VIEW = WRITTEN.replace(
    '    a1 = write a native="torch.Tensor.__setitem__" with={"inplace":true} @ "train.py":12',
    '    v: activation f32[8]\n    v1: activation f32[8]\n    v = index a native="torch.Tensor.__getitem__" @ "train.py":12\n'
    '    v1 = mul v native="torch.Tensor.mul_" with={"inplace":true} @ "train.py":12\n'
    '    a1 = write a v1 native="alias" @ "train.py":13',
)

STEPPED = f"""
    raised type="RuntimeError" message="{SAID.format("AsStridedBackward0", 2, 1)}" @ "train.py":30
    x: input f32[8,8]
    w: parameter f32[4,8]
    out: activation f32[8,4]
    w2: parameter f32[8,4]
    out = linear x w
    score = matmul out w2
    first = mean score
    loss = sum score
    ! backward first @ "train.py":20
    ! optimizer_step opt @ "train.py":21
    ! backward loss @ "train.py":30 with={{"failed":true}}
"""

LEAF = """
    raised type="RuntimeError" message="a leaf Variable that requires grad is being used in an in-place operation." @ "train.py":5
    w: parameter f32[3]
    = clamp w native="torch.Tensor.clamp_" failed=true with={"inplace":true} @ "train.py":5
"""

FIRES = {
    "an assignment into what the backward needs": (WRITTEN, 12),
    "the first of two writes": (TWICE, 12),
    "a write through a view": (VIEW, 12),
    "the framework names the last writer": (WRITTEN.replace("SigmoidBackward0", "CopySlices"), 12),
    "an optimizer between a forward and its backward": (STEPPED, 21),
    "a leaf": (LEAF, 5),
    "a step that was not recorded": (f'raised type="RuntimeError" message="{SAID.format("SigmoidBackward0", 1, 0)}" @ "train.py":30', 30),
}

SILENT = {
    "in-place changes that the framework accepts": WRITTEN.replace("    raised", "    # raised").replace(' with={"failed":true}', ""),
    "another exception": WRITTEN.replace("modified by an inplace operation", "something else"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_values_that_were_overwritten(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert Fact("exception", "RuntimeError") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_state_of_an_earlier_step_is_another_rule() -> None:
    kept = STEPPED.replace("x: input f32[8,8]", "x: state f32[8,8] differentiable=true").replace('! optimizer_step opt @ "train.py":21', "")

    assert not said(diagnose, kept)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, WRITTEN)

    assert diagnosis.message == "`mask` (f32[8,4]) is changed in place, and the backward still needs it as it was"
    assert diagnosis.evidence[0].statement == "`sigmoid` saved it for its derivative"
    assert diagnosis.evidence[1].statement == "1 write in place came after: version 1, where the backward expects 0"
    assert "`mask = mask.clone()`" in diagnosis.help
