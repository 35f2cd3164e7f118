"""WG705 where Keras refuses shapes while a model is built."""

import pytest

from whygrad.flow import Index
from whygrad.ir import Outcome, Raised, Record, Site
from whygrad.rules.wiring.input_shape import diagnose

JOIN = "A `Concatenate` layer requires inputs with matching shapes except for the concatenation axis. Received: input_shape=[{}]"
SUM = "Inputs have incompatible shapes. Received shapes {} and {}"
OPEN = "Shapes used to initialize variables must be fully-defined (no `None` dimensions). Received: shape={} for variable path='{}'"


def said(message):
    """What is said of a program that ended so."""
    raised = Raised("ValueError", message, Site("train.py", 8))
    return list(diagnose.check(Index(Record(outcome=Outcome(1, exception=raised)))))


@pytest.mark.parametrize(
    ("message", "told", "advice"),
    [
        (JOIN.format("(None, 28, 28, 16), (None, 32, 32, 8)"), "maps of 28 x 28 and 32 x 32", "padding"),
        (JOIN.format("(None, 9, 16), (None, 8, 16)"), "[*,9,16] and [*,8,16], which differ on axis 1", "axis"),
        (JOIN.format("(None, 4, 4, 8), (None, 8)"), "inputs of 4 and 2 axes", "Flatten"),
        (SUM.format("(16, 16, 8)", "(8, 8, 16)"), "[16,16,8] and [8,8,16] can't be added", "kernel size 1"),
        (OPEN.format("(None, 16)", "dense/kernel"), "`dense` can't make its `kernel`", "keras.Input"),
        (
            'Layer "dense" expects 1 input(s), but it received 2 input tensors.',
            "`dense` takes one input, and is given a list of 2",
            "Concatenate",
        ),
    ],
)
def test_what_a_layer_refused_is_told_at_its_call(message, told, advice):
    (diagnosis,) = said(message)

    assert told in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8
    assert advice in diagnosis.help


@pytest.mark.parametrize(
    "message",
    [
        "Concatenate what?",
        "A `Concatenate` layer should be called on a list of at least 1 input.",
        "Inputs have incompatible shapes.",
        JOIN.format(""),
        JOIN.format("(None, 8)"),
        SUM.format("(8, 8)", "(8, 8)"),
        OPEN.replace("(no `None` dimensions)", "").format("(None, 16)", "dense/kernel"),
    ],
)
def test_other_refusals_are_not_explained_so(message):
    assert not said(message)
