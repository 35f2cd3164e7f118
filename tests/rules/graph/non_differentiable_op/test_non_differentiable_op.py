"""WG304 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.non_differentiable_op import diagnose

ROUTER = """
    router: parameter f32[8,6]
    table: parameter f32[8,5]
    x: input f32[4,6]
    s = linear x router @ "train.py":25
    i = argmax s native="torch.Tensor.argmax" @ "train.py":26
    code = embedding i table carries=[false,true] @ "train.py":26
    loss = mean code
"""
JOINT = """
    trunk: parameter f32[6,6]
    classes: parameter f32[4,6]
    x: input f32[8,6]
    y: label i64[8]
    labels values=["y"] how="operand"
    h = linear x trunk
    recon = mse_loss h x
    s = linear h classes
    i = argmax s native="torch.Tensor.argmax" @ "joint.py":20
    wrong = compare i y @ "joint.py":20
    f = cast wrong @ "joint.py":20
    term = mean f @ "joint.py":20
    loss = add recon term carries=[true,false] @ "joint.py":21
"""
ROUNDED = """
    w: parameter f32[1,4]
    x: input f32[8,4]
    y: label f32[8]
    out = linear x w
    r = round out native="torch.Tensor.round" @ "train.py":18
    loss = mse_loss r y @ "train.py":38
    parameter w value=w optimizer="opt" reached=true gradient="zero" gradient_norm=0.0 gradient_at_update="zero"
    ending w changed=false gradient_seen=true
"""

FIRES = {
    "argmax into a table": (ROUTER, 26, ("router",)),
    "error rate as a second term": (JOINT, 20, ("classes",)),
    "rounded output: exact zeros": (ROUNDED, 18, ("w",)),
    "thresholded overlap": (
        """
        raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn"
        w: parameter f32[1,4]
        x: input f32[8,4]
        y: label f32[8]
        out = linear x w
        p = sigmoid out
        b = compare p native="torch.gt" @ "dice.py":13
        f = cast b @ "dice.py":13
        o = mul f y
        loss = mean o
        """,
        13,
        ("w",),
    ),
    "indices of a sort": (
        """
        w: parameter f32[1,4]
        v: parameter f32[9,2]
        x: input f32[8,4]
        out: activation f32[8]
        top: activation f32[3]
        at: activation i64[3]
        out = linear x w
        top, at = sort out native="torch.topk" @ "train.py":8
        rows = index v at carries=[true,false]
        loss = mean rows
        parameter w value=w optimizer="opt" reached=true gradient="none"
        parameter v value=v optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
        """,
        8,
        ("w",),
    ),
    "a call that drops the history": (
        """
        w: parameter f32[1,4]
        v: parameter f32[1,1]
        x: input f32[8,4]
        out = linear x w
        q = opaque out native="fastlib.quantise" carries=[false] @ "train.py":8
        p = linear q v carries=[false,true]
        loss = mean p
        """,
        8,
        ("w",),
    ),
}

SILENT = {
    "straight through": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        z = linear x w
        r = round z
        e = sub r z
        d = detach e
        s = add z d
        loss = mean s
    """,
    "accuracy beside the loss": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        y: label i64[8]
        s = linear x w
        i = argmax s
        c = compare i y
        a = mean c
        loss = cross_entropy s y
    """,
    "mixture of experts weighted by its gate": ROUTER.replace("loss = mean code", "p = softmax s\n    m = mul code p\n    loss = mean m"),
    "a threshold over a ReLU-like branch": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        s = linear x w
        c = compare s
        o = where c s x carries=[false,true,false]
        loss = mean o
    """,
    "one-hot labels": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        y: label i64[8]
        t = one_hot y
        s = linear x w
        loss = mse_loss s t
    """,
    "zeros of a dead unit": """
        w: parameter f32[1,4]
        x: input f32[8,4]
        s = linear x w
        r = relu s
        loss = mean r
        parameter w value=w optimizer="opt" reached=true gradient="zero" gradient_norm=0.0
    """,
}

ANOTHERS = {
    "detached before it is decided": ROUTER.replace("i = argmax s", "d = detach s\n    i = argmax d"),
    "left and rebuilt": ROUTER.replace('i = argmax s native="torch.Tensor.argmax"', "n = leave s\n    i = enter n"),
    "no_grad": ROUTER.replace("linear x router", "linear x router tracking=false"),
    "frozen": ROUTER
    + """
        parameter router value=router trainable=false optimizer="opt" reached=true
        parameter table value=table optimizer="opt" reached=true gradient="finite" gradient_norm=1.0
    """,
    "a policy that nobody holds": 'optimizer opt native="SGD" steps=2\ngroup rate=0.1 parameters=["table"]\n' + ROUTER,
    "never read": """
        w: parameter f32[1,4]
        v: parameter f32[1,4]
        x: input f32[8,4]
        out = linear x w
        loss = mean out
    """,
}


@pytest.mark.parametrize(("text", "line", "names"), FIRES.values(), ids=FIRES)
def test_the_op_is_named_where_it_stands(text: str, line: int, names: tuple[str, ...]) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.confidence) == ("WG304", "error", "proved")
    assert found.site is not None
    assert (found.site.line, found.names) == (line, names)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_missing_and_zero_derivatives_are_told_apart() -> None:
    (missing,), (zero,) = said(diagnose, ROUTER), said(diagnose, ROUNDED)

    assert missing.message == "`router` gets no gradient: `argmax` has no derivative, and every path to `loss` passes it"
    assert zero.message == "`w` gets no gradient: the derivative of `round` is zero everywhere, and every path to `loss` passes it"
    assert zero.evidence[0].statement == "the gradient of `w` is exactly 0 after backward"


def test_labels_behind_the_cut_explain_that_they_have_no_effect() -> None:
    (found,) = said(diagnose, JOINT)

    assert Fact("insensitive", "0") in found.explains


def test_only_rounding_is_worth_letting_through() -> None:
    (hard,), (rounded,) = said(diagnose, ROUTER), said(diagnose, ROUNDED)

    assert hard.test is None
    assert rounded.test is not None
