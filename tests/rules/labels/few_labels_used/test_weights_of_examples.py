"""WG108 on weights of examples that were handed to `fit`: whole classes without a weight."""

import pytest

from sketch import said
from whygrad.rules.labels.few_labels_used import diagnose

FIT = """
    x: input f32[50,16]
    y: label f32[50,4]
    s: input i64[50] called="sample_weight"
    w: parameter f32[16,4]
    ! batch x y s with={"classes":4,"weightless":3,"examples":2555,"whole":true} @ "train.py":44 text="model.fit(x, y, sample_weight=weights)"
    p = linear x w
    q = softmax p
    loss = categorical_cross_entropy q y s with={"target":1}
"""


def test_most_classes_have_no_weight() -> None:
    (found,) = said(diagnose, FIT)

    assert found.message.startswith("`sample_weight` gives every example of 3 of 4 classes the weight 0")
    assert "whole numbers" in found.evidence[0].statement
    assert found.site is not None
    assert found.site.line == 44


@pytest.mark.parametrize(
    "program",
    [
        FIT.replace('"weightless":3', '"weightless":1'),
        FIT.replace('with={"classes":4,"weightless":3,"examples":2555,"whole":true} ', ""),
        FIT.replace("categorical_cross_entropy q y s", "mse_loss q y s"),
    ],
    ids=["one class of several, as padding has it", "all of them have one", "counts are no classes"],
)
def test_silence(program: str) -> None:
    assert not said(diagnose, program)
