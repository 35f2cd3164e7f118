"""What WG304 offers in the place of a share of wrong picks, beside other terms of the loss."""

import pytest

from sketch import said, sketch
from whygrad.diagnosis import Remedy
from whygrad.rules.graph.non_differentiable_op import diagnose
from whygrad.rules.surrogates import made_without_gradient, name_at

SHARE = """
    trunk: parameter f32[6,6]
    classes: parameter f32[4,6]
    x: input f32[8,6]
    y: label i64[8] minimum=0 maximum=3 whole=1.0 called="y"
    s: activation f32[8,4] called="scores"
    term: activation f32[]
    less: activation f32[]
    loss: loss f32[]
    labels values=["y"] how="operand"
    h = linear x trunk
    recon = mse_loss h x
    s = linear h classes
    i = argmax s native="torch.Tensor.argmax" @ "joint.py":20
    wrong = compare i y native="torch.Tensor.ne" @ "joint.py":20
    f = cast wrong @ "joint.py":20
    term = mean f @ "joint.py":20
    loss = add recon term carries=[true,false] @ "joint.py":21
"""
ACCURACY = SHARE.replace("Tensor.ne", "Tensor.__eq__")
TAKEN_OFF = ACCURACY.replace(
    "    loss = add recon term", '    less = sub term native="torch.Tensor.__rsub__" @ "joint.py":22\n    loss = add recon less'
)


def remedy_of(text: str) -> Remedy | None:
    """What is offered."""
    (diagnosis,) = said(diagnose, text)
    return diagnosis.remedy


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (SHARE, 20),
        (SHARE.replace("loss = add recon term", "less = mul term\n    loss = add recon less"), 20),
        (TAKEN_OFF, 22),
    ],
)
def test_a_share_of_errors_becomes_a_cross_entropy_and_other_terms_stay(text: str, line: int) -> None:
    remedy = remedy_of(text)

    assert remedy is not None
    assert not remedy.safe
    assert [(edit.action, edit.text, edit.site.line) for edit in remedy.edits] == [
        ("replace", "torch.nn.functional.cross_entropy(scores, y)", line)
    ]


@pytest.mark.parametrize(
    "text",
    [
        ACCURACY,
        TAKEN_OFF.replace("Tensor.__eq__", "Tensor.ne"),
        SHARE.replace("loss = add recon term", "less = neg term\n    loss = add recon less"),
        SHARE.replace("loss = add recon term", "loss = sub recon term"),
        SHARE.replace("Tensor.ne", "Tensor.gt"),
        SHARE.replace("maximum=3 whole", "maximum=9 whole"),
        SHARE.replace('called="scores"', 'called="self.head(h)"'),
    ],
    ids=["right picks", "wrong ones taken off", "turned round", "from the loss", "by size", "no ids", "no name"],
)
def test_what_would_be_driven_the_wrong_way_or_has_no_name_is_left_to_a_person(text: str) -> None:
    assert remedy_of(text) is None


HARD = """
    w: parameter f32[5,6]
    v: parameter f32[4,6]
    x: input f32[8,6]
    y: label i64[8] minimum=0 maximum=3 whole=1.0 called="y"
    s: activation f32[8,5] called="scores"
    i: activation i64[8]
    rows: activation i64[8,5]
    h: activation f32[8,6]
    out: activation f32[8,4] called="out"
    labels values=["y"] how="operand"
    s = linear x w @ "net.py":5 in "Net.forward"
    i = argmax s native="torch.Tensor.argmax" @ "net.py":6:14-40 in "Net.forward" text="        i = scores.argmax(-1)"
    rows = one_hot i native="torch.nn.functional.one_hot" @ "net.py":7:16-35 in "Net.forward" text="        rows = F.one_hot(i, 5).float()"
    h = matmul rows v
    out = linear h v
    loss = cross_entropy out y with={"target":1} @ "train.py":9
"""
LOOKED_UP = """
    w: parameter f32[5,6]
    table.weight: parameter f32[5,7]
    v: parameter f32[4,7]
    x: input f32[8,6]
    y: label i64[8] minimum=0 maximum=3 whole=1.0 called="y"
    s: activation f32[8,5] called="scores"
    i: activation i64[8]
    h: activation f32[8,7]
    labels values=["y"] how="operand"
    s = linear x w @ "net.py":5 in "Net.forward"
    i = argmax s native="torch.Tensor.argmax" @ "net.py":6:27-41 in "Net.forward" text="        code = self.table(scores.argmax(-1))"
    h = embedding i table.weight module="table" @ "net.py":6:16-42 in "Net.forward" text="        code = self.table(scores.argmax(-1))"
    out = linear h v
    loss = cross_entropy out y with={"target":1} @ "train.py":9
"""


@pytest.mark.parametrize(
    ("text", "new"),
    [
        (HARD, "torch.softmax(scores, -1)"),
        (LOOKED_UP, "torch.softmax(scores, -1) @ self.table.weight"),
        (
            LOOKED_UP.replace("self.table(scores.argmax(-1))", "rows[scores.argmax(-1)]  ").replace("h = embedding", "h = index"),
            "torch.softmax(scores, -1) @ rows",
        ),
    ],
)
def test_what_the_largest_score_picks_is_mixed_by_the_softmax(text: str, new: str) -> None:
    remedy = remedy_of(text)

    assert remedy is not None
    assert not remedy.safe
    assert [(edit.action, edit.text) for edit in remedy.edits] == [("replace", new)]


@pytest.mark.parametrize(
    "text",
    [
        HARD.replace('called="scores"', 'called="self.head(x)"'),
        HARD.replace("rows: activation i64[8,5]", "rows: activation i64[8,9]"),
        HARD.replace('"net.py":7:16-35 in "Net.forward"', '"net.py":7:16-35 in "Net.route"'),
        LOOKED_UP.replace("table.weight: parameter f32[5,7]", "table.weight: parameter f32[9,7]"),
        LOOKED_UP.replace("self.table(scores", "lookup(scores"),
    ],
    ids=["no name", "rows of another width", "another function", "a longer table", "a function of its own"],
)
def test_what_else_is_done_with_the_pick_is_left_to_a_person(text: str) -> None:
    """Nor is the loss compared with scores that have no name where it is made."""
    assert remedy_of(text) is None


HITS = """
    w: parameter f32[5,4]
    x: input f32[30,4]
    y: label f32[30,5]
    p: activation f32[30,5] minimum=0.1 maximum=0.9
    loss: loss f32[]
    labels values=["y"] how="framework"
    z = linear x w
    p = softmax z
    picked = argmax p native="tf.argmax" @ "route.py":14:50-73 text="    hits = tf.cast(tf.equal(tf.argmax(route, 1), tf.argmax(probs, 1)), tf.float32)"
    due = argmax y native="tf.argmax" @ "route.py":14:29-48 text="    hits = tf.cast(tf.equal(tf.argmax(route, 1), tf.argmax(probs, 1)), tf.float32)"
    hit = compare due picked native="tf.equal" @ "route.py":14:20-74
    f = cast hit native="tf.cast" @ "route.py":14:12-87
    share = mean f @ "route.py":15
    loss = neg share @ "route.py":15
"""


def test_the_share_of_the_right_class_stands_for_a_hit():
    remedy = remedy_of(HITS)

    assert remedy is not None
    assert not remedy.safe
    assert [edit.text for edit in remedy.edits] == ["(route * probs).sum(-1)"]


def test_scores_are_made_shares_first():
    remedy = remedy_of(HITS.replace(" minimum=0.1 maximum=0.9", " minimum=-3 maximum=9"))

    assert remedy is not None
    assert [edit.text for edit in remedy.edits] == ["(route * torch.softmax(probs, -1)).sum(-1)"]


@pytest.mark.parametrize(
    "text",
    [
        HITS.replace('tf.equal" @', 'tf.not_equal" @'),
        HITS.replace("y: label f32[30,5]", "y: label f32[30,7]"),
        HITS.replace("tf.argmax(route, 1)", "tf.argmax(r.ute, 1)"),
        HITS.replace("f = cast hit", "f = copy hit"),
    ],
    ids=["misses", "rows of another length", "no name", "no number is made of it"],
)
def test_hits_that_stay(text: str):
    assert remedy_of(text) is None


OWN_NAMES = """
    w: parameter f32[3,4]
    x: input f32[30,4]
    y: label i32[30] minimum=0 maximum=2 called="train_y"
    v: activation f32[30,3] minimum=0.1 maximum=0.9 called="self.head(x)"
    p: activation f32[30,3] minimum=0.1 maximum=0.9 called="self.head(x)"
    loss: loss f32[]
    labels values=["y"] how="framework"
    z = linear x w
    v = softmax z
    p = copy v
    level = cast y
    picked = argmax p scope=0 @ "triage.py":21 in "triage_loss"
    cost = embedding picked x scope=0 @ "triage.py":22 in "triage_loss"
    loss = mean cost @ "triage.py":24 in "triage_loss"
    scope triage_loss arguments={"level":"level","output":"p"} @ "triage.py":18
"""


def test_a_value_goes_by_the_argument_that_it_is_where_the_op_ran():
    step = sketch(OWN_NAMES).steps[0]
    pick = step.producer["picked"][1]

    assert name_at(step, pick, step.value("p")) == "output"
    assert name_at(step, pick, step.value("y")) == "level"
    assert name_at(step, pick, step.value("x")) == step.value("x").called
    assert name_at(step, step.producer["z"][1], step.value("y")) == "train_y"


BARE = SHARE.replace(' called="scores"', "").replace(
    '"joint.py":20\n    wrong', '"joint.py":20:9-24 text="wrong = scores.argmax(1) != y"\n    wrong'
)


def test_scores_without_a_name_go_by_the_one_that_they_are_picked_from_by():
    remedy = remedy_of(BARE)

    assert remedy is not None
    assert [edit.text for edit in remedy.edits] == ["torch.nn.functional.cross_entropy(scores, y)"]


@pytest.mark.parametrize(("loss", "has"), [("add recon term", True), ("sub recon term", False)])
def test_a_part_without_a_gradient_has_to_raise_the_loss(loss: str, *, has: bool) -> None:
    index = sketch(SHARE.replace("add recon term", loss))
    (step,) = index.steps

    assert (made_without_gradient(step, step.producer["loss"][1], step.differentiable) is not None) is has
