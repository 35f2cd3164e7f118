"""WG515 on parameters that are initialised over what they learnt."""

import pytest

from sketch import said
from whygrad.rules.magnitude.uninitialised_parameter import diagnose

TEXT = """
    optimizer opt native="SGD" steps=180 @ "train.py":5
    group rate=0.1 parameters=["w"]
    course steps=192 start=1.1 first=1.1 last=1.095 noise=0.01 @ "train.py":11
    redraw names=["w"] optimizer="opt" times=11 first=16 last=176 @ "nets.py":17
    x: input f32[8,4]
    y: label i64[8]
    w: parameter f32[3,4]
    out = linear x w
    loss = cross_entropy out y with={"target":1}
    ! backward loss @ "train.py":11
"""


def test_what_is_drawn_anew_while_the_loss_stands() -> None:
    (found,) = said(diagnose, TEXT, steps=2)

    assert "`w` is initialised again after updates, 11 times" in found.message
    assert found.site is not None
    assert found.site.line == 17
    assert "about every 16 updates" in found.evidence[0].statement


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace("last=1.095", "last=0.4"),
        TEXT.replace('    redraw names=["w"] optimizer="opt" times=11 first=16 last=176 @ "nets.py":17\n', ""),
        TEXT.replace("course steps=192", "course steps=3"),
    ],
    ids=["it learns all the same: folds, resets on purpose", "nothing was drawn anew", "too few losses to tell"],
)
def test_silence(text: str) -> None:
    assert not said(diagnose, text, steps=2)


LOADED = TEXT.replace('redraw names=["w"]', 'redraw names=["net"] loaded=true').replace("last=1.095", "last=0.4")


@pytest.mark.parametrize(
    ("text", "proof"),
    [
        (LOADED.replace("steps=180", "steps=176"), "no update came after the last time"),
        (LOADED.replace("last=0.4", "last=1.095"), "the loss stands still"),
    ],
    ids=["the program ends with them", "nothing is learnt in between"],
)
def test_a_model_that_is_given_what_it_began_with(text: str, proof: str) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert "`net` is given the weights that it began with again, 11 times" in found.message
    assert found.site is not None
    assert found.site.line == 17
    assert proof in found.evidence[1].statement


def test_folds_that_begin_alike_and_learn_are_left_alone() -> None:
    assert not said(diagnose, LOADED, steps=2)
