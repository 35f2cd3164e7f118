"""WG311 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.rules.graph.constant_loss import diagnose

SWAPPED = """
    w: parameter f32[8,8]
    x: input f32[32,8] differentiable=true called="signal"
    y: label f32[32,8] called="reference"
    out = linear x w @ "train.py":13
    loss = mse_loss x y @ "losses.py":6
"""
REFUSED = 'raised type="RuntimeError" message="element 0 of tensors does not require grad and does not have a grad_fn"\n'

FIRES = {
    "the input in place of the prediction": (SWAPPED, 6),
    "nothing differentiable": (REFUSED + SWAPPED.replace(" differentiable=true", ""), 6),
    "labels compared with themselves": (SWAPPED.replace("mse_loss x y", "mse_loss y y").replace(" differentiable=true", ""), 6),
    "a fresh tensor that requires a gradient": (
        SWAPPED.replace("loss = mse_loss x y", 'c = create native="torch.zeros"\n    loss = sum c').replace(" differentiable=true", ""),
        6,
    ),
    "hand-written, no loss function": (SWAPPED.replace("loss = mse_loss x y", 'd = sub x y @ "losses.py":5\n    loss = mean d'), 5),
    "a sum that is divided in another line": (
        SWAPPED.replace(
            "loss = mse_loss x y",
            'd = mul y y @ "losses.py":4\n    s = sum d @ "losses.py":4\n    n = neg s @ "losses.py":4\n    loss = div n',
        ),
        4,
    ),
    "an average of what another function made": (
        SWAPPED.replace("loss = mse_loss x y", 'd = sub x y @ "losses.py":2 in "each"\n    loss = mean d'),
        6,
    ),
}

CALLED = SWAPPED.replace(
    'out = linear x w @ "train.py":13',
    'out = linear x w @ "net.py":7 in "Net.call" callers=[["train.py",13,"step","    restored = net(noisy)"]]',
).replace(
    'loss = mse_loss x y @ "losses.py":6',
    'loss = mse_loss x y @ "losses.py":6 in "error" callers=[["train.py",LINE,"step","    loss = error(x, y)"]]',
)
FIRES["a function of the loss that was given something else"] = (CALLED.replace("LINE", "15"), 15)
FIRES["the line makes the layer, and calls nothing"] = (
    CALLED.replace("LINE", "15").replace('restored = net(noisy)"]]', 'restored = net(noisy)"]] ^ "train.py":13 in "step"', 1), 6,
)  # fmt: skip
FIRES["the model runs after the loss"] = (CALLED.replace("LINE", "11"), 6)
FIRES["the model's output is read by something else"] = (
    CALLED.replace("LINE", "15").replace("    loss = mse", '    m = mean out @ "train.py":14\n    loss = mse'), 6,
)  # fmt: skip

SILENT = {
    "an ordinary step": SWAPPED.replace("mse_loss x y", "mse_loss out y"),
    "a latent that an optimizer holds": 'optimizer opt orphans=["f32[32,8]"]\ngroup parameters=["w"]\n' + SWAPPED,
    "the gradient of an input, no optimizer": "optimizer none\n" + SWAPPED,
    "no parameters at all": SWAPPED.replace("w: parameter", "w: constant"),
    "nothing is differentiated": SWAPPED + "! optimizer_step opt\n",
}

ANOTHERS = {
    "detached": SWAPPED.replace("loss = mse_loss x y", "d = detach out\n    loss = mse_loss d y"),
    "made of numbers that left": SWAPPED.replace("loss = mse_loss x y", "n = leave out\n    loss = enter n"),
    "reckoned with outside": SWAPPED.replace("loss = mse_loss x y", "n = leave out\n    loss = enter"),
    "frozen": SWAPPED.replace("mse_loss x y", "mse_loss out y") + 'parameter w value=w trainable=false optimizer="opt" reached=true\n',
    "no_grad": SWAPPED.replace("linear x w", "linear x w tracking=false").replace("mse_loss x y", "mse_loss out y"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_the_line_that_makes_the_loss(text: str, line: int) -> None:
    (found,) = said(diagnose, text, steps=2)

    assert (found.rule, found.severity, found.site and found.site.line) == ("WG311", "error", line)
    assert found.facts == {Fact("constant-loss", "0")}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_healthy_programs_hear_nothing(text: str) -> None:
    assert said(diagnose, text) == []


@pytest.mark.parametrize("text", ANOTHERS.values(), ids=ANOTHERS)
def test_what_belongs_to_another_rule_is_left_to_it(text: str) -> None:
    assert said(diagnose, text) == []


def test_it_says_what_the_loss_was_made_of() -> None:
    (found,) = said(diagnose, SWAPPED)

    assert found.message == "`loss` depends on no parameter: it was computed from `signal` and `reference`"


FIGURES = "minimum=-1.0 maximum=2.0 mean=0.1 std=0.5 norm=4.0"
AROUND = f"""
    framework jax "0.10.2"
    optimizer opt native="SGD"
    group rate=0.1 parameters=["w"]
    w: parameter f32[8,8] {FIGURES}
    v: input f32[8,8] {FIGURES}
    x: input f32[32,8]
    y: label f32[32,8]
    out = matmul x v @ "net.py":13 in "forward" callers=[["train.py",20,"loss_fn","    out = forward(state.params, x)"]]
    loss = mse_loss out y @ "train.py":21 in "loss_fn"
    ! backward loss
    parameter w value=w optimizer="opt" gradient="zero"
"""


def test_parameters_that_are_read_from_around_the_function_are_told_where_they_are_read() -> None:
    (found,) = said(diagnose, AROUND)

    assert found.site is not None
    assert (found.site.file, found.site.line) == ("train.py", 20)
    assert "from outside of the function" in found.message


DRAWN = """
    measures loss=0.03
    w: parameter f32[]
    x: input f32[200]
    y: label f32[25]
    curve = opaque w x native="jax.numpy.scan" @ "model.py":21
    loss = mse_loss curve y @ "train.py":25
    ! backward loss
    parameter w value=w optimizer="opt" reached=true gradient="zero" gradient_norm=0.0
    ending w changed=false gradient_seen=true
"""


def test_gradients_of_zero_all_over_are_told_at_what_could_not_be_looked_into() -> None:
    (found,) = said(diagnose, DRAWN)

    assert found.site is not None
    assert (found.rule, found.site.file, found.site.line) == ("WG311", "model.py", 21)
    assert "exactly 0" in found.message


CANCELS = DRAWN.replace('curve = opaque w x native="jax.numpy.scan" @ "model.py":21', "curve = mul w x").replace(
    "    curve", "    curve: activation f32[25]\n    curve", 1
)


@pytest.mark.parametrize(("norm", "level"), [("0.0", True), ("1.5", False), ('"nan"', False)])
def test_at_zeros_the_parts_of_a_loss_may_cancel_one_another_and_nothing_is_called_flat(norm: str, *, level: bool) -> None:
    (found,) = said(diagnose, CANCELS.replace("gradient_norm=0.0", f"gradient_norm=0.0 norm={norm}"))

    assert ("is level where it begins: with `w` all zeros" in found.message) == level
    assert ("start them from small random numbers" in found.help) == level


LEARNS = {
    "a gradient": DRAWN.replace('"zero"', '"finite"'),
    "a loss of 0": DRAWN.replace("loss=0.03", "loss=0.0"),
    "a loss that is no number": DRAWN.replace("loss=0.03", 'loss="nan"'),
    "what moved later": DRAWN.replace("changed=false", "changed=true"),
}


@pytest.mark.parametrize("text", LEARNS.values(), ids=LEARNS)
def test_what_has_a_gradient_or_nothing_left_to_learn_is_not_flat(text: str) -> None:
    assert not said(diagnose, text)


OTHER = {
    "other figures": AROUND.replace(f"v: input f32[8,8] {FIGURES}", f"v: input f32[8,8] {FIGURES.replace('4.0', '4.1')}"),
    "numbers that are all one": AROUND.replace("std=0.5", "std=0.0"),
    "figures that are no numbers": AROUND.replace("norm=4.0", 'norm="nan"'),
    "nothing known of them": AROUND.replace(FIGURES, ""),
}


@pytest.mark.parametrize("text", OTHER.values(), ids=OTHER)
def test_what_is_not_known_to_be_a_parameter_is_not_called_one(text: str) -> None:
    (found,) = said(diagnose, text)

    assert "depends on no parameter" in found.message


def test_the_function_reads_its_own_argument() -> None:
    (found,) = said(diagnose, AROUND)

    assert found.remedy is not None
    assert [(edit.action, edit.site.line) for edit in found.remedy.edits] == [("own", 20)]


NOISY = """
    w: parameter f32[8,8]
    x: input f32[32,8] called="noisy"
    y: label f32[32,8] called="clean"
    out: activation f32[32,8] called="self.net(x)"
    out = linear x w @ "model.py":5 callers=[["train.py",13,"step","    restored = model(noisy)"]]
    loss = mse_loss x y with={"target":1} native="torch.nn.functional.mse_loss" @ "train.py":14:12-30 in "step"
"""


def test_what_the_model_gave_and_nothing_reads_is_what_was_to_be_compared() -> None:
    (found,) = said(diagnose, NOISY)

    assert found.remedy is not None
    assert [(edit.action, edit.text, edit.position, edit.written) for edit in found.remedy.edits] == [("wrap", "restored", 0, "noisy")]
    assert not found.remedy.safe


@pytest.mark.parametrize(
    "text",
    [
        NOISY.replace("out: activation f32[32,8]", "out: activation f32[32,9]"),
        NOISY.replace("    restored = ", "    return "),
        NOISY.replace('["train.py",13', '["train.py",15'),
        NOISY.replace("mse_loss x y with", "mean x with"),
        NOISY.replace('with={"target":1}', 'with={"target":1,"parts":["sub","mean"]}'),
        NOISY.replace("    loss =", "    seen = mean out\n    loss ="),
    ],
    ids=["of another shape", "without a name", "made later", "a mean alone", "a loss written out", "read by something"],
)
def test_another_output_is_not_taken_for_it(text: str) -> None:
    (found,) = said(diagnose, text)

    assert found.remedy is None
