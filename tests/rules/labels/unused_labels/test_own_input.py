"""WG101 where the target is a part of the model's own input and the batch's labels lie unread."""

import pytest

from sketch import said
from whygrad.rules.labels.unused_labels import diagnose

FORECAST = """
    window: input f32[32,20,1] called="window"
    future: input f32[32,1] called="future"
    w: parameter f32[1,20]
    flat: activation f32[32,20]
    guess: activation f32[32,1]
    last: activation f32[32,1]
    ! batch window future @ "a.py":10
    flat = reshape window
    guess = linear flat w @ "a.py":11
    last = index window @ "a.py":12
    loss = mse_loss guess last with={"target":1} @ "a.py":12
    ! backward loss
    labels values=["last"] how="target"
"""


def test_a_slice_of_the_input_is_named_as_the_target():
    (found,) = said(diagnose, FORECAST)

    assert found.site is not None
    assert (found.severity, found.site.line) == ("warning", 12)
    assert "`future` never reaches the loss" in found.message


def test_it_is_an_error_where_the_labels_are_handed_to_the_function():
    inside = (
        FORECAST.replace('{"target":1} @', '{"target":1} scope=0 @')
        + '    scope train_step arguments={"x":"window","y":"future"} @ "a.py":9\n'
    )
    (found,) = said(diagnose, inside)

    assert found.severity == "error"


SILENT = {
    "labels of another dtype": FORECAST.replace("future: input f32[32,1]", "future: input i64[32]"),
    "labels of another size": FORECAST.replace("future: input f32[32,1]", "future: input f32[32,4]"),
    "labels that are read": FORECAST.replace("    loss =", "    gap = sub guess future\n    loss ="),
    "a name that says it is not needed": FORECAST.replace('called="future"', 'called="_"'),
    "the whole input": FORECAST.replace("last = index", "last = copy").replace(
        "last: activation f32[32,1]", "last: activation f32[32,20,1]"
    ),
    "a part that the model does not get": FORECAST.replace("flat = reshape window", "flat = index window").replace(
        "flat: activation f32[32,20]", "flat: activation f32[32,19]"
    ),
}


@pytest.mark.parametrize("case", SILENT)
def test_the_rule_is_silent(case: str):
    assert not said(diagnose, SILENT[case])


NOISY = """
    clean: input f32[8,16] called="clean"
    raw: activation f32[9,16]
    both: activation f32[9,16]
    row: activation f32[1,16]
    noisy: input f32[8,16] called="noisy"
    w: parameter f32[16,16]
    out: activation f32[8,16]
    raw = random @ "data.py":3
    noise = random @ "data.py":4
    both = add raw noise @ "data.py":4
    row = index both
    noisy = concat row
    clean = index raw
    ! batch noisy clean @ "a.py":10
    out = linear noisy w @ "a.py":11
    loss = mse_loss out noisy with={"target":1} @ "a.py":12
    ! backward loss
    labels values=["clean"] how="batch"
"""


def test_the_noisy_input_is_no_target_beside_the_clean_one():
    (found,) = said(diagnose, NOISY)

    assert found.site is not None
    assert (found.severity, found.site.line) == ("warning", 12)
    assert "`clean` never reaches the loss" in found.message


@pytest.mark.parametrize(
    "text",
    [
        NOISY.replace("both = add raw noise", "both = add other noise").replace("    noise =", "    other = random\n    noise ="),
        NOISY.replace("row = index both", "row = index raw"),
        NOISY.replace('called="clean"', 'called="_"'),
        NOISY.replace("mse_loss out noisy", "mse_loss out clean"),
    ],
    ids=["another picture", "two cuts of one series", "a name that says it is not needed", "the clean one is the target"],
)
def test_silence_beside_what_the_input_was_not_made_of(text: str):
    assert not said(diagnose, text)
