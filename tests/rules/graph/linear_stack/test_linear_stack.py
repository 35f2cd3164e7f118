"""WG319 on sketches: fires, is silent, and what its experiment is read as."""

import pytest

from sketch import said, sketch
from whygrad.flow.trials import judged
from whygrad.ir import Descend, Measures, Trial
from whygrad.rules.graph.linear_stack import diagnose

STACK = """
    x: input f32[64,2]
    y: label f32[64,1]
    w: parameter f32[32,2]
    v: parameter f32[1,32]
    h: activation f32[64,32]
    out: activation f32[64,1]
    h = linear x w module="fc1" @ "train.py":8:9-20
    out = linear h v module="fc2" @ "train.py":9:9-20
    loss = mse_loss out y with={"target":1} @ "train.py":10
    ! batch x y
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=0.7 gradient_norm=1.0 label_sensitivity=0.4
"""
SECOND = '    out = linear h v module="fc2"'
CONV = (
    STACK.replace("x: input f32[64,2]", "x: input f32[64,3,8,8]")
    .replace("w: parameter f32[32,2]", "w: parameter f32[8,3,3,3]")
    .replace("v: parameter f32[1,32]", "v: parameter f32[4,8,3,3]")
    .replace("h: activation f32[64,32]", "h: activation f32[64,8,8,8]")
    .replace("out: activation f32[64,1]", "out: activation f32[64,4,8,8]")
    .replace("y: label f32[64,1]", "y: label f32[64,4,8,8]")
    .replace("= linear", "= conv")
)

FIRES = {
    "two layers": STACK,
    "dropout between them": STACK.replace(SECOND, "    d = dropout h\n" + SECOND.replace("linear h", "linear d")),
    "batch normalisation between them": STACK.replace(SECOND, "    d = batch_norm h\n" + SECOND.replace("linear h", "linear d")),
    "as wide as the output": STACK.replace("f32[32,2]", "f32[2,2]").replace("f32[64,32]", "f32[64,2]").replace("f32[1,32]", "f32[1,2]"),
    "convolutions": CONV,
    "a bias added by itself": STACK.replace(
        "h = linear x w", 'b: parameter f32[32]\n    m: activation f32[64,32]\n    m = matmul x w @ "train.py":8:9-20\n    h = add m b'
    ),
}

SILENT = {
    "an activation between them": STACK.replace(SECOND, "    d = relu h\n" + SECOND.replace("linear h", "linear d")),
    "normalised by row between them": STACK.replace(SECOND, "    d = layer_norm h\n" + SECOND.replace("linear h", "linear d")),
    "a bottleneck, as in an adapter": STACK.replace("f32[64,2]", "f32[64,32]")
    .replace("f32[64,1]", "f32[64,16]")
    .replace("h: activation f32[64,32]", "h: activation f32[64,4]"),
    "read elsewhere as well": STACK.replace("    loss = mse_loss out y", "    s = add out h\n    loss = mse_loss s y"),
    "one layer": STACK.replace(SECOND, "    out = exp h"),
    "1×1 convolutions": CONV.replace("3,3,3]", "3,1,1]").replace("8,3,3]", "8,1,1]"),
    "depthwise, then at all channels": CONV.replace("w: parameter f32[8,3,3,3]", "w: parameter f32[8,1,3,3]"),
    "no labels to fit": STACK.replace("label_sensitivity=0.4", "label_sensitivity=0.0"),
    "shapes that are not known": STACK.replace("h: activation f32[64,32]", "h: activation"),
    "nothing happened": 'record program="train.py"',
}

LOSSES = (0.7, 0.5, 0.1)
VERDICTS = {
    "it helps": ((*LOSSES,), 0.65, 0.6, 0.65, "confirmed"),
    "it helps as much on permuted labels": ((*LOSSES,), 0.65, 0.1, 0.65, "refuted"),
    "it does not help": ((*LOSSES,), 0.1, 0.6, 0.65, "refuted"),
    "no number": ((0.7, float("nan")), 0.65, 0.6, 0.65, "inconclusive"),
    "infinite without": ((*LOSSES,), float("inf"), 0.6, 0.65, "inconclusive"),
    "a control that is no number": ((*LOSSES,), 0.65, float("nan"), 0.65, "inconclusive"),
    "losses below zero": ((*LOSSES,), -0.65, 0.6, 0.65, "inconclusive"),
}


@pytest.mark.parametrize("text", FIRES.values(), ids=FIRES)
def test_it_is_suspected(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.test is not None
    assert diagnosis.test.required
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("losses", "plain", "permuted", "permuted_plain", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_how_the_experiment_is_read(losses: tuple[float, ...], plain: float, permuted: float, permuted_plain: float, verdict: str) -> None:
    (diagnosis,) = diagnose.check(sketch(STACK))
    assert diagnosis.test is not None
    assert isinstance(diagnosis.test.intervention, Descend)
    figures = {"permuted": permuted, "permuted_plain": permuted_plain}
    trial = Trial(diagnosis.test.intervention, losses=losses, plain=(0.7, plain), figures=figures)

    assert judged(diagnosis.test, trial, Measures(reproduced=True)).verdict == verdict


def test_a_layer_of_keras_is_told_its_activation_where_it_is_made() -> None:
    text = STACK.replace('"fc1"', '"fc1" native="keras.layers.Dense"').replace('"fc2"', '"fc2" native="keras.layers.Dense"')

    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.text, edit.keyword) for edit in diagnosis.remedy.edits] == [("argument", '"relu"', "activation")]


def test_a_call_that_runs_the_whole_stack_is_not_wrapped() -> None:
    (diagnosis,) = said(diagnose, '    framework jax "0.10.2"\n' + STACK.replace('"train.py":9:9-20', '"train.py":8:9-20'))

    assert diagnosis.remedy is None
