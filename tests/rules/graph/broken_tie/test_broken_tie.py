"""WG317 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.graph.broken_tie import diagnose

APART = """
    x: input i64[8]
    embed.weight: parameter f32[9,4]
    head.weight: parameter f32[9,4]
    h = embedding x embed.weight
    out = linear h head.weight
    ! untie embed.weight head.weight @ "train.py":20
    loss = mean out
    ! backward loss
    ! optimizer_step opt
"""

SILENT = {
    "tied again": APART.replace("    head.weight: parameter f32[9,4]\n", "").replace("linear h head.weight", "linear h embed.weight"),
    "nobody untied them": APART.replace('    ! untie embed.weight head.weight @ "train.py":20\n', ""),
    "frozen": APART + "    parameter embed.weight trainable=false\n    parameter head.weight trainable=false\n",
    "nothing happened": 'record program="train.py"',
}


def test_weights_that_were_one() -> None:
    (diagnosis,) = said(diagnose, APART)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 20
    assert diagnosis.message == "`embed.weight` and `head.weight` were one parameter, and are 2 since this was loaded"


def test_behind_the_models_variable() -> None:
    text = APART.replace("embedding x embed.weight", "embedding x model.embed.weight").replace(
        "    embed.weight:", "    model.embed.weight:"
    )

    assert (
        len(
            said(
                diagnose,
                text.replace("linear h head.weight", "linear h model.head.weight").replace("    head.weight:", "    model.head.weight:"),
            )
        )
        == 1
    )


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_in_jax_one_array_in_two_places_of_a_tree() -> None:
    (diagnosis,) = said(diagnose, 'framework jax "0.10.2"\n' + APART)

    assert diagnosis.message == "`embed.weight` and `head.weight` begin as one array, and are 2 parameters that are trained apart"
    assert "`eqx.nn.Shared`" in diagnosis.help


COPIED = """
    step 0
      x: input f32[8,9]
      w: parameter f32[9,4]
      t = transpose w carries=[false] tracking=false @ "train.py":7
      h = matmul x w
      out = matmul h t carries=[true,false] @ "train.py":9
      loss = mean out
      parameter enc.weight value=w reached=true gradient="finite" gradient_norm=0.7 norm=2.0 update_norm=0.1
    step 1
      x: input f32[8,9]
      w: parameter f32[9,4]
      w.2: parameter f32[9,4]
      t = transpose w carries=[false] tracking=false @ "train.py":7
      h = matmul x w.2
      out = matmul h t carries=[true,false] @ "train.py":9
      loss = mean out
      parameter enc.weight value=w.2 reached=true gradient="finite" gradient_norm=0.7 norm=2.0 update_norm=0.1
"""


def test_a_weight_that_was_transposed_once() -> None:
    (diagnosis,) = said(diagnose, COPIED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 7


TURNED = {
    "a copy as it is": COPIED.replace("transpose", "copy"),
    "transposed anew": COPIED.replace("      t = transpose w carries=[false]", "      t = transpose w.2 carries=[false]"),
    "with its gradient": COPIED.replace("carries=[false] tracking=false", "").replace("carries=[true,false]", ""),
    "not trained": COPIED.replace("update_norm=0.1", "update_norm=0.0"),
    "of what nothing trains": COPIED.replace("carries=[true,false]", "carries=[false,false]"),
}


@pytest.mark.parametrize("text", TURNED.values(), ids=TURNED)
def test_other_transposes(text: str) -> None:
    assert not said(diagnose, text)
