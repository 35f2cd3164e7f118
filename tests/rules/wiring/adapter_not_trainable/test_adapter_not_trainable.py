"""WG703 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.wiring.adapter_not_trainable import diagnose

FROZEN = """
    raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":15
    ending base.weight changed=false gradient_seen=false
    ending h.lora_A.default.weight changed=false gradient_seen=false
    optimizer opt native="AdamW" steps=0 @ "train.py":9
      group rate=0.1 parameters=["h.lora_A.default.weight"]
    x: input f32[4,8]
    base.weight: parameter f32[2,8]
    h.lora_A.default.weight: parameter f32[2,8]
    out = linear x base.weight
    loss = mean out
    ! backward loss @ "train.py":15 with={"failed":true}
    parameter base.weight trainable=false reached=true
    parameter h.lora_A.default.weight trainable=false optimizer="opt"
"""

BYPASSED = (
    FROZEN.replace("    raised", "    # raised")
    .replace("steps=0", "steps=9")
    .replace("parameter base.weight trainable=false reached=true", 'parameter base.weight reached=true gradient="finite"')
    .replace(' with={"failed":true}', "")
    .replace("parameter h.lora_A.default.weight trainable=false", "parameter h.lora_A.default.weight")
)

FIRES = {
    "attached for inference": (FROZEN, "the adapters are frozen, and so is all else: 1 adapter parameter of 2 parameters, none trainable"),
    "never called, with a gradient of zeros that JAX filled in": (
        BYPASSED.replace('weight optimizer="opt"', 'weight optimizer="opt" gradient="zero"').replace(
            "h.lora_A.default.weight changed=false gradient_seen=false", "h.lora_A.default.weight changed=false gradient_seen=true"
        ),
        "the forward passes the adapters by: none of 1 adapter parameter is ever read",
    ),
    "switched off": (BYPASSED, "the forward passes the adapters by: none of 1 adapter parameter is ever read"),
}

SILENT = {
    "the adapter learns": BYPASSED.replace('weight optimizer="opt"', 'weight optimizer="opt" reached=true gradient="finite"'),
    "fresh: the gradient of A is zero at first": BYPASSED.replace(
        'weight optimizer="opt"', 'weight optimizer="opt" reached=true gradient="zero"'
    ),
    "read later in the run": BYPASSED.replace(
        "ending h.lora_A.default.weight changed=false gradient_seen=false",
        "ending h.lora_A.default.weight changed=false gradient_seen=true",
    ),
    "another adapter is active": BYPASSED.replace(
        "ending h.lora_A.default.weight changed=false gradient_seen=false", "ending h.lora_A.default.weight changed=true gradient_seen=true"
    ),
    "frozen beside a head that is trained": BYPASSED.replace('weight optimizer="opt"', "weight trainable=false").replace(
        '["h.lora_A.default.weight"]', '["base.weight"]'
    ),
    "no adapters (WG305)": FROZEN.replace("h.lora_A.default.weight", "h.weight"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "message"), FIRES.values(), ids=FIRES)
def test_adapters_that_do_not_learn(text: str, message: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.message == message
    assert Fact("unused", "h.lora_A.default.weight") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("name", ["model.hidden.lora_a", "params['lora_b']"])
def test_adapters_of_jax(name: str) -> None:
    text = BYPASSED.replace("h.lora_A.default.weight", "a").replace("parameter a optimizer", f'parameter "{name}" value=a optimizer')
    (diagnosis,) = said(diagnose, text.replace("ending a ", f'ending "{name}" '))

    assert diagnosis.names == (name,)


def test_adapters_of_keras_and_the_line_that_froze_them() -> None:
    keras = (
        FROZEN.replace("h.lora_A.default.weight", "a")
        .replace("parameter a", 'parameter "dense/lora_kernel_a" value=a')
        .replace("    ! backward", '    ! freeze "dense/lora_kernel_a" @ "train.py":7\n    ! backward')
    )
    (diagnosis,) = said(diagnose, keras)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7
    assert diagnosis.label == "freezes the adapters too"
