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
