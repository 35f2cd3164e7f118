"""WG405 and WG418 where gradients are added to parameters as they are."""

import pytest

from sketch import said
from whygrad.rules.update import missing_step, update_without_gradient

ADDED = """
    outcome exit_status=0 steps_seen=30 backwards_seen=30
    optimizer opt native="Adam" steps=30 rates=[0.01,0.01] @ "train.py":20
    group rate=0.01 parameters=["w","v"]
    step 0 updated=true
    x: input f32[8,4]
    w: parameter f32[2,4]
    v: parameter f32[1,2]
    out = linear x w
    top = linear out v
    loss = mean top
    ! backward loss @ "train.py":30
    ! optimizer_step opt with={"rate":0.01} @ "train.py":31
    ! ascent w v @ "train.py":32
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=1.5 norm=2.0 update_norm=1.5 moved=1.0
    parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=0.5 norm=2.0 update_norm=0.5 moved=1.0
"""
SOME = ADDED.replace("! ascent w v", "! ascent w")


def test_gradients_in_the_place_of_updates_are_told_where_they_are_applied() -> None:
    (diagnosis,) = said(missing_step.diagnose, ADDED)

    assert diagnosis.rule == "WG405"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 32
    assert "in place of the update of `opt`" in diagnosis.message
    assert not said(update_without_gradient.diagnose, ADDED)


@pytest.mark.parametrize(
    ("made", "mask"),
    [
        ("optax.masked(optax.adam(1e-3), head_only(params))", "head_only(params)"),
        ("masked(chain(clip(1.0), adam(rate)), mask)", "mask"),
        ("optax.masked(tx, mask=trained)", "trained"),
        ("optax.multi_transform({'a': tx}, labels)", ""),
    ],
)
def test_what_a_mask_leaves_out_is_kept_still(made: str, mask: str) -> None:
    place = f'! ascent w @ "train.py":32:1-{len(made) + 1} text="{made}"'
    (diagnosis,) = said(update_without_gradient.diagnose, SOME.replace('! ascent w @ "train.py":32', place))
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()

    assert [edit.text.count(f"not trained, {mask}))") for edit in edits] == [1] * bool(mask)


def test_gradients_that_a_masked_optimizer_lets_through_are_told_where_it_is_made() -> None:
    (diagnosis,) = said(update_without_gradient.diagnose, SOME)

    assert diagnosis.rule == "WG418"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 32
    assert "`w`" in diagnosis.message
    assert not said(missing_step.diagnose, SOME)


SILENT = {
    "an ascent of what is no parameter of the step": ADDED.replace("! ascent w v", "! ascent others"),
    "no ascent": "\n".join(line for line in ADDED.splitlines() if "ascent" not in line),
    "a rate that is negative (WG406)": ADDED.replace("group rate=0.01", "group rate=-1.0"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(missing_step.diagnose, text)
    assert not said(update_without_gradient.diagnose, text)
