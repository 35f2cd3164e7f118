"""WG301 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said, sketch
from whygrad.diagnosis import Fact
from whygrad.ir import Lift
from whygrad.rules.graph.detached import diagnose

PLAIN = """
    x: input f32[8,4]
    encoder.weight: parameter f32[4,4]
    encoder.bias: parameter f32[4]
    head.weight: parameter f32[2,4]
    h = linear x encoder.weight encoder.bias @ "train.py":40
    d = detach h native="torch.Tensor.detach" @ "train.py":41:13-37 text="codes = self.encoder(x).detach()"
    out = linear d head.weight @ "train.py":42
    loss = mean out @ "train.py":43
"""

FIRES = {
    "before the head": (PLAIN, 41, ("encoder.weight", "encoder.bias")),
    "observed edges agree": (
        PLAIN.replace("encoder.bias @", "encoder.bias carries=[false,true,true] @").replace(
            "head.weight @", "head.weight carries=[false,true] @"
        ),
        41,
        ("encoder.weight", "encoder.bias"),
    ),
    "the whole loss, hidden by requires_grad": (
        """
        w: parameter f32[1,4]
        x: input f32[8,4]
        y: label f32[8,1]
        loss: loss f32[] differentiable=true
        out = linear x w @ "train.py":22
        guess = detach out native="torch.Tensor.data.__get__" @ "train.py":22
        loss = mse_loss guess y carries=[false,false] @ "train.py":23
        """,
        22,
        ("w",),
    ),
    "straight-through around the whole sum": (
        """
        w: parameter f32[3,4]
        v: parameter f32[4,3]
        x: input f32[8,4]
        z = linear x w @ "train.py":12
        r = round z native="torch.Tensor.round" @ "train.py":13
        e = sub r z @ "train.py":13
        s = add z e @ "train.py":13
        d = detach s native="torch.Tensor.detach" @ "train.py":13
        out = linear d v @ "train.py":24
        loss = mse_loss out x @ "train.py":40
        """,
        13,
        ("w",),
    ),
    "two views, each detached in one loop": (
        """
        w: parameter f32[3,4]
        v: parameter f32[4,3]
        x: input f32[8,4]
        a = linear x w @ "train.py":12
        da = detach a @ "train.py":13
        b = linear da w @ "train.py":12
        db = detach b @ "train.py":13
        out = linear db v @ "train.py":24
        loss = mean out
        """,
        13,
        ("w",),
    ),
    "the backward is refused": (
        """
        record
        raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn" @ "train.py":9
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w @ "train.py":5
        m = mean out @ "train.py":6
        loss = detach m @ "train.py":7
        """,
        7,
        ("w",),
    ),
}

SILENT = {
    "an open path beside it": PLAIN.replace("linear d head.weight", "linear d head.weight\n    both = add out h").replace(
        "mean out", "mean both"
    ),
    "nobody holds the teacher": """
        optimizer opt native="SGD" steps=2
        group rate=0.1 parameters=["student"]
        teacher: parameter f32[4]
        student: parameter f32[4]
        x: input f32[8,4]
        t = mul x teacher
        d = detach t @ "train.py":3
        s = mul x student
        loss = mse_loss s d
    """,
    "frozen backbone": PLAIN
    + """
        parameter encoder.weight value=encoder.weight trainable=false optimizer="opt" reached=true
        parameter encoder.bias value=encoder.bias trainable=false optimizer="opt" reached=true
        parameter head.weight value=head.weight optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
    "generator, trained in its own step": """
        step 0 kind=0
        z: input f32[8,2]
        g: parameter f32[4,2]
        d: parameter f32[1,4]
        fake = linear z g @ "gan.py":10
        cut = detach fake @ "gan.py":11
        score = linear cut d @ "gan.py":12
        loss = mean score
        step 1 kind=1
        z1: input f32[8,2]
        g: parameter f32[4,2]
        d: parameter f32[1,4]
        fake1 = linear z1 g @ "gan.py":20
        score1 = linear fake1 d @ "gan.py":21
        loss1: loss
        loss1 = mean score1
    """,
    "a gradient comes later in the run": PLAIN
    + """
        ending encoder.weight changed=true gradient_seen=true
        ending encoder.bias changed=true gradient_seen=true
        ending head.weight changed=true gradient_seen=true
    """,
    "a metric that is only printed": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
        seen = detach loss @ "train.py":9
        = leave seen
    """,
}

ANOTHERS = {
    "numpy after the detach": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        d = detach out @ "train.py":7
        a = leave d native="torch.Tensor.numpy" @ "train.py":7
        t = enter a @ "train.py":10
        loss = mean t
    """,
    "no_grad": """
        w: parameter f32[1,4]
        v: parameter f32[1,1]
        x: input f32[8,4]
        out = linear x w tracking=false @ "train.py":7
        p = linear out v
        loss = mean p
    """,
    "a comparison first": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        c = compare out @ "train.py":7
        d = detach c
        loss = mean d
    """,
    "rounding": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        r = round out @ "train.py":7
        loss = mean r
    """,
    "never read": """
        w: parameter f32[1,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
    """,
    "no parameter in the loss": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean x
    """,
}


@pytest.mark.parametrize(("text", "line", "names"), FIRES.values(), ids=FIRES)
def test_one_diagnosis_at_the_line_that_cuts(text: str, line: int, names: tuple[str, ...]) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.confidence) == ("WG301", "error", "proved")
    assert found.site is not None
    assert (found.site.line, found.names) == (line, names)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_the_message_stands_alone() -> None:
    (found,) = said(diagnose, PLAIN)

    assert found.message == "`encoder.weight` and `encoder.bias` get no gradient: `detach` cuts them off from `loss`"
    assert found.label == "every path from these parameters to `loss` passes here"
    assert [e.statement for e in found.evidence] == [
        "`encoder.weight.grad` is None after backward; so is 1 more parameter behind this cut",
        "1 other parameter gets its gradient, so the loss may still fall",
    ]


def test_two_cuts_are_two_diagnoses() -> None:
    text = """
        a: parameter f32[4]
        b: parameter f32[4]
        x: input f32[8,4]
        p = mul x a
        dp = detach p @ "train.py":5
        q = mul x b
        dq = detach q @ "train.py":6
        c: parameter f32[4]
        s = add dp dq
        o = mul s c
        loss = mean o
    """

    assert {found.names: found.site and found.site.line for found in said(diagnose, text)} == {("a",): 5, ("b",): 6}


def test_a_replay_that_was_made_is_evidence() -> None:
    lifted = (
        PLAIN + 'trial intervention={"type":"lift","ops":["d"]} gradient_norm=1.0 gradients={"encoder.weight":0.83,"encoder.bias":0.2}\n'
    )

    (found,) = said(diagnose, lifted)

    assert found.test is not None
    assert found.test.intervention == Lift(("d",))
    assert found.experiment is not None
    assert found.experiment.verdict == "confirmed"
    assert "replayed without this cut, the gradient norm of `encoder.weight` is 0.83" in [e.statement for e in found.evidence]


def test_a_nan_replay_is_no_evidence() -> None:
    (found,) = said(
        diagnose, PLAIN + 'trial intervention={"type":"lift","ops":["d"]} gradients={"encoder.weight":"nan","encoder.bias":1.0}\n'
    )

    assert found.experiment is not None
    assert found.experiment.verdict == "inconclusive"
    assert not [e for e in found.evidence if "replayed" in e.statement]


def test_a_refused_backward_is_explained() -> None:
    (found,) = said(diagnose, FIRES["the backward is refused"][0])

    assert {Fact("exception", "RuntimeError"), Fact("constant-loss", "0"), Fact("no-update", "0"), Fact("unmoved", "w")} <= found.explains


def test_an_empty_record_says_nothing() -> None:
    assert list(diagnose.check(sketch("record"))) == []


def test_a_value_that_two_backwards_read_is_not_simply_opened() -> None:
    once = """
    step 0
      x: input f32[8,4]
      w: parameter f32[4,4]
      v: parameter f32[1,4]
      h = linear x w @ "gan.py":17
      d = detach h native="torch.Tensor.detach" @ "gan.py":17:16-34 text="        fake = self.G(z).detach()"
      out = linear d v @ "gan.py":20
      loss = mean out @ "gan.py":21
    """
    twice = once + once.replace("step 0", "step 1").replace("out = linear d v", "o = tanh d\n      out = linear o v")
    anew = once + once.replace("step 0", "step 1").replace("d = detach", "e = detach").replace("linear d", "linear e")
    shared, (single, *_), (other, *_) = said(diagnose, twice)[0], said(diagnose, once), said(diagnose, anew)

    assert shared.remedy is None
    assert "two losses" in (shared.help or "")
    assert single.remedy is not None
    assert other.remedy is not None


def test_a_straight_through_sum_that_is_the_wrong_way_round_is_not_opened() -> None:
    """Without the cut its value would be the encoder's alone, and the lookup gone."""
    text = """
      x: input f32[8,4]
      w: parameter f32[4,4]
      codes: parameter f32[16,4]
      ids: activation i64[8]
      h = linear x w @ "vq.py":15
      q = index codes ids @ "vq.py":16
      gap = sub h q @ "vq.py":19
      d = detach gap native="torch.Tensor.detach" @ "vq.py":19:20-33 text="        out = q + (h - q).detach()"
      out = add q d @ "vq.py":19
      loss = mean out @ "vq.py":21
    """
    (turned,), (plain,) = said(diagnose, text), said(diagnose, text.replace("out = add q d", "out = mul q d"))

    assert turned.remedy is None
    assert plain.remedy is not None


def test_a_parameter_made_of_a_computed_value_is_no_second_fault() -> None:
    text = PLAIN.replace("head.weight: parameter f32[2,4]", "d: parameter f32[8,4]\n    head.weight: parameter f32[2,4]").replace(
        '"torch.Tensor.detach"', '"torch.nn.Parameter"'
    )
    (found,) = said(diagnose, text)

    assert "`Parameter` cuts them off" in found.message
    assert "plain tensor" in found.help
    assert {Fact("unregistered", "d"), Fact("unmoved", "d")} <= found.explains


def test_a_parameter_that_takes_computed_numbers_is_named_and_is_no_second_fault() -> None:
    text = PLAIN.replace("head.weight: parameter f32[2,4]", "d: parameter f32[8,4]\n    head.weight: parameter f32[2,4]").replace(
        'native="torch.Tensor.detach"', 'native="torch.Tensor.data" with={"handed":true}'
    )
    (found,) = said(diagnose, text)

    assert "`d` takes the numbers of what was computed from them, and none of its history" in found.message
    assert "functional_call" in found.help
    assert Fact("unheld", "d") in found.explains
    assert found.remedy is None


MARKED = """
step 0
  x: input f32[8,4]
  w: parameter f32[1,4]
  y: label f32[8,1]
  loss: loss f32[] differentiable=true
  out = linear x w @ "train.py":22
  guess = detach out native="torch.Tensor.data.__get__" @ "train.py":22:17-33 text="        guess = net(x).data"
  loss = mse_loss guess y carries=[false,false] @ "train.py":23
  ! marked loss @ "train.py":24:9-27 text="        loss.requires_grad = True"
  ! backward loss @ "train.py":25
"""


@pytest.mark.parametrize("line", ["loss.requires_grad = True", "loss.requires_grad_(True)  # or backward raises", "loss.requires_grad_()"])
def test_the_line_that_asked_for_a_gradient_goes_with_the_cut(line: str) -> None:
    (found,) = said(diagnose, MARKED.replace("loss.requires_grad = True", line))

    assert found.remedy is not None
    assert [(edit.action, edit.site.line) for edit in found.remedy.edits] == [("unwrap", 22), ("drop", 24)]


@pytest.mark.parametrize(
    "text",
    [
        MARKED.replace("! marked loss", "! marked x"),
        MARKED.replace("loss.requires_grad = True", "total = loss.requires_grad_() * 2"),
        MARKED.replace("loss.requires_grad = True", "loss.requires_grad = training"),
        MARKED.replace("! marked", "! unfreeze"),
    ],
    ids=["an input", "the line does more", "under a condition", "a parameter"],
)
def test_other_lines_that_ask_for_a_gradient_stay(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.remedy is not None
    assert [edit.action for edit in found.remedy.edits] == ["unwrap"]


def test_of_an_estimator_that_is_stopped_as_a_whole_the_difference_alone_is() -> None:
    (found,) = said(diagnose, FIRES["straight-through around the whole sum"][0])

    assert found.remedy is not None
    assert [edit.action for edit in found.remedy.edits] == ["narrow"]
    # with the rounding open too the gradient is that of the value, as behind the residue alone
    assert found.test is not None
    assert isinstance(found.test.intervention, Lift)
    assert len(found.test.intervention.ops) == 2


CODED = """
    w: parameter f32[3,4]
    book: parameter f32[8,3]
    v: parameter f32[4,3]
    x: input f32[8,4]
    z = linear x w @ "train.py":12
    d = detach z native="torch.Tensor.detach" @ "train.py":13
    out = linear d v @ "train.py":24
    t = detach z native="torch.Tensor.detach" @ "train.py":30
    e = sub book t @ "train.py":30
    q = square e @ "train.py":30
    m = mean q @ "train.py":30
    r = mean out @ "train.py":40
    loss = add r m @ "train.py":41
"""
"""A code book is brought to codes that are stopped on purpose, beside a cut that is not."""


@pytest.mark.parametrize(("other", "lines"), [("book", [13]), ("x", [13, 30])])
def test_what_something_else_is_brought_to_stays_stopped(other: str, lines: list[int]) -> None:
    (found,) = said(diagnose, CODED.replace("sub book t", f"sub {other} t"))

    assert found.remedy is not None
    assert [edit.site.line for edit in found.remedy.edits] == lines
