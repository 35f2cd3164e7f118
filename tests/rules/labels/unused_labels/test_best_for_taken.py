"""The part of WG101 about policies: the likeliest action's log-probability is weighted by what came of another one."""

import pytest

from sketch import said
from whygrad.rules.labels.unused_labels import diagnose

POLICY = """
    framework jax "0.10.2"
    x: input f32[8,4]
    a: input i32[8] minimum=0 maximum=2 whole=1.0 called="actions"
    r: input f32[8] minimum=0 maximum=1
    w: parameter f32[4,3]
    s: activation f32[8,3]
    p: activation f32[8,3] called="logp"
    c: activation f32[8]
    g: activation f32[8]
    s = matmul x w
    p = log_softmax s scope=0 with={"axis":1}
    c = max p scope=0 @ "policy.py":5-5:5-24 text="c = jnp.max(logp, axis=-1)"
    g = mul c r scope=0 @ "policy.py":6
    m = mean g
    loss = neg m
    scope loss_fn arguments={"obs":"x","actions":"a","returns":"r"} @ "policy.py":3 ^ "train.py":9
    labels values=["r"] how="rest"
"""


def test_what_was_chosen_is_not_read() -> None:
    (diagnosis,) = said(diagnose, POLICY, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 5
    assert diagnosis.message.startswith("`actions`")
    assert diagnosis.remedy is not None
    assert "take_along_axis(logp, actions" in diagnosis.remedy.edits[0].text


@pytest.mark.parametrize(
    "text",
    [
        POLICY.replace("c = max p", "c = index p a"),
        POLICY.replace("g = mul c r", "g = copy c"),
        POLICY.replace("p = log_softmax s", "p = copy s"),
        POLICY.replace("maximum=2 whole=1.0", "maximum=5 whole=1.0"),
        POLICY.replace("a: input i32[8]", "a: input i32[5]"),
        POLICY.replace('"actions":"a",', ""),
        POLICY.replace("minimum=0 maximum=2", 'minimum="nan" maximum="nan"'),
    ],
    ids=["picked by it", "sure of itself on purpose", "scores", "other ids", "other rows", "not given", "no figures"],
)
def test_other_losses_of_the_largest(text: str) -> None:
    assert not said(diagnose, text, steps=2)
