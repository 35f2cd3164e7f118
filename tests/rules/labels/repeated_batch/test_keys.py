"""WG110: the key that is to be split, by the source."""

import pytest

from whygrad.ir import Frame, Op, Site
from whygrad.rules.labels.repeated_batch import key_split

CHOICE = "rows = jax.random.choice(key, len(x), (16,))"
CALL = Frame("train.py", 34, "<module>", "params, state, loss = step(params, state, key)")
OTHER = Frame("train.py", 34, "<module>", "step(params, other)")


def drawn(*callers: Frame, text: str = CHOICE) -> Op:
    site = Site("train.py", 29, column=12, text=text, callers=callers)
    return Op("sample", ("k",), ("rows",), "jax.random.choice", attributes={"key": "ab"}, site=site)


def test_whoever_hands_the_key_on_splits_it_first() -> None:
    remedy = key_split(drawn(CALL))

    assert remedy is not None
    assert [(edit.text, edit.site.line, edit.after) for edit in remedy.edits] == [("key = jax.random.split(key)[0]", 34, False)]
    assert remedy.later


def test_a_compiled_function_is_told_who_called_it() -> None:
    caller = Site(CALL.file, CALL.line, text=CALL.text)

    remedy = key_split(drawn(), [caller])

    assert remedy is not None
    assert [edit.site for edit in remedy.edits] == [caller]


@pytest.mark.parametrize(
    "op",
    [drawn(), drawn(text="rows = jax.random.choice(self.key, len(x))"), drawn(OTHER)],
    ids=["drawn where the key was made", "no name", "handed on under another name"],
)
def test_where_the_key_has_no_name_there_nothing_is_offered(op: Op) -> None:
    assert key_split(op) is None
