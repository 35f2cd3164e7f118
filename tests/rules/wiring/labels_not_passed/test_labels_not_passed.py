"""WG701 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.wiring.labels_not_passed import diagnose

TRAINER = """
    raised type="ValueError" message="The model did not return a loss from the inputs, only the following keys: logits. For reference, the inputs it received are input_ids,attention_mask." @ "train.py":15
"""

LOOP = """
    raised type="AttributeError" message="'NoneType' object has no attribute 'backward'" @ "train.py":11
    x: input i64[4,8]
    w: parameter f32[2,16] differentiable=true
    out: activation f32[4,2] differentiable=true
    out = embedding x w module="classifier" @ "train.py":9
    ! exception with={"type":"AttributeError","message":"'NoneType' object has no attribute 'backward'"}
    parameter w library=true reached=true
"""

FIT = """
    raised type="ValueError" message="None values not supported." @ "train.py":11
    x: input f32[4,8]
    w: parameter f32[8,1]
    out: activation f32[4,1]
    out = linear x w @ "train.py":6
    = binary_cross_entropy out native="keras.losses.binary_crossentropy" failed=true @ "train.py":7
    ! batch x @ "train.py":8
    ! exception with={"type":"ValueError","message":"None values not supported."}
"""

NONE = "Gradient only defined for scalar-output functions. Output was None."
OWN = f"""
    raised type="TypeError" message="{NONE}" @ "train.py":26
    x: input i32[4,8]
    y: input i32[4] called="kinds"
    w: parameter f32[2,16] differentiable=true
    out: activation f32[4,2] differentiable=true
    out = embedding x w module="Classifier" scope=1 @ "train.py":12 in "Classifier.__call__"
    ! batch x y
    ! exception with={{"type":"TypeError","message":"{NONE}"}}
    parameter w reached=true
    scope train_step arguments={{"x":"x","y":"y"}} @ "train.py":24
    scope __call__ arguments={{"x":"x"}} parent=0 @ "train.py":10
"""

FIRES = {
    "a model of one's own that gets no labels": (OWN, 26),
    "inputs alone for `fit`": (FIT, 8),
    "a trainer says so": (TRAINER, 15),
    "a loop of one's own": (LOOP, 9),
}

SILENT = {
    "a loss that raised over its labels": FIT.replace("binary_cross_entropy out", 'binary_cross_entropy out y with={"target":1}'),
    "a loss that raised over something else": FIT.replace("None values not supported.", "no such axis"),
    "a loss was computed (WG702)": LOOP.replace("    ! exception", "    l = cross_entropy out\n    ! exception"),
    "a model of one's own": LOOP.replace("library=true", ""),
    "a model that is given the labels and makes no loss": OWN.replace(
        '__call__ arguments={"x":"x"}', '__call__ arguments={"x":"x","y":"y"}'
    ),
    "a loss that was computed and not returned (WG702)": OWN.replace(
        "    ! batch", "    l: activation f32[]\n    l = mean out\n    ! batch"
    ),
    "the labels are read": OWN.replace("    ! batch", "    k: activation f32[4]\n    k = sub y\n    ! batch"),
    "another exception": LOOP.replace("object has no attribute 'backward'", "object is not iterable"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_models_without_labels(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, TRAINER)

    assert diagnosis.message == "the model is given `input_ids` and `attention_mask` and no labels, so it returns no loss"


def refused(message: str) -> str:
    """A training loop of Keras' that refuses the labels, with the line that tells the losses."""
    return f"""
    raised type="ValueError" message="{message}" @ "train.py":20
    x: input f32[8,4]
    ! batch x @ "train.py":20
    = opaque native="keras.Model.compile" failed=true @ "train.py":18
    """


UNFIT = {
    "a generator of inputs alone": ("must return a tuple, either (input,). Received: [[0.1 0.2]]", "the generator gives inputs alone", 18),
    "a generator of lists": ("must return a tuple, either (input,). Received: [array([[0.1 0.2]])]", "the generator gives a list", 18),
    "a loss for an output that is not there": (
        "Expected keys ['price', 'kind'] in loss dict, but found loss.keys()=['price', 'category']",
        "`category` is no output of the model, whose outputs are `price` and `kind`",
        18,
    ),
    "a loss under a path that is not there": ("The path: ('mask',) in the `loss` argument, can't be found in", "`mask` of `loss`", 18),
    "labels for one of two outputs": (
        "y_true and y_pred have different structures.\\ny_true: *\\ny_pred: ['*', '*']\\n",
        "the model has 2 outputs with a loss each, and is given labels for 1",
        20,
    ),
    "labels under another name": ("Expected float32, but got label of type 'str'.", "the labels are given as `label`", 20),
}


@pytest.mark.parametrize(("message", "begins", "line"), UNFIT.values(), ids=UNFIT)
def test_labels_that_the_training_loop_refuses(message: str, begins: str, line: int) -> None:
    if "generator" in begins:
        message = f"the generator {message}"
    (diagnosis,) = said(diagnose, refused(message))

    assert diagnosis.message.startswith(begins)
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize(
    "message",
    [
        "Expected keys ['a'] in loss dict, but found loss.keys()=['a']",
        "y_true and y_pred have different structures.\\ny_true: ['*', '*']\\ny_pred: *",
    ],
)
def test_refusals_that_tell_nothing_of_missing_labels(message: str) -> None:
    assert not said(diagnose, refused(message))


@pytest.mark.parametrize(
    ("message", "told"),
    [("No loss to compute. Provide a `loss` argument in `compile()`.", 1), ("No optimizer to update. Provide one in `compile()`.", 0)],
)
def test_fit_without_a_loss(message: str, told: int) -> None:
    found = said(diagnose, f'raised type="ValueError" message="{message}" @ "train.py":7')

    assert ["no loss to compare the labels with" in diagnosis.message for diagnosis in found] == [True] * told


DICTIONARY = """
    raised type="ValueError" message="The structure of `inputs` doesn't match the expected structure. Expected: keras_tensor Received: inputs={'image': 'T', 'label': 'T'}" @ "train.py":8
    x: input f32[8,4]
    y: input i64[8]
    w: parameter f32[2,4]
    p: activation f32[8,2]
    p = linear x w
    parameter w
"""


@pytest.mark.parametrize(("text", "told"), [(DICTIONARY, 1), (DICTIONARY + '    labels values=["y"] how="keras"\n', 0)])
def test_elements_that_are_one_dictionary(text: str, told: int) -> None:
    found = said(diagnose, text)

    assert ["a dictionary of `image` and `label`" in diagnosis.message for diagnosis in found] == [True] * told
