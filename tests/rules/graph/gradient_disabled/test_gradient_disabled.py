"""WG303 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.gradient_disabled import diagnose

ENCODER = """
    e1: parameter f32[4,4]
    e2: parameter f32[4,4]
    head: parameter f32[1,4]
    x: input f32[8,4]
    ! tracking at=0 with={"on":false} @ "model.py":10
    h = linear x e1 tracking=false @ "model.py":11
    g = linear h e2 tracking=false @ "model.py":12
    ! tracking at=2 with={"on":true}
    out = linear g head carries=[false,true] @ "model.py":20
    loss = mean out carries=[true]
    ! backward loss
    ! optimizer_step opt
"""
REFUSED = 'raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn"\n'

FIRES = {
    "a model that is called outside of the tape": (
        """
        framework tensorflow "2.21.0"
        e: parameter f32[4,4]
        x: input f32[8,4]
        h = linear x e tracking=false @ "model.py":11 in "Net.call" callers=[["model.py",29,"Net.train_step"],["train.py",9,""]]
        loss = mean h carries=[false] @ "model.py":32 in "Net.train_step"
        ! backward loss @ "model.py":33 in "Net.train_step"
        ! optimizer_step opt
        """,
        29,
        ("e",),
    ),
    "encoder under no_grad": (ENCODER, 10, ("e1", "e2")),
    "the switch is unknown": (
        """
        e: parameter f32[4,4]
        head: parameter f32[1,4]
        x: input f32[8,4]
        h = linear x e tracking=false @ "model.py":11
        g = relu h tracking=false @ "model.py":12
        out = linear g head
        loss = mean out
        """,
        11,
        ("e",),
    ),
    "never switched on again after validation": (
        REFUSED
        + """
        step 0 kind=0
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w @ "train.py":30
        loss = mean out
        ! backward loss
        ! optimizer_step opt
        parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
        step 10 kind=1
        w: parameter f32[1,4]
        x2: input f32[8,4]
        ! tracking at=0 with={"on":false} @ "train.py":39
        out2 = linear x2 w tracking=false @ "train.py":30
        loss2: loss
        loss2 = mean out2 tracking=false
        ! backward loss2
        ! exception with={"type":"RuntimeError","message":"element 0 of tensors does not require grad"} @ "train.py":31
        parameter w value=w optimizer="opt" reached=true gradient="none"
        """,
        39,
        ("w",),
    ),
    "never switched on again, in a step that was not recorded": (
        REFUSED
        + """
        outcome exit_status=1 steps_seen=12
        step 0 updated=true
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w @ "train.py":30
        loss = mean out
        ! backward loss
        ! optimizer_step opt
        parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
        step 11 kind=1
        ! tracking at=0 with={"on":false} @ "train.py":39
        ! exception with={"type":"RuntimeError","message":"element 0 of tensors does not require grad"} @ "train.py":31
        """,
        39,
        ("w",),
    ),
    "inference tensors refuse the head": (
        """
        raised type="RuntimeError" message="Inference tensors cannot be saved for backward. To work around you can make a clone" @ "train.py":34
        w: parameter f32[4,4]
        head: parameter f32[1,4]
        x: input f32[8,4]
        ! tracking at=0 with={"on":false} @ "pipeline.py":10
        f = rnn x w tracking=false @ "pipeline.py":11
        ! tracking at=1 with={"on":true}
        out = linear f head failed=true @ "train.py":34
        ! exception with={"type":"RuntimeError","message":"Inference tensors cannot be saved for backward"} @ "train.py":34
        """,
        10,
        ("w",),
    ),
    "the whole step": (
        """
        w: parameter f32[1,4]
        x: input f32[8,4]
        loss: loss f32[] differentiable=true
        ! tracking at=0 with={"on":false} @ "train.py":5
        out = linear x w tracking=false @ "train.py":6
        loss = mean out tracking=false @ "train.py":7
        ! tracking at=2 with={"on":true}
        ! backward loss
        ! optimizer_step opt
        """,
        5,
        ("w",),
    ),
}

SILENT = {
    "pretrained features": ENCODER
    + """
        parameter e1 value=e1 optimizer="opt" reached=true loaded=true
        parameter e2 value=e2 optimizer="opt" reached=true loaded=true
        parameter head value=head optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
    "teacher": 'optimizer opt native="SGD" steps=2\ngroup rate=0.1 parameters=["head"]\n' + ENCODER,
    "a gradient on another path": ENCODER.replace("! tracking at=2", "k = linear x e1\n    k2 = linear k e2\n    ! tracking at=2").replace(
        "loss = mean out carries=[true]", "o2 = add out k2\n    loss = mean o2"
    ),
    "accuracy under no_grad": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
        acc = compare out tracking=false
        m = mean acc tracking=false
    """,
    "switched off, and another exception": """
        raised type="KeyError" message="x"
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
        ! backward loss
        ! tracking with={"on":false}
    """,
    "an untracked weight update": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
        w2 = sub w tracking=false
        ! backward loss
        ! update w
    """,
}

ANOTHERS = {
    "detached": ENCODER.replace(" tracking=false", "").replace("out = linear g", "d = detach g\n    out = linear d"),
    "left and rebuilt": ENCODER.replace(" tracking=false", "").replace(
        "out = linear g", "n = leave g\n    t = enter n\n    out = linear t"
    ),
    "argmax under no_grad": """
        w: parameter f32[4,4]
        table: parameter f32[4,4]
        x: input f32[8,4]
        s = linear x w
        i = argmax s tracking=false
        out = embedding i table
        loss = mean out
    """,
    "frozen": ENCODER
    + """
        parameter e1 value=e1 trainable=false optimizer="opt" reached=true
        parameter e2 value=e2 trainable=false optimizer="opt" reached=true
        parameter head value=head optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
    "refused, with tracking on": """
        raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn"
        w: parameter f32[1,4]
        x: input f32[8,4]
        ! tracking with={"on":false}
        ! tracking with={"on":true}
        out = linear x w
        d = detach out
        loss = mean d
        ! backward loss
    """,
    "never read": """
        w: parameter f32[1,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
    """,
}


@pytest.mark.parametrize(("text", "line", "names"), FIRES.values(), ids=FIRES)
def test_one_diagnosis_at_the_switch(text: str, line: int, names: tuple[str, ...]) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.confidence) == ("WG303", "error", "proved")
    assert found.site is not None
    assert (found.site.line, found.names) == (line, names)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_the_first_call_that_it_cuts_is_related() -> None:
    (found,) = said(diagnose, ENCODER)

    assert [(r.site.line, r.message) for r in found.related] == [(11, "`linear` is the first call that it cuts")]
    assert found.message == "`e1` and `e2` get no gradient: gradient tracking is off where the forward uses them"


@pytest.mark.parametrize("name", ["never switched on again after validation", "inference tensors refuse the head"])
def test_the_exception_is_explained(name: str) -> None:
    (found,) = said(diagnose, FIRES[name][0])

    assert Fact("exception", "RuntimeError") in found.explains


WENT_ON = """
    outcome steps_seen=30 backwards_seen=30 untracked=120
    origin setting="untracked" @ "evaluate.py":6 text="torch.set_grad_enabled(False)"
    w: parameter f32[1,4]
    x: input f32[8,4]
    out = linear x w @ "train.py":30
    loss = mean out
    ! backward loss
    ! optimizer_step opt
    parameter w value=w optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
"""


def test_steps_that_went_on_with_tracking_off():
    (diagnosis,) = said(diagnose, WENT_ON)

    assert diagnosis.site is not None
    assert diagnosis.site.file == "evaluate.py"
    assert diagnosis.message == "gradient tracking was switched off and never on again: 120 steps since then trained nothing"
    assert "set_grad_enabled" not in diagnosis.message
    assert "no_grad" in diagnosis.help


@pytest.mark.parametrize(
    "text",
    [
        WENT_ON.replace("untracked=120", "untracked=1"),
        WENT_ON.replace(" untracked=120", ""),
        WENT_ON.replace('setting="untracked"', 'setting="lr"'),
    ],
    ids=["cleared once more at the end", "an evaluation at the end", "no switch known"],
)
def test_tracking_that_is_off_at_the_end(text):
    assert not said(diagnose, text)


def test_a_switch_for_good_becomes_one_for_its_function() -> None:
    (diagnosis,) = said(diagnose, WENT_ON)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.edits] == [("decorate", "torch.no_grad()")]


def test_a_switch_that_is_a_block_is_no_such_line() -> None:
    (diagnosis,) = said(diagnose, WENT_ON.replace("torch.set_grad_enabled(False)", "with torch.set_grad_enabled(False):"))

    assert diagnosis.remedy is None
