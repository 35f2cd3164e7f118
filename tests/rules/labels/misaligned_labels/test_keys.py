"""WG104: two orders that were drawn by different keys, and the edit that draws both by one."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

TWO_KEYS = """
    framework jax "0.10.2"
    x: input f32[8,2]
    y: label f32[8]
    w: parameter f32[1,2]
    one: activation i32[8]
    two: activation i32[8]
    xs: activation f32[8,2]
    ys: activation f32[8]
    p: activation f32[8]
    one = random native="jax.random.permutation" with={"key":"a"} @ "train.py":16
    xs = index x one native="jax.random.permutation" @ "train.py":16 in "batches" text="    xs = random.permutation(kx, x)"
    two = random native="jax.random.permutation" with={"key":"b"} @ "train.py":17
    ys = index y two native="jax.random.permutation" @ "train.py":17 in "batches" text="    ys = random.permutation(ky, y)"
    p = linear xs w @ "train.py":20
    loss = mse_loss p ys with={"target":1} @ "train.py":21
    labels values=["y"] how="target"
"""


def test_both_are_drawn_by_one_key() -> None:
    (diagnosis,) = said(diagnose, TWO_KEYS)

    assert "put into a third one" in diagnosis.message
    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.site.line, edit.position) for edit in diagnosis.remedy.edits] == [("argument", "kx", 17, 0)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"train.py":17 in "batches"', '"train.py":17 in "others"'),
        ("random.permutation(kx, x)", "random.permutation(keys[0], x)"),
        ("random.permutation(ky, y)", "y[random.permutation(ky, 8)[random.permutation(kz, 8)]]"),
        ("ys = random.permutation(ky, y)", "ys = shuffled(y)"),
    ],
    ids=["another function", "a key without a name", "two permutations on the line", "a helper"],
)
def test_where_the_keys_are_not_clear_the_source_stays(old: str, new: str) -> None:
    (diagnosis,) = said(diagnose, TWO_KEYS.replace(old, new))

    assert diagnosis.remedy is None


def test_one_key_makes_one_order() -> None:
    assert not said(diagnose, TWO_KEYS.replace('"key":"b"', '"key":"a"'))


TWO_DRAWS = (
    TWO_KEYS.replace('framework jax "0.10.2"', 'framework torch "2.13.0"')
    .replace("jax.random.permutation", "torch.randperm")
    .replace('"key":"a"', '"drawn":7')
    .replace('"key":"b"', '"drawn":8')
)
HELPER = TWO_DRAWS.replace('"train.py":16 in "batches"', '"data.py":3 in "shuffled" callers=[["train.py",16,"batches"]]').replace(
    '"train.py":17 in "batches"', '"data.py":3 in "shuffled" callers=[["train.py",17,"batches"]]'
)


def test_two_draws_are_told_by_what_was_drawn() -> None:
    (told,) = said(diagnose, TWO_DRAWS)

    assert told.site is not None
    assert told.site.line == 16
    assert "of another draw" in str(told.evidence[0])


def test_a_helper_that_shuffles_both_sides_is_named_where_it_is_called() -> None:
    (told,) = said(diagnose, HELPER)

    assert told.site is not None
    assert (told.site.file, told.site.line) == ("train.py", 16)


@pytest.mark.parametrize(
    ("old", "new"), [('"drawn":8', '"drawn":7'), (' with={"drawn":8}', "")], ids=["the same order, drawn again", "nobody looked"]
)
def test_orders_that_may_be_one_are_left_alone(old: str, new: str) -> None:
    assert not said(diagnose, TWO_DRAWS.replace(old, new))
