"""WG705 where a Keras model refuses one example, or another number of inputs than it has."""

import pytest

from whygrad.flow import Index
from whygrad.ir import Outcome, Raised, Record, Site
from whygrad.rules.wiring.input_shape import diagnose

ONE = "Invalid input shape for input Tensor(\"data:0\", shape={got}, dtype=float32) with name 'keras_tensor' and path ''. Expected shape {due}, but input has incompatible shape {got}"
COUNT = 'Layer "functional" expects {due}, but it received {got}.'


def said(message):
    """What is said of a program that ended so."""
    raised = Raised("ValueError", message, Site("train.py", 8))
    return list(diagnose.check(Index(Record(outcome=Outcome(1, exception=raised)))))


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (ONE.format(due="(None, 9)", got="(9,)"), "without a batch axis: [9]"),
        (ONE.format(due="(None, 28, 28, 1)", got="(28, 28, 1)"), "without a batch axis: [28, 28, 1]"),
        (ONE.format(due="(None, 100)", got="(32,)"), "has no axis for them: each row is a single number"),
        (COUNT.format(due="2 input(s)", got="1 input tensors"), "has 2 inputs, and is given 1"),
        (
            COUNT.format(due="2 named input(s) with keys ['user', 'item']", got="3 input tensors"),
            "has 2 inputs (`user`, `item`), and is given 3",
        ),
    ],
)
def test_what_the_model_refused_is_told_at_the_call(message, told):
    (diagnosis,) = said(message)

    assert told in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8


@pytest.mark.parametrize(
    "message",
    [
        ONE.format(due="(None, 9, 3)", got="(7,)"),
        "Functional expects an input that is a tensor",
        "bad input shape (9,)",
        "the function expects 2 arguments, but it received 1",
    ],
)
def test_other_refusals_are_not_explained_so(message):
    assert not said(message)
