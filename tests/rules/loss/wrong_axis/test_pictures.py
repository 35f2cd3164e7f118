"""WG211 on pictures whose channels stand on the last axis, and that are reshaped for a convolution."""

import pytest

from sketch import said
from whygrad.rules.loss.wrong_axis import diagnose

PICTURES = """
    framework torch "2.13"
    a: input f32[20,20,3] called=image
    b: input f32[20,20,3]
    c: activation f32[3,20,20]
    d: activation f32[3,20,20]
    e: activation f32[3,20,20]
    x: input f32[2,3,20,20]
    w: parameter f32[8,3,3,3]
    s: activation f32[2,8,20,20]
    c = reshape a native="torch.Tensor.view" @ "data.py":7
    d = reshape b native="torch.Tensor.view" @ "data.py":7
    e = sub c @ "data.py":8
    x = concat e d native="torch.stack"
    s = conv x w @ "net.py":3
    loss = mean s @ "train.py":5
"""
BATCH = """
    framework torch "2.13"
    a: input f32[16,32,32,4] called=image
    c: activation f32[16,4,32,32]
    w: parameter f32[8,4,3,3]
    s: activation f32[16,8,32,32]
    c = reshape a native="torch.Tensor.reshape" @ "data.py":7
    s = conv c w @ "net.py":3
    loss = mean s @ "train.py":5
"""

FIRES = {
    "one by one, and normalised": PICTURES,
    "a batch at once": BATCH,
    "higher than wide": BATCH.replace("[16,32,32,4]", "[16,48,32,4]").replace("[16,4,32,32]", "[16,4,48,32]"),
}
SILENT = {
    "the axes are moved": PICTURES.replace('reshape a native="torch.Tensor.view"', 'transpose a native="torch.Tensor.permute"'),
    "flat rows of colours, as CIFAR has them": BATCH.replace("a: input f32[16,32,32,4]", "a: input f32[16,4096]"),
    "one channel": BATCH.replace("[16,32,32,4]", "[16,32,32,1]").replace("[16,4,32,32]", "[16,1,32,32]").replace("[8,4,3,3]", "[8,1,3,3]"),
    "many features": BATCH.replace("[16,32,32,4]", "[16,32,32,64]").replace("[16,4,32,32]", "[16,64,32,32]").replace("[8,4,3,3]", "[8,64,3,3]"),
    "too small for a picture": BATCH.replace("32,32", "4,4"),
    "axes are moved afterwards": BATCH.replace(
        "    s = conv c w", "    t: activation f32[16,4,32,32]\n    t = transpose c\n    s = conv t w"
    ),
    "no convolution reads it": BATCH.replace("conv c w", "linear c w"),
    "what a layer made": BATCH.replace("c = reshape a", "v: parameter f32[4,4]\n    h: activation f32[16,32,32,4]\n    h = linear a v\n    c = reshape h"),
    "channels stay last": BATCH.replace("c: activation f32[16,4,32,32]", "c: activation f32[16,32,32,4]"),
    "another framework": BATCH.replace('framework torch "2.13"', 'framework tensorflow "2.20"'),
}  # fmt: skip


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_rows_that_are_cut_into_channels(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("data.py", 7)
    assert "`image.movedim(-1, -3)`" in diagnosis.help


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
