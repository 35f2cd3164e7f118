"""WG318 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.stale_weight import diagnose

COPY = """
    step 0
      x: input f32[8,4]
      w: parameter f32[2,4] differentiable=true
      c: activation bf16[2,4] called="cast" differentiable=true
      c = cast w @ "lowp.py":13
      out = linear x c @ "lowp.py":17
      loss = mean out
      ! backward loss @ "train.py":20
      ! optimizer_step opt @ "train.py":21
      parameter w optimizer="opt" reached=true gradient="finite" norm=2.0 update_norm=0.2
    step 1
      y: input f32[8,4]
      w: parameter f32[2,4] differentiable=true
      c: state bf16[2,4] called="cast" differentiable=true
      next = linear y c @ "lowp.py":17
      end = mean next
      ! backward end @ "train.py":20
      ! optimizer_step opt @ "train.py":21
      parameter w optimizer="opt" gradient="finite" norm=2.1 update_norm=0.2
"""

SILENT = {
    "made anew": COPY.replace("      next = linear y c", '      d = cast w @ "lowp.py":13\n      next = linear y d')
    .replace("      c: state", "      # c: state")
    .replace('parameter w optimizer="opt" gradient', 'parameter w optimizer="opt" reached=true gradient'),
    "without a graph: a target, a memory": COPY.replace(
        'c: state bf16[2,4] called="cast" differentiable=true', 'c: state bf16[2,4] called="cast"'
    ),
    "detached where it is read: a generator's examples, shown to its discriminator in the next step": COPY.replace(
        "      next = linear y c", "      f = detach c\n      next = linear y f"
    ),
    "the parameter is read as well": COPY.replace(
        'parameter w optimizer="opt" gradient', 'parameter w optimizer="opt" reached=true gradient'
    ),
    "the parameter did not move": COPY.replace("update_norm=0.2", "update_norm=0.0"),
    "frozen": COPY.replace('parameter w optimizer="opt"', 'parameter w trainable=false optimizer="opt"'),
    "a backward that was refused (WG310)": 'raised type="RuntimeError" message="Trying to backward through the graph a second time"\n'
    + COPY,
    "nothing happened": 'record program="train.py"',
}


def test_a_copy_made_before_the_updates() -> None:
    (diagnosis,) = said(diagnose, COPY)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 13
    assert diagnosis.message == "the forward reads a copy of `w` that was made before the updates"
    assert Fact("unused", "w") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(
    ("line", "actions"),
    [("            self._cast = w.bfloat16()", ["uncache"]), ("    return w.bfloat16()", ["uncache"]), ("c = w.bfloat16()", [])],
)
def test_a_copy_that_an_object_keeps_is_made_anew(line: str, actions: list[str]) -> None:
    (diagnosis,) = said(diagnose, COPY.replace('c = cast w @ "lowp.py":13', f'c = cast w @ "lowp.py":13 text="{line}"'))

    assert [edit.action for edit in diagnosis.remedy.edits] == actions if diagnosis.remedy else not actions
