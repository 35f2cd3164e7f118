"""WG104: the order that the source names, into which the other side can be put as well; and shuffles that can be left out."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose
from whygrad.rules.labels.pairing import order_in

APART = """
    course steps=100 start=1.4 first=1.39 last=1.39 noise=0.01
    fit inputs=["x"] labels=["y"] rows=512 score=0.2 entropy=1.39
    origin values=["y"] setting="order" @ "data.py":7:9-30 text="images = images.shuffle(1000)"
    x: input f32[32,8]
    y: label i64[32]
    w: parameter f32[4,8]
    s = linear x w
    loss = cross_entropy s y with={"target":1}
    ! batch x y
    labels values=["y"] how="framework"
"""
SECOND = '    origin values=["y"] setting="order" @ "data.py":8:9-30 text="labels = labels.shuffle(1000)"\n    x: input'


@pytest.mark.parametrize(
    ("text", "order"),
    [
        ("words = pad_sequence([words[i] for i in order], batch_first=True)", "order"),
        ("x = x[perm]", "perm"),
        ("return torch.stack([item for item in batch])", ""),
        ("x = x[order][other]", ""),
        ("x = x[", ""),
    ],
)
def test_an_order_is_known_where_one_is_named(text: str, order: str) -> None:
    assert order_in(text) == order


def test_each_side_that_is_shuffled_by_itself_is_left_as_it_lies() -> None:
    (one,) = said(diagnose, APART)
    (both,) = said(diagnose, APART.replace("    x: input", SECOND, 1))

    assert [[(edit.action, edit.site.line) for edit in found.remedy.edits] for found in (one, both) if found.remedy] == [
        [("unwrap", 7)],
        [("unwrap", 7), ("unwrap", 8)],
    ]
    assert both.help is not None
    assert "Dataset.zip" in both.help


@pytest.mark.parametrize("text", ["labels = labels[other]", "labels = sorted(labels)"])
def test_an_order_that_is_no_shuffle_is_not_left_out_beside_one(text: str) -> None:
    (found,) = said(diagnose, APART.replace("    x: input", SECOND.replace("labels = labels.shuffle(1000)", text), 1))

    assert found.remedy is None
