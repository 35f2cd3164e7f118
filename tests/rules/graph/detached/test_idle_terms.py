"""Terms of a loss that train nothing, on sketches: told by the rule that knows why, and silence where it is meant."""

import pytest

from sketch import said
from whygrad.diagnosis import Rule
from whygrad.ir import Lift
from whygrad.rules.graph import detached, gradient_disabled, non_differentiable_op, rebuilt_tensor

FEATURES = """
    x: input f32[8,9]
    y: label i64[8] minimum=0 maximum=3
    t: input f32[8,16]
    w: parameter f32[16,9]
    v: parameter f32[4,16]
    h: activation f32[8,16]
    d: activation f32[8,16]
    s: activation f32[8,4]
    a: activation f32[] minimum=1.2 maximum=1.2 mean=1.2
    b: activation f32[] minimum=0.4 maximum=0.4 mean=0.4
    c: activation f32[] minimum=0.2 maximum=0.2 mean=0.2
    loss: loss f32[]
    h = linear x w @ "train.py":3
    s = linear h v @ "train.py":4
    a = cross_entropy s y with={"target":1} @ "train.py":5
    d = detach h @ "train.py":6
    b = mse_loss d t with={"target":1} @ "train.py":7
    c = mul b @ "train.py":8
    loss = add a c @ "train.py":9
    labels values=["y"] how="target"
    ! backward loss
    parameter w optimizer="opt" reached=true gradient="finite" gradient_norm=0.3
    parameter v optimizer="opt" reached=true gradient="finite" gradient_norm=0.3
"""
UNTRACKED = FEATURES.replace('    d = detach h @ "train.py":6\n', "").replace(
    'b = mse_loss d t with={"target":1} @ "train.py":7', 'b = norm w tracking=false @ "train.py":7'
)
GRAPHLESS = FEATURES.replace("d = detach h", 'd = opaque a x carries=[false,false] native="grad"').replace(
    'b = mse_loss d t with={"target":1}', "b = mean d"
)
LEFT = FEATURES.replace("d = detach h", "p = leave h").replace('b = mse_loss d t with={"target":1} @', "d = enter p\n    b = mean d @")
DECIDED = FEATURES.replace("d = detach h", "d = compare h").replace('b = mse_loss d t with={"target":1}', "b = mean d")
TOLD: dict[str, tuple[str, Rule, int]] = {
    "features that are cut in front of an error": (FEATURES, detached.diagnose, 6),
    "parameters that are cut in front of a norm": (FEATURES.replace("detach h", "detach w"), detached.diagnose, 6),
    "terms that are stacked and added up": (
        FEATURES.replace("loss = add a c", "l = concat a c\n    loss = sum l"),
        detached.diagnose,
        6,
    ),
    "a penalty without tracking": (UNTRACKED, gradient_disabled.diagnose, 7),
    "a penalty on derivatives without a graph": (GRAPHLESS, detached.diagnose, 6),
    "a number that comes back as a tensor": (LEFT, rebuilt_tensor.diagnose, 6),
    "an error rate": (DECIDED, non_differentiable_op.diagnose, 6),
}
SILENT = {
    "one side of the error is open: a teacher, a code book": FEATURES.replace("mse_loss d t", "mse_loss h d"),
    "the whole term is stopped: a number to be seen": FEATURES.replace("d = detach h", "d = copy h")
    .replace("c = mul b", "c = detach b")
    .replace("detach b @", "detach b @"),
    "a term that is zero, as before a warm-up": FEATURES.replace(
        "c: activation f32[] minimum=0.2 maximum=0.2 mean=0.2", "c: activation f32[] minimum=0.0 maximum=0.0"
    ),
    "a gradient that is scaled: a share of the value is stopped": FEATURES.replace('b = mse_loss d t with={"target":1}', "b = mean d"),
    "a product of a stopped and an open value": FEATURES.replace("mul b @", "mul b a @"),
    "derivatives with a graph": GRAPHLESS.replace("carries=[false,false]", "carries=[true,false]"),
    "an adversarial example: derivatives that are added to the input": GRAPHLESS.replace("b = mean d", "e = add x d\n    b = linear e w"),
    "a weight from derivatives: it meets a term that trains": GRAPHLESS.replace("mul b @", "mul b a @"),
    "a number that weighs a term": LEFT.replace("mul b @", "mul b a @"),
    "a number of the data": LEFT.replace("leave h", "leave x"),
    "data alone": FEATURES.replace("detach h", "detach x"),
    "what is frozen": FEATURES.replace("detach h", "detach u").replace("    v: parameter", "    u: parameter f32[8,16]\n    v: parameter")
    + "    parameter u trainable=false\n",
    "nothing has a gradient, which other rules tell": FEATURES.replace("cross_entropy s y", "cross_entropy t y"),
}


@pytest.mark.parametrize(("text", "rule", "line"), TOLD.values(), ids=TOLD)
def test_a_term_that_trains_nothing_is_told_at_its_cut(text: str, rule: Rule, line: int) -> None:
    (diagnosis,) = said(rule, text)

    assert diagnosis.severity == "warning"
    assert "a term of the loss trains nothing" in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    told = [item for module in (detached, rebuilt_tensor, gradient_disabled, non_differentiable_op) for item in said(module.diagnose, text)]

    assert not [item for item in told if "trains nothing" in item.message]


def test_another_step_of_its_kind_that_has_the_term_open_settles_it() -> None:
    both = f"step 0{FEATURES}step 1{FEATURES.replace('detach h', 'copy h')}"

    assert not said(detached.diagnose, both)


def test_the_cut_is_opened_by_an_experiment_and_by_an_edit() -> None:
    (diagnosis,) = said(detached.diagnose, FEATURES)

    assert diagnosis.test is not None
    assert (diagnosis.test.intervention, diagnosis.test.required) == (Lift(("d",)), False)
    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line) for edit in diagnosis.remedy.edits] == [("unwrap", 6)]
    assert not diagnosis.remedy.safe


def test_tracking_that_is_off_is_switched_on_where_the_block_is_known() -> None:
    (unknown,) = said(gradient_disabled.diagnose, UNTRACKED)
    block = '! tracking at=3 with={"on":false} @ "train.py":6 text="    with torch.no_grad():"'
    (known,) = said(gradient_disabled.diagnose, UNTRACKED.replace("    b = norm w", f"    {block}\n    b = norm w"))

    assert unknown.test is not None
    assert unknown.test.intervention == Lift(("b",))
    assert unknown.remedy is None
    assert known.remedy is not None
    assert [(edit.action, edit.site.line) for edit in known.remedy.edits] == [("dissolve", 6)]


def test_what_has_no_derivative_can_not_be_opened() -> None:
    (diagnosis,) = said(non_differentiable_op.diagnose, DECIDED)

    assert (diagnosis.test, diagnosis.remedy) == (None, None)
