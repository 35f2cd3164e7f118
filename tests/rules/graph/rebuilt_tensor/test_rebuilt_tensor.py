"""WG302 on sketches: fires, is silent, belongs to another rule."""

from dataclasses import replace
from textwrap import dedent

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.flow import Index
from whygrad.ir.text import loads
from whygrad.rules.graph.rebuilt_tensor import diagnose

TRIP = """
    framework torch "2.13.0"
    w: parameter f32[1,4]
    v: parameter f32[1,1]
    x: input f32[8,4]
    out: activation f32[8,1] called="features"
    out = linear x w
    d = detach out native="torch.Tensor.detach" @ "pool.py":14
    a = leave d native="torch.Tensor.numpy" @ "pool.py":14
    t = enter a native="torch.from_numpy" @ "pool.py":15
    p = linear t v
    loss = mean p
"""
BLIND = """
    framework torch "2.13.0"
    scope forward arguments={"h":"out"}
    w: parameter f32[1,4]
    v: parameter f32[1,1]
    x: input f32[8,4]
    out = linear x w
    d = detach out native="torch.Tensor.detach" scope=0 @ "pool.py":14 in "forward"
    a = leave d native="torch.Tensor.numpy" scope=0 @ "pool.py":14 in "forward"
    t = enter native="torch.from_numpy" scope=0 @ "pool.py":15 in "forward"
    p = linear t v
    loss = mean p
"""
WHOLE = """
    framework torch "2.13.0"
    w: parameter f32[1,4]
    x: input f32[8,4]
    y: label f32[8,1]
    labels values=["y"] how="target"
    loss: loss f32[] differentiable=true
    out = linear x w @ "train.py":29
    d = detach out native="torch.Tensor.detach" @ "metrics.py":7
    f = leave d native="torch.Tensor.numpy" @ "metrics.py":7
    a = leave y native="torch.Tensor.numpy" @ "metrics.py":8
    loss = enter native="torch.tensor" @ "metrics.py":10
"""

FIRES = {
    "numpy and back": (TRIP, 14, 15, ("w",)),
    "reckoned with in between, in one call": (BLIND, 14, 15, ("w",)),
    "the whole loss in NumPy": (WHOLE, 7, 10, ("w",)),
    "two losses packed into one tensor": (
        """
        t: parameter f32[4,4]
        k: parameter f32[4,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        y: label i64[8]
        z: label f32[8]
        h = linear x t
        s = linear h k
        q = linear h v
        a = cross_entropy s y
        b = huber_loss q z
        na = leave a native="torch.Tensor.item" @ "train.py":26
        nb = leave b native="torch.Tensor.item" @ "train.py":27
        parts: activation f32[2] differentiable=true
        parts = enter na nb native="torch.tensor" @ "train.py":25
        loss = sum parts carries=[true] @ "train.py":29
        """,
        26,
        25,
        ("t", "k", "v"),
    ),
    "torch.tensor of a tensor": (
        """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        c = enter out native="torch.tensor" @ "train.py":6
        loss = mean c
        """,
        6,
        None,
        ("w",),
    ),
    "in and out on one line": (TRIP.replace(":14", ":15"), 15, None, ("w",)),
}

SILENT = {
    "logging": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
        n = leave loss native="torch.Tensor.item"
    """,
    "an auxiliary output that is only logged": """
        w: parameter f32[1,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        c = enter native="torch.tensor" @ "train.py":2 in "weights"
        out = linear x w
        aux = linear x v
        n = leave aux native="torch.Tensor.item" @ "train.py":12 in "train"
        o = mul out c
        loss = mean o
    """,
    "rewards come back, the policy has an open path": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = log_softmax x
        s = linear x w
        p = log_softmax s
        a = sample p
        n = leave a native="torch.Tensor.item"
        r = enter n native="torch.tensor"
        m = mul p r
        loss = mean m
    """,
    "pseudo-labels of a teacher that nobody trains": """
        optimizer opt native="SGD" steps=2
        group rate=0.1 parameters=["w"]
        w: parameter f32[1,4]
        t: parameter f32[1,4]
        x: input f32[8,4]
        g = linear x t
        n = leave g native="torch.Tensor.numpy"
        y = enter n native="torch.from_numpy"
        out = linear x w
        loss = mse_loss out y
    """,
    "labels made in NumPy before the forward": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        y = enter native="torch.tensor"
        out = linear x w
        loss = mse_loss out y
    """,
    "a value logged far from a constant": BLIND.replace('scope=0 @ "pool.py":15 in "forward"', '@ "other.py":15 in "make"'),
}

ANOTHERS = {
    "only detached": TRIP.replace("a = leave d", "# ").replace("t = enter a", "t = reshape d"),
    "no_grad before it": TRIP.replace("linear x w", "linear x w tracking=false"),
    "decided before it left": TRIP.replace('d = detach out native="torch.Tensor.detach"', "d = argmax out"),
    "frozen": TRIP
    + """
        parameter w value=w trainable=false optimizer="opt" reached=true
        parameter v value=v optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
    "no parameter in the loss": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean x
    """,
    "never read": """
        w: parameter f32[1,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
    """,
}


@pytest.mark.parametrize(("text", "left", "entered", "names"), FIRES.values(), ids=FIRES)
def test_both_ends_are_named(text: str, left: int, entered: int | None, names: tuple[str, ...]) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.confidence) == ("WG302", "error", "proved")
    assert found.site is not None
    assert (found.site.line, found.names) == (left, names)
    assert entered is None or found.related[0].site.line == entered


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_a_flat_script_is_only_suspected() -> None:
    (found,) = said(diagnose, BLIND.replace(' in "forward"', "").replace("scope=0 ", ""))

    assert (found.severity, found.confidence, found.site and found.site.line) == ("warning", "suspected", 14)


def test_the_message_tells_the_trip() -> None:
    (found,) = said(diagnose, TRIP)

    assert found.message == "`w` gets no gradient: a value computed from it leaves PyTorch through `numpy` and comes back as a new tensor"


def test_a_loss_made_outside_explains_what_follows() -> None:
    (found,) = said(diagnose, WHOLE)

    assert {Fact("constant-loss", "0"), Fact("insensitive", "0"), Fact("unread", "y"), Fact("unmoved", "w")} <= found.explains


REFUSED = """
    x: input f32[8,4]
    w: parameter f32[4]
    d = matmul x w
    = leave d native="percentile" failed=true @ "risk.py":8
    ! exception with={"type":"TracerArrayConversionError","message":"The numpy.ndarray conversion method __array__() was called"}
"""


LISTED = """
    w: parameter f32[1,4]
    x: input f32[8,4]
    first = linear x w
    second = tanh first
    p1: python f64[]
    p2: python f64[]
    p1 = leave first native="torch.Tensor.item" @ "walk.py":44
    p2 = leave second native="torch.Tensor.item" @ "walk.py":44
    kept = enter p1 p2 native="torch.tensor" @ "walk.py":54
    loss = sum kept
    ! backward loss
"""


def test_a_value_that_is_refused_its_way_out_is_named() -> None:
    (found,) = said(diagnose, REFUSED)

    assert (found.site and found.site.line, found.confidence) == (8, "proved")
    assert "through `percentile`" in found.message
    assert Fact("exception", "TracerArrayConversionError") in found.explains


def test_another_exception_is_not_a_way_out() -> None:
    assert said(diagnose, REFUSED.replace("TracerArrayConversionError", "ValueError")) == []


def test_what_need_not_be_what_left_is_not_put_back() -> None:
    (diagnosis,) = said(diagnose, TRIP.replace('native="torch.from_numpy"', 'native="torch.from_numpy" with={"guessed":true}'))

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.edits] == [("translate", "torch")]


def test_a_tensor_that_the_framework_makes_by_itself_has_no_call_to_take_away() -> None:
    (diagnosis,) = said(diagnose, TRIP.replace('native="torch.from_numpy"', 'native="torch.from_numpy" with={"implicit":true}'))

    assert diagnosis.remedy is not None
    assert all(edit.calls != ("from_numpy",) for edit in diagnosis.remedy.edits)


def test_labels_that_may_have_been_read_outside_are_no_fault_of_their_own() -> None:
    (whole,) = said(diagnose, WHOLE)
    (part,) = said(diagnose, TRIP)

    assert Fact("unread", "y") in whole.explains
    assert not any(fact.what == "unread" for fact in part.explains)


TERMS = """
framework torch "2.13.0"
optimizer opt native="Adam" steps=9 rates=[0.003,0.003] last_rate=0.003
group rate=0.003 parameters=["w","v","u"]
ending u changed=false gradient_seen=false
step 0 updated=true
    w: parameter f32[8,4]
    v: parameter f32[1,8]
    u: parameter f32[1,8]
    x: input f32[32,4]
    y: label f32[32,1]
    z: input f32[32,1]
    h = linear x w @ "model.py":9
    p = linear h v @ "model.py":11
    q = linear h u @ "model.py":12
    loss = bce_with_logits p y with={"target":1} @ "train.py":20
    second: activation f32[] called="stay"
    second = mse_loss q z with={"target":1} @ "train.py":21
    n = leave second native="torch.Tensor.item" @ "train.py":22
    loss: loss f32[] differentiable=true
    ! backward loss @ "train.py":30
    parameter w gradient="finite" reached=true
    parameter v gradient="finite" reached=true
    parameter u gradient="none" reached=true
    labels values=["y"] how="target"
"""
SOUND_TERMS = {
    "a number for the log of a term that is differentiated": TERMS.replace(
        "    second:", "    total: loss f32[] differentiable=true\n    second:"
    )
    .replace("! backward loss", "! backward total")
    .replace("    loss: loss f32[] differentiable=true", "    total = add loss second"),
    "a head that another step trains": TERMS.replace("changed=false gradient_seen=false", "changed=true gradient_seen=true"),
    "a run that was cut short": TERMS.replace("optimizer opt", 'outcome steps_seen=9 stopped="after the recorded steps"\noptimizer opt'),
    "a head that no optimizer holds": TERMS.replace('"v","u"]', '"v"]'),
    "a metric that is no loss": TERMS.replace("second = mse_loss q z", "second = mean q"),
    "a frozen head": TERMS.replace('parameter u gradient="none"', 'parameter u trainable=false gradient="none"'),
    "a loss on what the trained head makes too": TERMS.replace("q = linear h u", "q = linear h v"),
}


def test_a_term_that_is_added_as_its_number() -> None:
    (found,) = said(diagnose, TERMS)

    assert found.site is not None
    assert (found.site.file, found.site.line) == ("train.py", 22)
    assert found.message == "`stay`, a loss of its own, leaves PyTorch through `item` and is differentiated nowhere: `u` gets no gradient"


def test_such_a_term_explains_that_its_parameters_stand_still_also_on_data_that_the_program_drew() -> None:
    drawn = TERMS.replace("    z: input f32[32,1]", '    z = random native="torch.randn"')
    (found,) = said(diagnose, drawn)

    assert {Fact("no-gradient", "u"), Fact("unmoved", "u")} <= found.explains


def test_a_penalty_on_numbers_of_no_data_is_no_term() -> None:
    assert said(diagnose, TERMS.replace("    z: input f32[32,1]", '    z = create native="torch.zeros"')) == []


@pytest.mark.parametrize("text", SOUND_TERMS.values(), ids=SOUND_TERMS)
def test_numbers_of_losses_that_leave_on_purpose(text: str) -> None:
    assert said(diagnose, text) == []


def test_nothing_is_said_of_terms_while_the_run_goes_on() -> None:
    record = loads(dedent(TERMS).strip() + "\n")

    assert [found.site.line for found in diagnose.check(Index(record)) if found.site] == [22]
    assert list(diagnose.check(Index(replace(record, endings={})))) == []


def test_a_list_of_numbers_becomes_a_stack_of_tensors() -> None:
    (diagnosis,) = said(diagnose, LISTED)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.action, edit.site.line, edit.to and edit.to.line) == ("translate", 44, 54)
    assert [(edit.action, edit.text) for edit in diagnosis.remedy.otherwise] == [("unwrap", ""), ("swap", "torch.stack({x})")]
    assert diagnosis.test is None


PREDICTED = """
    framework tensorflow "2.21.0"
    w: parameter f32[1,4]
    x: input f32[8,4]
    out = linear x w
    a = leave out native="tensorflow.Tensor.numpy" @ "fit.py":12 text="        guess = self.net.predict(states, verbose=0)"
    t = enter native="tensorflow.convert_to_tensor" with={"guessed":true} @ "fit.py":13
    loss = mean t
"""


def test_a_model_that_was_asked_for_arrays_is_called_itself() -> None:
    (diagnosis,) = said(diagnose, PREDICTED.replace("enter native", "enter a native"))

    assert diagnosis.remedy is not None
    assert [(edit.text, edit.site.column, edit.site.end_column) for edit in diagnosis.remedy.edits] == [("self.net(states)", 17, 52)]


@pytest.mark.parametrize(
    "line",
    [
        "guess = self.net.predict()",
        "guess = a.predict(x) - b.predict(x)",
        "guess = self.net(states).numpy()",
        "guess = self.net.predict(states,",
    ],
)
def test_a_call_that_is_not_clear_stays(line: str) -> None:
    text = PREDICTED.replace("enter native", "enter a native").replace("guess = self.net.predict(states, verbose=0)", line)

    assert all(edit.action != "replace" for found in said(diagnose, text) for edit in (found.remedy.edits if found.remedy else ()))
