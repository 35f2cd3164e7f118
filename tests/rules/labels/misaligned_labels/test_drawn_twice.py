"""WG104 on noise that was drawn twice, on sketches: told where it is added, and silence where a draw is what it should be."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

DENOISER = """
    x: input f32[64,2]
    w: parameter f32[2,2]
    target: activation f32[64,2]
    added: activation f32[64,2]
    scaled: activation f32[64,2]
    noisy: activation f32[64,2]
    p: activation f32[64,2]
    d: activation f32[64,2]
    s: activation f32[64,2]
    target = random native="torch.randn_like" @ "train.py":4
    added = random native="torch.randn_like" @ "train.py":5
    scaled = mul added @ "train.py":6
    noisy = add x scaled @ "train.py":6
    p = linear noisy w @ "train.py":7
    loss = mse_loss p target with={"target":1} @ "train.py":8
    labels values=["target"] how="target"
"""
BY_HAND = DENOISER.replace(
    'loss = mse_loss p target with={"target":1} @ "train.py":8', "d = sub target p\n    s = square d\n    loss = mean s"
)
TOLD = {
    "a loss function": DENOISER,
    "a difference of the program's own": BY_HAND,
    "taken off the data": DENOISER.replace("add x scaled", "sub x scaled"),
    "a target in another shape first": DENOISER.replace("target with", "flat with").replace(
        "    p = linear", "    flat = reshape target\n    p = linear"
    ),
}
SILENT = {
    "the noise that was added": DENOISER.replace("p target", "p added"),
    "the noise that was added, by hand": BY_HAND.replace("sub target p", "sub added p"),
    "a demonstration on drawn inputs and targets": DENOISER.replace("linear noisy w", "linear added w"),
    "dropout-like noise: a product": DENOISER.replace("add x scaled", "mul x scaled"),
    "the data are to be found again": DENOISER.replace("p target", "p x"),
    "labels with noise on them": DENOISER.replace("p target", "y target")
    .replace("    p = linear", "    y = add x target\n    p = linear")
    .replace("mse_loss y target", "mse_loss p y"),
    "noise of another shape": DENOISER.replace("added: activation f32[64,2]", "added: activation f32[64,1]"),
    "noise in the middle of the net": DENOISER.replace("add x scaled", "add h scaled").replace(
        "    noisy = add", "    h = linear x w\n    noisy = add"
    ),
    "classes that are drawn": DENOISER.replace("target: activation f32", "target: activation i64"),
    "only noise: a generator": DENOISER.replace("add x scaled", "add added scaled"),
}


@pytest.mark.parametrize("text", TOLD.values(), ids=TOLD)
def test_noise_that_was_drawn_twice(text: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert "another draw" in found.message
    assert found.site is not None
    assert found.site.line == 5
    assert found.related[0].site.line == 4


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not [found for found in said(diagnose, text, steps=2) if "another draw" in found.message]
