"""WG104 on batches that were compared with their items, and on fits."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

BATCH = """
    outcome steps_seen=60 backwards_seen=60
    course steps=60 start=0.7 first=0.69 last=0.69 noise=0.001
    x: input f32[32,9]
    y: label f32[32]
    w: parameter f32[1,9]
    s: activation f32[32]
    x = pad native="pad_sequence" @ "a.py":3
    y = enter @ "a.py":4
    s = linear x w @ "a.py":8
    loss = bce_with_logits s y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
    measures label_sensitivity=0.9
"""
SORTED = 'collation path="[0]" other="[1]" rows=32 moved=20 values=["x"] others=["y"] @ "a.py":1\n'
UNRELATED = 'fit inputs=["x"] labels=["y"] rows=512 score=0.4 entropy=0.69 variance=0.25\n'
SHIFTED = 'fit inputs=["x"] labels=["y"] rows=512 score=0.4 order="shifted by 1" restored=40.0\n'


def test_reordered_inputs_are_an_error_where_the_run_fails():
    (found,) = said(diagnose, SORTED + BATCH)

    assert found.site is not None
    assert (found.severity, found.confidence, found.site.line) == ("error", "measured", 3)


def test_reordered_labels_are_named_where_the_inputs_kept_their_order():
    (found,) = said(diagnose, SORTED.replace("moved=20", "moved=20 kept=true") + BATCH)

    assert found.site is not None
    assert found.site.line == 4


def test_a_run_that_learns_is_warned():
    (found,) = said(diagnose, SORTED + BATCH.replace("last=0.69", "last=0.3"))

    assert found.severity == "warning"


def test_the_label_may_tell_the_order():
    swapped = 'collation path="[1]" other="[0]" rows=32 moved=20 values=["y"] others=["x"]\n'

    assert len(said(diagnose, swapped + BATCH)) == 1


def test_labels_that_nothing_explains_are_a_note():
    (found,) = said(diagnose, UNRELATED + BATCH)

    assert (found.severity, found.confidence) == ("note", "suspected")


def test_labels_that_fit_in_another_order_are_a_warning():
    (found,) = said(diagnose, SHIFTED + BATCH)

    assert found.severity == "warning"
    assert "shifted by 1" in found.message


def test_a_loss_that_came_down_to_a_constant_guess_has_learnt_nothing():
    assert said(diagnose, UNRELATED + BATCH.replace("start=0.7 first=0.69", "start=0.9 first=0.85"))


SILENT = {
    "no label in the pair": SORTED.replace('others=["y"]', 'others=["q"]') + BATCH,
    "a relation was found": UNRELATED.replace("score=0.4", "score=9.0") + BATCH,
    "the score is unknown": UNRELATED.replace("score=0.4", 'score="nan"') + BATCH,
    "few rows": UNRELATED.replace("rows=512", "rows=60") + BATCH,
    "the run learns": UNRELATED + BATCH.replace("last=0.69", "last=0.3"),
    "nine in ten are of one class, and the loss falls to what that gives (WG113)": UNRELATED.replace("entropy=0.69", "entropy=0.33")
    + BATCH.replace("start=0.7 first=0.69", "start=0.7 first=0.6").replace("last=0.69", "last=0.33"),
    "a short try": UNRELATED + BATCH.replace("steps=60 start", "steps=9 start"),
    "labels drawn at random": UNRELATED + BATCH.replace("y = enter", 'y = random native="torch.randint"'),
}


@pytest.mark.parametrize("case", SILENT)
def test_the_rule_is_silent(case: str):
    assert not said(diagnose, SILENT[case])


LOADERS = """
batches path="[0]" seen=40 distinct=40 values=["x"] length=16 drawn=true @ "data.py":27
batches path="[1]" seen=40 distinct=40 values=["y"] length=16 drawn=true @ "data.py":28
"""
TOGETHER = {
    "one loader for both": LOADERS.replace('"data.py":28', '"data.py":27'),
    "an order that only one of them draws": LOADERS.replace("drawn=true", "drawn=false", 1),
    "labels that go with inputs of their own": LOADERS
    + 'batches path="[2]" seen=40 distinct=40 values=["x"] length=16 drawn=true @ "data.py":28\n',
    "loaders of different length": LOADERS.replace("length=16", "length=9", 1),
}


def test_two_loaders_that_shuffle_apart():
    (found,) = said(diagnose, LOADERS + BATCH)

    assert found.site is not None
    assert (found.severity, found.confidence, found.site.line) == ("error", "measured", 28)


@pytest.mark.parametrize("loaders", TOGETHER.values(), ids=TOGETHER)
def test_loaders_that_keep_inputs_and_labels_together(loaders: str):
    assert not said(diagnose, loaders + BATCH)


def test_loaders_whose_labels_are_learnt():
    """Both may draw the same order, where the program seeds before each pass."""
    assert not said(diagnose, LOADERS + BATCH.replace("last=0.69", "last=0.3"))
