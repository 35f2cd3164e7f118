"""WG112 on sketches of language models whose labels are the ids that they read."""

import pytest

from sketch import said
from whygrad.rules.labels.padding_used import diagnose

FIGURES = "finite=1.0 minimum=1 maximum=29 zeros=0.0 mean=26.5 std=12.7"
MODEL = f"""
    ids: input i64[4,8] {FIGURES}
    mask: input i64[4,8] minimum=0 maximum=1 zeros=0.6 whole=1.0 called="mask"
    w: parameter f32[30,6]
    v: parameter f32[30,6]
    rows: activation i64[4,8] {FIGURES}
    marked: activation bool[4,8]
    seen: activation bool[4,1,1,8]
    causal: activation bool[1,1,8,8]
    both: activation bool[4,1,8,8]
    longer: activation i64[4,9]
    later: activation i64[4,8]
    y: label i64[32] minimum=-100 maximum=29 zeros=0.0
    a: activation f32[4,8,6]
    p: activation f32[32,30]
    rows = reshape ids
    h = embedding rows w @ "net.py":3
    marked = cast mask
    seen = index marked
    both = compare seen causal native="torch.Tensor.__and__"
    a = attention h h h both @ "net.py":4
    p = linear a v @ "net.py":5
    longer = pad ids
    later = index longer with={{"part":[1,9,1]}}
    y = reshape later
    loss = cross_entropy p y with={{"target":1,"ignore_index":-100,"reduction":"mean"}} @ "train.py":9
    labels values=["y"] how="target"
"""


def test_padding_that_the_attention_leaves_out_and_the_loss_counts() -> None:
    (diagnosis,) = said(diagnose, MODEL)

    assert "60 % of the positions are padding" in diagnosis.message
    assert (diagnosis.site.line if diagnosis.site else None) == 9


def test_labels_that_are_a_copy_of_the_ids() -> None:
    copied = MODEL.replace("    w: parameter", f"    copied: input i64[4,8] {FIGURES}\n    w: parameter", 1).replace(
        "pad ids", "pad copied"
    )

    assert said(diagnose, copied)


@pytest.mark.parametrize(
    "text",
    [
        MODEL.replace("zeros=0.6", "zeros=0.2"),
        MODEL.replace("longer = pad ids", 'longer = write ids native="torch.Tensor.__setitem__"'),
        MODEL.replace('"ignore_index":-100', '"ignore_index":2'),
        MODEL.replace('"reduction":"mean"', '"reduction":"none"'),
        MODEL.replace("both = compare seen causal native", "both = compare seen causal native").replace("marked = cast mask", "marked = compare mask"),
        MODEL.replace("attention h h h both", "attention h h h"),
        MODEL.replace("longer = pad ids", "longer = pad others"),
    ],
    ids=["little padding", "labels written into", "an id of the vocabulary is ignored", "a loss for each position", "marks turned round", "no mask", "other labels"],
)  # fmt: skip
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
