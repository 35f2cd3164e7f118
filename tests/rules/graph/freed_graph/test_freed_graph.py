"""WG310 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.freed_graph import diagnose

FREED = "Trying to backward through the graph a second time (or directly access saved tensors after they have already been freed)."

KEPT = f"""
    raised type="RuntimeError" message="{FREED}" @ "train.py":30
    step 0
      x: input f32[8,4]
      w: parameter f32[2,4]
      z: activation f32[8,2] called="prototypes" differentiable=true
      z = linear x w @ "train.py":10
      first = mean z @ "train.py":12
      ! backward first @ "train.py":30
      ! optimizer_step opt @ "train.py":31
    step 1
      z: state f32[8,2] called="prototypes" differentiable=true
      w: parameter f32[2,4]
      second = sum z @ "train.py":12
      ! backward second @ "train.py":30 with={{"failed":true}}
"""

RECURRENT = KEPT.replace('z = linear x w @ "train.py":10', 'z = rnn x w @ "train.py":11').replace(
    'second = sum z @ "train.py":12', 'h = rnn z w @ "train.py":11\n      second = sum h @ "train.py":12'
)

SHARED = f"""
    raised type="RuntimeError" message="{FREED}" @ "train.py":21
    x: input f32[8,4]
    w: parameter f32[2,4]
    z: activation f32[8,2] called="z"
    z = tanh w @ "train.py":10
    a = mean z
    b = sum z
    ! backward a @ "train.py":20
    ! backward b @ "train.py":21 with={{"failed":true}}
"""

INPLACE = "one of the variables needed for gradient computation has been modified by an inplace operation: [torch.FloatTensor [2, 4]], which is output 0 of AsStridedBackward0, is at version 2; expected version 1 instead."

HANDED = RECURRENT.replace(
    "      ! backward second", '      scope forward arguments={"x":"w","state[0]":"z"} @ "m.py":9 ^ "train.py":27\n      ! backward second'
)


def test_a_state_that_is_handed_to_the_model_is_named_where_it_is_handed():
    (diagnosis,) = said(diagnose, HANDED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 27


CALLED = 'in "GraphEncoder.forward" callers=[["train.py",8,"train_epoch","z = encoder(x)"],["train.py",40,"main","train_epoch()"]]'
ENCODED_ONCE = KEPT.replace('"train.py":10', f'"train.py":3 {CALLED}').replace(
    'second = sum z @ "train.py":12', 'second = sum z @ "train.py":12 in "train_epoch"'
)


def test_what_is_computed_once_is_named_where_it_is_kept_and_not_within_what_computes_it():
    (diagnosis,) = said(diagnose, ENCODED_ONCE)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 8
    assert {place.site.line for place in diagnosis.related} == {12, 30}


def test_a_value_that_the_line_which_reads_it_made_before_is_told_by_its_maker():
    (diagnosis,) = said(diagnose, ENCODED_ONCE.replace('"train_epoch","z = encoder(x)"', '"elsewhere","z = encoder(x)"'))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 3


FIRES = {
    "a value kept from an earlier step": (KEPT, 10),
    "a recurrent state": (RECURRENT, 11),
    "two backwards that share a part": (SHARED, 20),
    "one loss twice": (SHARED.replace("! backward b", "! backward a"), 20),
    "a state kept with retain_graph": (KEPT.replace(FREED, INPLACE), 10),
    "made before anything was recorded": (
        KEPT.replace("step 0", "step 0 kind=1").replace("z = linear x w", "q = linear x w").replace("first = mean z", "first = mean q"),
        12,
    ),
    "a step that was not recorded": (f'raised type="RuntimeError" message="{FREED}" @ "train.py":30', 30),
}

SILENT = {
    "a detached state": KEPT.replace('raised type="RuntimeError"', "# ").replace(' with={"failed":true}', ""),
    "another exception": KEPT.replace(FREED, "out of memory"),
    "a value changed in place in this step (WG309)": SHARED.replace(FREED, INPLACE),
    "nothing happened": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_graphs_that_are_used_up(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert Fact("exception", "RuntimeError") in diagnosis.explains


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_what_is_advised() -> None:
    assert "`prototypes = prototypes.detach()`" in said(diagnose, RECURRENT)[0].help
    assert "anew in every step" in said(diagnose, KEPT)[0].help
    assert "retain_graph" in said(diagnose, SHARED)[0].help


def test_the_message() -> None:
    (diagnosis,) = said(diagnose, KEPT)

    assert (
        diagnosis.message == "`prototypes` (f32[8,2]) is kept from an earlier step with its graph, which that step's backward has used up"
    )
    assert diagnosis.evidence[0].statement == "`prototypes` was made in step 0; the loss of step 1 is computed from it"


PAIR = (
    RECURRENT.replace(' called="prototypes"', "")
    .replace('      z = rnn x w @ "train.py":11', '      c: activation f32[8,2] differentiable=true\n      z, c = rnn x w @ "train.py":11')
    .replace("      w: parameter f32[2,4]\n      h", "      c: state f32[8,2] differentiable=true\n      w: parameter f32[2,4]\n      h")
    .replace('h = rnn z w @ "train.py":11', 'h = rnn z c w @ "train.py":11 text="    LINE"')
)


@pytest.mark.parametrize(
    ("line", "statement"),
    [
        ("out, state = lstm(x, state)", "state = None if state is None else tuple(part.detach() for part in state)"),
        ("out, self.s = self.lstm(x, self.s)", "self.s = None if self.s is None else tuple(part.detach() for part in self.s)"),
        ("out, (h, c) = lstm(x, (h, c))", "h, c = h.detach(), c.detach()"),
        ("h, c = cell(x, hx=(h, c))", "h, c = h.detach(), c.detach()"),
    ],
)
def test_a_state_of_several_values_is_cut_off_as_the_program_holds_it(line: str, statement: str) -> None:
    (diagnosis,) = said(diagnose, PAIR.replace("LINE", line))

    assert diagnosis.remedy is not None
    assert [edit.text for edit in diagnosis.remedy.edits] == [statement]
    assert f"`{statement}`" in diagnosis.help


@pytest.mark.parametrize("line", ["out, after = lstm(x, before)", "out = lstm(x,", "return self.lstm(x, self.s)"])
def test_a_state_that_the_line_does_not_take_back_gets_no_edit(line: str) -> None:
    (diagnosis,) = said(diagnose, PAIR.replace("LINE", line))

    assert diagnosis.remedy is None


@pytest.mark.parametrize(("text", "actions"), [(KEPT, ["uncache"]), (RECURRENT, ["insert"])], ids=["features", "a state"])
def test_what_an_object_keeps_is_made_anew_unless_it_is_a_state(text: str, actions: list[str]) -> None:
    (diagnosis,) = said(
        diagnose,
        text.replace(' w @ "train.py":1', ' w @ "train.py":1', 1).replace(
            'x w @ "train.py":10', 'x w @ "train.py":10 text="self.z = f(x)"'
        ),
    )

    assert diagnosis.remedy is not None
    assert [edit.action for edit in diagnosis.remedy.edits] == actions
