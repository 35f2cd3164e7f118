"""WG515 on saved weights that a model did not take."""

import pytest

from sketch import said
from whygrad.flow import Index
from whygrad.ir.text import loads
from whygrad.rules.magnitude.uninitialised_parameter import diagnose

STEP = """
    x: input f32[8,4]
    encoder.w: parameter f32[2,4]
    loss = linear x encoder.w
    parameter encoder.w reached=true trainable={trainable} loaded={loaded}
"""
LOADING = 'loading name="model" given=6 own=8 first="module.encoder.w" missed="encoder.w" {how} @ "finetune.py":10\n'
FITS = 'strip="module." fitting=6'


@pytest.mark.parametrize(
    ("how", "trainable", "severity", "advice"),
    [
        (FITS, "true", "warning", 'take the beginning off: `{name.removeprefix("module."): value for name, value in state.items()}`'),
        (FITS, "false", "error", 'take the beginning off: `{name.removeprefix("module."): value for name, value in state.items()}`'),
        ('put="net." fitting=6', "true", "warning", 'change the names: `{"net." + name: value for name, value in state.items()}`'),
        ("", "true", "warning", "see which model these weights were saved from"),
    ],
    ids=["a beginning too many", "and the parameters are frozen", "a beginning too few", "weights of something else"],
)
def test_it_is_found(how: str, trainable: str, severity: str, advice: str) -> None:
    (diagnosis,) = said(diagnose, LOADING.format(how=how) + STEP.format(trainable=trainable, loaded="false"))

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (10, severity)
    assert diagnosis.help.startswith(advice)


def test_weights_that_were_taken_are_not_spoken_of() -> None:
    assert not said(diagnose, STEP.format(trainable="false", loaded="true"))


def test_a_model_that_is_never_trained_is_not_spoken_of() -> None:
    assert not list(diagnose.check(Index(loads(LOADING.format(how=FITS)))))
