"""The blocks of the picture: labels stand in it, whether something reads them or not, and whoever made them."""

import pytest

from sketch import sketch
from whygrad.flow.picturing import picture

STEP = """
    x: input f32[8,4]
    y: label i64[8] called="y"
    w: parameter f32[3,4]
    a: activation f32[8,3]
    m: activation f32[8]
    {made}
    a = linear x w @ "train.py":5
    {loss}
    labels values=["y"] how="argument"
"""


@pytest.mark.parametrize(
    ("made", "loss", "arrows"),
    [
        ("", 'loss = mean a @ "train.py":6', 0),
        ("", 'loss = cross_entropy a y @ "train.py":6', 1),
        ('y = argmax m @ "train.py":4', 'loss = cross_entropy a y @ "train.py":6', 2),
    ],
    ids=["unread", "read", "made by an op, and read"],
)  # fmt: skip
def test_labels_are_a_block_of_their_own(made: str, loss: str, arrows: int) -> None:
    drawn = picture(sketch(STEP.format(made=made, loss=loss)).steps[0].step, None)

    (at,) = [number for number, block in enumerate(drawn.blocks) if (block.sort, block.name) == ("label", "y")]
    assert sum(at in (arrow.source, arrow.target) for arrow in drawn.arrows) == arrows
