"""WG106 on old values that are computed anew with gradient."""

import pytest

from sketch import said
from whygrad.rules.labels.undetached_target import diagnose

RATIO = """
    ending w changed=false gradient_seen=true
    ending v changed=true gradient_seen=true
    x: input f32[8,4]
    r: input f32[8,1]
    w: parameter f32[1,4]
    v: parameter f32[1,4]
    new: activation f32[8,1] called="logprobs"
    old: activation f32[8,1] called="old_logprobs"
    apart: activation f32[8,1] minimum=0 maximum=0 mean=0 std=0
    old = linear x w @ "ppo.py":52
    new = linear x w @ "ppo.py":53
    apart = sub new old @ "ppo.py":54
    ratios = exp apart @ "ppo.py":54
    weighed = mul ratios r @ "ppo.py":56
    guess = linear x v @ "ppo.py":57
    both = add weighed guess @ "ppo.py":58
    loss = mean both @ "ppo.py":58
    parameter w optimizer="opt" gradient="zero" gradient_norm=0.0
    parameter v gradient="finite" gradient_norm=0.1
"""

SILENT = {
    "the old value is cut off": RATIO.replace('old = linear x w @ "ppo.py":52', "raw = linear x w\n    old = detach raw"),
    "a gradient comes another way": RATIO.replace('gradient="zero" gradient_norm=0.0', 'gradient="finite" gradient_norm=0.2'),
    "the parameter moves later": RATIO.replace("ending w changed=false", "ending w changed=true"),
    "the values differ": RATIO.replace("minimum=0 maximum=0 mean=0 std=0", "minimum=-0.1 maximum=0.2 mean=0 std=0.1"),
    "the figures are no numbers": RATIO.replace("minimum=0 maximum=0 mean=0 std=0", 'minimum="nan" maximum="nan"'),
    "of other parameters": RATIO.replace("old = linear x w", "old = linear x v"),
}  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [RATIO, RATIO.replace("sub new old", "div new old").replace("minimum=0 maximum=0", "minimum=1 maximum=1")],
    ids=["difference", "quotient"],
)
def test_it_is_found(text: str) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.names) == (54, ("old_logprobs",))


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text, steps=2)
