"""WG318 where a forward keeps of its weights what a call with tracking off made, on sketches; and WG303, which leaves it to that."""

import pytest

from sketch import said
from whygrad.rules.graph.gradient_disabled import diagnose as disabled
from whygrad.rules.graph.stale_weight import diagnose

KEPT = """
    step 0
      w: parameter f32[4,4]
      v: parameter f32[1,4]
      x: input f32[8,4]
      ! tracking at=0 with={"on":false} @ "main.py":16
      c = mul w tracking=false @ "layer.py":15
      ! tracking at=1 with={"on":true}
      h = linear x c carries=[false,false] @ "layer.py":20
      out = linear h v carries=[false,true] @ "layer.py":21
      loss = mean out carries=[true]
      ! backward loss
      ! optimizer_step opt
      parameter w optimizer="opt" reached=true gradient="none"
      parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=1.0 norm=1.0 update_norm=0.1
    step 1
      w: parameter f32[4,4]
      v: parameter f32[1,4]
      y: input f32[8,4]
      k = linear y c carries=[false,false] @ "layer.py":20
      end = linear k v carries=[false,true] @ "layer.py":21
      last = mean end carries=[true]
      ! backward last
      ! optimizer_step opt
      parameter w optimizer="opt" gradient="none"
      parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=1.0 norm=1.0 update_norm=0.1
"""
OTHER = {
    "made anew under the switch": KEPT.replace(
        "      k = linear y c", '      d = mul w tracking=false @ "layer.py":15\n      k = linear y d'
    ),
    "features of the data": KEPT.replace("c = mul w tracking", "c = mul w x tracking"),
    "only one step is known": KEPT.partition("    step 1")[0],
}


def test_what_is_kept_is_told_where_it_was_made() -> None:
    (found,) = said(diagnose, KEPT)

    assert found.site is not None
    assert found.site.line == 15
    assert found.names == ("w",)
    assert not said(disabled, KEPT)


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_is_not_kept_is_left_to_the_switch(text: str) -> None:
    assert not said(diagnose, text)
    assert {found.rule for found in said(disabled, text)} == {"WG303"}
