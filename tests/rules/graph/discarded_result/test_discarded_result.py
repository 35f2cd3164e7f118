"""WG308 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.graph.discarded_result import diagnose

DROPPED = """
    ending head.w changed=true gradient_seen=true
    ending unit.w changed=false gradient_seen=false
    optimizer opt native="SGD" steps=2 rates=[0.1,0.1]
      group rate=0.1 parameters=["head.w","unit.w"]
    x: input f32[8,4]
    head.w: parameter f32[2,4]
    unit.w: parameter f32[4,4]
    r: activation f32[8,4]
    r = linear x unit.w module="unit" scope=2 @ "net.py":13 text="        return self.unit(x)"
    out = linear x head.w module="head" scope=1 @ "net.py":29
    loss = mean out scope=0
    scope main @ "train.py":1
    scope Net.forward parent=0 @ "net.py":24 ^ "train.py":19
    scope Unit.forward parent=1 @ "net.py":12 ^ "net.py":27
"""

LONE = """
    x: input f32[8,4]
    w: parameter f32[2,4]
    out: activation f32[8,2] called="out"
    low: activation f32[8,2]
    out = linear x w
    low = clamp out native="torch.Tensor.clamp" @ "train.py":9-9:5-21 text="    out.clamp(0, 10)"
    loss = mean out
"""

FIRES = {
    "a loop variable": (DROPPED, 27),
    "without scopes the line that returns hands on": (
        DROPPED.replace(" scope=2", "")
        .replace(" scope=1", "")
        .replace('self.unit(x)"', 'self.unit(x)" callers=[["net.py",27,"Net.forward"]]'),
        27,
    ),
    "of a call three functions deep the same callers are told without theirs": (
        DROPPED.replace("scope=2", "scope=4")
        + '    scope Net.forward @ "net.py":24 ^ "train.py":19\n    scope Unit.forward parent=3 @ "net.py":12 ^ "net.py":27\n',
        27,
    ),
    "a call that stands alone": (LONE, 9),
    "an indexed update that stands alone": (
        LONE.replace("low = clamp out", "low = scatter out")
        .replace("torch.Tensor.clamp", "jax.Array.at")
        .replace("out.clamp(0, 10)", "out.at[:, 0].set(0)")
        .replace(":5-21", ":5-24"),
        9,
    ),
}

SILENT = {
    "the result is used": DROPPED.replace("out = linear x head.w", "out = linear r head.w"),
    "a gradient later in the run": DROPPED.replace(
        "ending unit.w changed=false gradient_seen=false", "ending unit.w changed=true gradient_seen=true"
    ),
    "the end of the run is unknown": DROPPED.replace("    ending unit.w changed=false gradient_seen=false\n", ""),
    "held by no optimizer": DROPPED.replace('["head.w","unit.w"]', '["head.w"]'),
    "logged": DROPPED.replace("    out = linear", "    p: python\n    p = leave r\n    out = linear"),
    "under no_grad": DROPPED.replace('module="unit"', 'module="unit" tracking=false'),
    "in place": LONE.replace("torch.Tensor.clamp", "torch.Tensor.clamp_")
    .replace("@ ", 'with={"inplace":true} @ ')
    .replace("out.clamp(", "out.clamp_("),
    "with a name": LONE.replace("    out.clamp(0, 10)", "    low = out.clamp(0, 10)").replace(":5-21", ":11-27"),
    "read later": LONE.replace("loss = mean out", "loss = mean low"),
    "a notebook shows it": LONE.replace('"train.py"', '"<ipython-input-3>"'),
    "a library runs it": LONE.replace("    out.clamp(0, 10)", "    trainer.fit(net)").replace(":5-21", ":5-21"),
    "inside a library": LONE.replace('0, 10)"', '0, 10)" library=[["/site-packages/lightning/loops.py",3,"run"]]'),
    "part of a longer call": LONE.replace("    out.clamp(0, 10)", "    out.clamp(0, 10),"),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_results_that_nothing_uses(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == "warning"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_a_librarys_layers_are_a_note() -> None:
    text = (
        DROPPED
        + '    parameter head.w optimizer="opt" reached=true gradient="finite"\n    parameter unit.w optimizer="opt" reached=true library=true\n'
    )

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.severity == "note"


def test_the_messages() -> None:
    assert said(diagnose, DROPPED)[0].message == "the result of `unit` is never used: 1 parameter gets no gradient"
    assert said(diagnose, LONE)[0].message == "`clamp` has no effect here: its result is dropped, and `out` stays as it was"


def test_the_result_of_a_lone_call_can_take_the_place_of_what_it_was_given() -> None:
    (diagnosis,) = said(diagnose, LONE)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.edits] == [("insert", "out = out.clamp(0, 10)"), ("drop", "")]
    assert not diagnosis.remedy.safe


def test_a_loop_variable_that_is_made_of_itself_goes_back_into_the_list() -> None:
    text = DROPPED.replace("        return self.unit(x)", "            m = self.unit(m)").replace(" scope=2", "")

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == ["element"]
