"""WG415 on rows that are added to an array of JAX's."""

import pytest

from sketch import said
from whygrad.rules.update.updated_copy import diagnose

ADDED = """
    outcome steps_seen=2 backwards_seen=20
    step 0
      u: parameter f32[9,4]
      table: input f32[50,4]
      g: gradient f32[9,4]
      s: activation f32[9,4]
      new: activation f32[50,4]
      out = mul u
      loss = mean out
      ! backward loss @ "train.py":9
      s = mul g @ "train.py":11
      new = scatter s table native="jax.Array.at" {place}
      parameter u reached=true gradient="finite" gradient_norm=0.7
"""


def line(text: str) -> str:
    """The place of a statement that is the whole of its line."""
    return ADDED.format(place=f'@ "train.py":12-12:5-{len(text) + 5} text="    {text}"')


ALONE = "params.w.at[rows].add(-rate * g)"
KEPT = "params.w = params.w.at[rows].add(-rate * g)"


def test_rows_that_are_added_to_nothing() -> None:
    (diagnosis,) = said(diagnose, line(ALONE))

    assert diagnosis.rule == "WG415"
    assert diagnosis.site is not None
    assert diagnosis.site.line == 12
    assert "`params.w = params.w.at[…]…`" in diagnosis.help


SILENT = {
    "the result is kept": line(KEPT),
    "something reads it": line(ALONE) + "      more = mul new\n",
    "of other things than gradients": line(ALONE).replace("gradient f32", "activation f32"),
    "in place": line(ALONE).replace("jax.Array.at", "torch.Tensor.scatter_"),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
