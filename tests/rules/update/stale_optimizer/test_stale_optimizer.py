"""WG402 on sketches: fires, is silent, belongs to another rule."""

from dataclasses import replace

import pytest

from sketch import said, sketch
from whygrad.diagnosis import Fact
from whygrad.flow import Index
from whygrad.ir import Descend, Frame, Site
from whygrad.rules.update.stale_optimizer import diagnose

NEW_HEAD = """
    optimizer opt native="SGD" steps=10 rates=[0.1,0.1] orphans=["f32[10,4]","f32[10]"] @ "train.py":12:7-50
    group rate=0.1 parameters=["encoder.weight"]
    x: input f32[8,4]
    y: label i64[8]
    encoder.weight: parameter f32[4,4]
    head.weight: parameter f32[2,4]
    a = linear x encoder.weight
    out = linear a head.weight
    loss = cross_entropy out y with={"target":1}
"""

ALL_NEW = NEW_HEAD.replace('["encoder.weight"]', "[]")

FIRES = {
    "the head was replaced afterwards": (NEW_HEAD, {"head.weight"}),
    "the whole model was made anew": (ALL_NEW, {"encoder.weight", "head.weight"}),
    "beside a second optimizer": (
        NEW_HEAD.replace("    x: input", '    optimizer opt2 native="SGD" steps=10\n    group rate=0.1 parameters=[]\n    x: input', 1),
        {"head.weight"},
    ),
    "loaded weights too": (
        NEW_HEAD
        + """
    parameter encoder.weight optimizer="opt" reached=true gradient="finite" update_norm=0.1
    parameter head.weight loaded=true reached=true gradient="finite" gradient_norm="nan"
    """,
        {"head.weight"},
    ),
    "steps were never counted": (
        NEW_HEAD.replace("steps=10", "steps=0")
        + """
    parameter encoder.weight optimizer="opt" reached=true gradient="finite"
    parameter head.weight owner="torch.nn.modules.linear.Linear" reached=true gradient="finite"
    """,
        {"head.weight"},
    ),
}

SILENT = {
    "nothing is orphaned": NEW_HEAD.replace('orphans=["f32[10,4]","f32[10]"]', ""),
    "a learned loss weight beside the model": NEW_HEAD.replace('["encoder.weight"]', '["encoder.weight","head.weight"]'),
    "the rest is frozen": NEW_HEAD
    + """
    parameter encoder.weight optimizer="opt" reached=true gradient="finite" update_norm=0.1
    parameter head.weight trainable=false reached=true
    """,
    "the rest is changed by hand": NEW_HEAD
    + "    ending head.weight changed=true gradient_seen=true\n    ending encoder.weight changed=true gradient_seen=true",
    "a derivative of a number, beside a model that never runs": NEW_HEAD.replace("steps=10", "steps=0")
    + """
    parameter encoder.weight trainable=false reached=true
    parameter head.weight reached=true gradient="finite"
    ending head.weight changed=false gradient_seen=true
    """,
    "nothing ran": 'optimizer opt native="SGD" orphans=["f32[2]"]',
}

OTHERS = {
    "no gradient (WG301)": NEW_HEAD.replace("loss = cross_entropy out", "d = detach out\n    loss = cross_entropy d"),
    "left out, not replaced (WG401)": NEW_HEAD.replace('orphans=["f32[10,4]","f32[10]"]', "orphans=[]"),
    "unknown to the model (WG307)": NEW_HEAD
    + """
    parameter encoder.weight optimizer="opt" reached=true gradient="finite" update_norm=0.1
    parameter head.weight registered=false reached=true gradient="finite"
    """,
    "never read (WG306)": NEW_HEAD.replace("out = linear a head.weight", "out = square a"),
    "no optimizer knows of it": 'record program="train.py"',
}


@pytest.mark.parametrize(("text", "lost"), FIRES.values(), ids=FIRES)
def test_tensors_that_no_model_uses(text: str, lost: set[str]) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12
    assert {fact.subject for fact in diagnosis.explains if fact.what == "unheld"} == lost


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_nothing_of_the_step_moves_when_all_is_new() -> None:
    (diagnosis,) = said(diagnose, ALL_NEW)

    assert diagnosis.message == "`opt` holds 2 tensors that no model uses, and not `encoder` and `head`"
    assert Fact("no-update", "0") in diagnosis.explains


REPLACED = """
    optimizer opt native="Adam" steps=120 rates=[0.1,0.1] @ "train.py":13:7-50
    group rate=0.1 parameters=["w"]
    ending w changed=true gradient_seen=true
    ending v changed=false gradient_seen=true
    x: input f32[8,4]
    y: label f32[8,2]
    w: parameter f32[2,4]
    v: parameter f32[2,4]
    out = linear x v
    loss = mse_loss out y with={"target":1}
    parameter w optimizer="opt" reached=false gradient="none"
    parameter v reached=true gradient="finite" gradient_norm=0.5 @ "best.py":17
"""


def test_a_copy_that_took_the_models_place_later():
    (diagnosis,) = said(diagnose, REPLACED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 13
    assert diagnosis.related[0].site.file == "best.py"
    assert Fact("unmoved", "v") in diagnosis.explains


@pytest.mark.parametrize(
    "text",
    [
        REPLACED.replace("ending v changed=false", "ending v changed=true"),
        REPLACED.replace('reached=false gradient="none"', 'reached=true gradient="finite"'),
        REPLACED.replace('v reached=true gradient="finite"', 'v trainable=false reached=true gradient="none"').replace(
            "ending v changed=false gradient_seen=true", "ending v changed=false gradient_seen=false"
        ),
    ],
    ids=["it moves", "the forward still reads what is held", "frozen"],
)
def test_no_copy_took_its_place(text):
    assert not said(diagnose, text)


UNKNOWN = """
    raised type="ValueError" message="Unknown variable: <Variable path=sequential_1/dense_2/kernel, shape=(15, 16)>" @ "train.py":20
    optimizer opt native="Adam" steps=25 @ "train.py":12
    group rate=0.1 parameters=["w"]
    x: input f32[8,4]
    w: parameter f32[4,4]
    loss = matmul x w
"""


def test_an_optimizer_that_refuses_what_it_was_not_built_with():
    (diagnosis,) = said(diagnose, UNKNOWN)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 12
    assert "`sequential_1/dense_2/kernel`" in diagnosis.message
    assert Fact("exception", "ValueError") in diagnosis.explains


COPIED = """
    optimizer opt native="Adam" steps=240 rates=[0.1,0.1] @ "train.py":15
    group rate=0.1 parameters=["w"]
    step 0 updated=true
    x: input f32[8,4]
    w1: parameter f32[4,1] called="w"
    loss = matmul x w1
    ! backward loss
    ! optimizer_step opt with={"rate":0.1}
    parameter w value=w1 optimizer="opt" reached=true gradient="finite" gradient_at_update="finite" update_norm=0.2
    step 48 updated=true
    x: input f32[8,4]
    w2: parameter f32[4,1] called="w"
    loss = matmul x w2
    ! backward loss
    ! optimizer_step opt with={"rate":0.1,"idle":true}
    parameter w value=w2 reached=true gradient="finite"
"""


def test_a_model_that_became_its_own_copy_late_in_the_run():
    (diagnosis,) = said(diagnose, COPIED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 15
    assert diagnosis.message == "in step 48 the model's parameters are no longer those that `opt` was made with: none of them moves"


@pytest.mark.parametrize(
    "text",
    [
        COPIED.replace(',"idle":true', ""),
        COPIED.replace('value=w2 reached=true gradient="finite"', 'value=w2 reached=true gradient="finite" update_norm=0.1'),
        COPIED.replace("value=w2 reached", 'value=w2 optimizer="inner" reached'),
        COPIED.replace("parameter w value=w2", "parameter other value=w2"),
        COPIED.replace('value=w2 reached=true gradient="finite"', 'value=w2 reached=true gradient="none"'),
    ],
    ids=["the optimizer has gradients: a copy lent it its own", "moved by hand", "held by another", "another model", "no gradient"],
)
def test_copies_that_are_trained_on_purpose(text):
    assert not said(diagnose, text)


SECOND = REPLACED.replace('@ "train.py":13:7-50', '@ "train.py":13 in main text="    opt = SGD(old.parameters(), lr=0.1)"').replace(
    '@ "best.py":17', '@ "train.py":12 in main text="    new = Net()"'
)


def test_an_optimizer_of_another_model_is_given_the_one_that_was_made_for_it():
    (diagnosis,) = said(diagnose, SECOND)

    assert diagnosis.remedy is not None
    assert [(edit.keyword, edit.text) for edit in diagnosis.remedy.edits] == [("params", "new.parameters()")]


@pytest.mark.parametrize(
    "text",
    [SECOND.replace("12 in main", "14 in main"), SECOND.replace("old.parameters()", "groups"), SECOND.replace("old.", "new.")],
    ids=["made later", "given by another name", "the same name"],
)
def test_an_optimizer_is_left_alone_where_its_model_has_no_name_there(text: str):
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is None


READ = (
    REPLACED.replace('@ "train.py":13:7-50', '@ "train.py":13 text="    opt = SGD(old.parameters(), lr=0.1)"')
    .replace("parameter v reached", "parameter net.v value=v reached")
    .replace("ending v ", "ending net.v ")
    .replace('@ "best.py":17', '@ "train.py":4 in forward callers=[["train.py",14,""]]')
)


def test_a_model_that_nobody_saw_made_is_found_where_it_is_read():
    (diagnosis,) = said(diagnose, READ)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.text, edit.written, edit.to.line if edit.to else 0) == ("{name}.parameters()", "net", 14)
    assert diagnosis.kind is not None


@pytest.mark.parametrize(
    "text",
    [READ.replace('"train.py",14', '"train.py",12'), READ.replace("old.parameters()", "groups")],
    ids=["before the optimizer", "no model given"],
)
def test_what_is_read_elsewhere_says_nothing_of_its_name(text: str):
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is None


def test_what_is_held_by_none_is_moved_in_an_experiment():
    (diagnosis,) = said(diagnose, NEW_HEAD)

    assert diagnosis.test is not None
    assert diagnosis.test.intervention == Descend(joined=("head.weight",))
    assert not diagnosis.test.required


def test_an_optimizer_for_several_models_is_made_at_the_start_of_each_turn():
    (diagnosis,) = said(diagnose, UNKNOWN.replace('@ "train.py":20', '@ "train.py":20 in "fold" callers=[["train.py",27,""]]'))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, edit.to and edit.to.line, edit.around) for edit in diagnosis.remedy.edits] == [
        ("move", 12, 27, "body")
    ]


STACKED = """
    optimizer opt native="Adam" steps=10 rates=[0.1,0.1] @ "train.py":18
    group rate=0.1 parameters=["members.0.weight"]
    x: input f32[8,4]
    members.0.weight: parameter f32[2,4]
    s: parameter f32[5,2,4]
    out = custom s x carries=[true,false] native="vmap_impl" @ "train.py":30
    loss = mean out
    ! backward loss
    ! optimizer_step opt
    parameter members.0.weight optimizer="opt" gradient="none"
    parameter s registered=false reached=true gradient="finite" gradient_norm=0.3
    ending members.0.weight changed=false gradient_seen=false
    ending s changed=false gradient_seen=true
"""


def test_copies_outside_the_model_that_are_trained_in_its_place():
    (found,) = said(diagnose, STACKED)

    assert "it reads `s`" in found.message
    assert {Fact("unregistered", "s"), Fact("unmoved", "s"), Fact("unused", "members.0.weight")} <= found.explains


@pytest.mark.parametrize(
    "text",
    [
        STACKED.replace("ending s changed=false", "ending s changed=true"),
        STACKED.replace(
            'members.0.weight optimizer="opt" gradient="none"', 'members.0.weight optimizer="opt" reached=true gradient="finite"'
        ),
        STACKED.replace("    ! optimizer_step opt\n", ""),
        STACKED.replace("parameter s registered=false", "parameter s trainable=false registered=false"),
    ],
    ids=["moved by hand", "the model is trained as well: WG307", "never stepped", "not to be trained"],
)
def test_silence_about_tensors_outside_the_model(text: str):
    assert not said(diagnose, text)


@pytest.mark.parametrize(("file", "lines"), [("train.py", [20]), ("net.py", [])])
def test_the_optimizer_is_made_behind_the_model_that_its_own_function_makes(file: str, lines: list[int]):
    record = sketch(NEW_HEAD + '    parameter head.weight reached=true gradient="finite"\n').record
    made = Site("net.py", 4, function="Net.__init__", callers=(Frame(file, 20),))
    steps = tuple(replace(step, parameters=tuple(replace(p, site=made) for p in step.parameters)) for step in record.steps)
    (found,) = diagnose.check(Index(replace(record, steps=steps)))

    assert [edit.to.line for edit in (found.remedy.edits if found.remedy else ()) if edit.to] == lines
