"""WG316 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.ir import Unhook
from whygrad.rules.graph.hook_changed_gradient import diagnose


def hooked(figures: str) -> str:
    """A parameter with a hook, and what the experiment gave."""
    return f"""
    x: input f32[8,4]
    w: parameter f32[2,4]
    out = linear x w
    ! hook w @ "train.py":16
    loss = mean out
    ! backward loss @ "train.py":22
    ! optimizer_step opt
    trial intervention={{"type":"unhook","values":["w"]}} change=0.5 figures={figures}
    """


CASES = {
    "all is taken": ('{"hooked":0.0,"bare":0.8,"cosine":0.0,"zeroed":1.0}', "warning", "a hook takes away all of the gradient of `w`"),
    "nearly all is taken": (
        '{"hooked":0.004,"bare":0.8,"cosine":1.0,"zeroed":0.0}',
        "warning",
        "a hook takes away 99.5 % of the gradient of `w`",
    ),
    "turned round": ('{"hooked":0.8,"bare":0.8,"cosine":-1.0,"zeroed":0.0}', "warning", "a hook turns round the gradient of `w`"),
    "rows are protected": (
        '{"hooked":0.5,"bare":0.8,"cosine":0.6,"zeroed":0.25}',
        "note",
        "a hook zeroes 25 % of the entries with a gradient of `w`",
    ),
    "clipped": ('{"hooked":0.1,"bare":0.8,"cosine":1.0,"zeroed":0.0}', "note", "a hook changes the gradient of `w`"),
}

SILENT = {
    "frozen": hooked("{}") + '    parameter w trainable=false optimizer="opt"\n',
    "no hook": hooked("{}").replace('    ! hook w @ "train.py":16\n', ""),
    "a hook on a parameter that takes no part": hooked("{}").replace("! hook w", "! hook other"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("figures", "severity", "message"), CASES.values(), ids=CASES)
def test_hooks_that_change_the_gradient(figures: str, severity: str, message: str) -> None:
    (diagnosis,) = said(diagnose, hooked(figures))

    assert (diagnosis.severity, diagnosis.message) == (severity, message)
    assert diagnosis.site is not None
    assert diagnosis.site.line == 16
    assert diagnosis.test is not None
    assert diagnosis.test.required
    assert diagnosis.test.intervention == Unhook(("w",))


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
