"""The blocks of the picture: labels stand in it, whether something reads them or not, and whoever made them."""

from dataclasses import replace

import pytest

from sketch import sketch
from whygrad.flow.picturing import picture
from whygrad.ir import Frame, Site

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
    drawn = picture(sketch(STEP.format(made=made, loss=loss)).steps[0].step)

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
    drawn = picture(sketch(text).steps[0].step)

    names = [block.name for block in drawn.blocks]
    assert "data of train.py:6" in names
    assert "train.py:6" in names
    pairs = {(arrow.source, arrow.target) for arrow in drawn.arrows}
    assert not any((target, source) in pairs for source, target in pairs)


DROPPED = """
    x: input f32[8,4]
    y: label i64[8] called="y"
    w: parameter f32[3,4]
    lost.w: parameter f32[3,4]
    a: activation f32[8,3]
    b: activation f32[8,3]
    a = linear x w @ "train.py":5 module="head"
    b = linear x lost.w @ "train.py":6 module="lost"
    loss = cross_entropy a y @ "train.py":7
    shown = mul loss @ "train.py":9
    labels values=["y"] how="argument"
"""


def test_what_never_reaches_the_loss_is_drawn_and_marked() -> None:
    drawn = picture(sketch(DROPPED).steps[0].step, [Site("train.py", 6)])

    assert [block.name for block in drawn.blocks if block.marked] == ["lost"]


def test_what_merely_reads_the_loss_is_no_part_of_the_way() -> None:
    drawn = picture(sketch(DROPPED).steps[0].step, [Site("train.py", 9)])

    assert "train.py:9" not in [block.name for block in drawn.blocks]


def test_a_place_without_an_op_leaves_the_mark_to_the_next_one() -> None:
    drawn = picture(sketch(DROPPED).steps[0].step, [Site("data.py", 3), Site("train.py", 7)])

    assert [block.name for block in drawn.blocks if block.marked] == ["train.py:7"]


def test_many_lines_that_prepare_data_are_a_box_for_each_function() -> None:
    lines = "\n".join(f'    x{at + 1} = add x{at} @ "data.py":{at + 1} in "prepared"' for at in range(9))
    text = f"""
    x0: input f32[8,4]
    w: parameter f32[3,4]
{lines}
    a = linear x9 w @ "train.py":5
    loss = mean a @ "train.py":7
    """
    names = {block.name for block in picture(sketch(text).steps[0].step).blocks}

    assert names == {"x0", "prepared", "train.py:5", "train.py:7"}


def test_a_line_that_calls_others_is_marked_where_its_result_is_made() -> None:
    step = sketch(DROPPED).steps[0].step
    called = [
        replace(op, site=replace(op.site, callers=(Frame("net.py", 3),))) if op.module == "lost" and op.site else op
        for op in step.graph.ops
    ]
    drawn = picture(replace(step, graph=replace(step.graph, ops=tuple(called))), [Site("net.py", 3)])

    assert [block.name for block in drawn.blocks if block.marked] == ["lost"]


def test_many_modules_are_drawn_by_their_outer_names_beside_single_lines() -> None:
    layers = "\n".join(f'    h{at + 1} = relu h{at} @ "net.py":3 module="blocks.{at // 5}.{at}"' for at in range(60))
    text = f"""
    h0: input f32[8,4]
    w: parameter f32[3,4]
{layers}
    a = linear h60 w @ "train.py":5
    loss = mean a @ "train.py":7
    """
    names = {block.name for block in picture(sketch(text).steps[0].step).blocks}

    assert {"train.py:5", "train.py:7"} < names
