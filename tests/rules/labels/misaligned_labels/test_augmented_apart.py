"""WG104 on sketches of pairs that the function of a data set moves apart."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

PAIR = """
    x: input f32[8,16,16,3]
    y: input f32[8,16,16,1]
    w: parameter f32[3,3,3,1]
    s: activation f32[8,16,16,1]
    s = conv x w
    loss = bce_with_logits s y with={"target":1} @ "train.py":20
    ! batch x y with={"apart":["augment.py",5,"flip","    image = flip(image)","augment.py",6,"flip","    mask = flip(mask)"]}
    ! backward loss
    labels values=["y"] how="framework"
"""


def test_masks_that_are_moved_by_another_draw_are_told_at_the_line_that_moves_them() -> None:
    (diagnosis,) = said(diagnose, PAIR)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("augment.py", 6)
    assert diagnosis.related[0].site.line == 5


@pytest.mark.parametrize(
    "text",
    [
        PAIR.replace(' with={"apart":["augment.py",5,"flip","    image = flip(image)","augment.py",6,"flip","    mask = flip(mask)"]}', ""),
        PAIR.replace("bce_with_logits s y", "bce_with_logits s x"),
        PAIR.replace("    s = conv x w", "    b: activation f32[8,16,16,4]\n    b = concat x y\n    s = conv b w"),
    ],
    ids=["nothing moves them", "a picture against itself", "a model that reads both"],
)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
