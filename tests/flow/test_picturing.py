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


def test_data_and_loss_on_one_line_are_two_blocks_and_no_circle() -> None:
    text = """
    x: input f32[8,4]
    y: label i64[8] called="y"
    w: parameter f32[3,4]
    rows: activation f32[4,4]
    a: activation f32[4,3]
    rows = index x @ "train.py":6
    a = linear rows w @ "net.py":3 module="body"
    loss = cross_entropy a y @ "train.py":6
    labels values=["y"] how="argument"
    """
    drawn = picture(sketch(text).steps[0].step, None)

    names = [block.name for block in drawn.blocks]
    assert "data of train.py:6" in names
    assert "train.py:6" in names
    pairs = {(arrow.source, arrow.target) for arrow in drawn.arrows}
    assert not any((target, source) in pairs for source, target in pairs)
