"""WG205 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
from whygrad.ir import Bypass
from whygrad.rules.loss.probabilities_for_logits import diagnose

TWICE = """
    x: input f32[32,8]
    y: label i64[32]
    w: parameter f32[5,8]
    probs: activation f32[32,5] minimum=0.01 maximum=0.9
    scores = linear x w @ "train.py":30
    probs = softmax scores with={"axis":1} @ "train.py":31
    loss = cross_entropy probs y with={"target":1} @ "train.py":51
    labels values=["y"] how="target"
"""

FOCAL = """
    x: input f32[40,3]
    y: label f32[40,1]
    w: parameter f32[1,3]
    inputs = linear x w @ "train.py":27
    probs = sigmoid inputs @ "focal.py":12
    bce = bce_with_logits probs y with={"target":1,"reduction":"none"} @ "focal.py":13
    pt = mul probs y @ "focal.py":14
    weighted = mul pt bce @ "focal.py":16
    loss = mean weighted @ "focal.py":18
    labels values=["y"] how="target"
"""

FIRES = {
    "softmax before cross-entropy": (TWICE, 31),
    "sigmoid before the loss on logits": (TWICE.replace("softmax", "sigmoid").replace("cross_entropy", "bce_with_logits"), 31),
    "the probabilities are needed elsewhere": (FOCAL, 13),
    "through a view and a cast": (
        TWICE.replace("loss = cross_entropy probs", "a = reshape probs\n    b = cast a\n    loss = cross_entropy b"),
        31,
    ),
    "the last step of a sequence": (TWICE.replace("loss = cross_entropy probs", "a = index probs\n    loss = cross_entropy a"), 31),
    "sigmoid before a softmax": (TWICE.replace("softmax scores", "sigmoid scores"), 31),
    "a metric reads the probabilities as well": (TWICE.replace("loss =", "hit = argmax probs\n    loss ="), 31),
    "the loss raised": (TWICE.replace("loss = cross_entropy probs y", "= cross_entropy probs y failed=true"), 31),
}

SILENT = {
    "scores": TWICE.replace("cross_entropy probs", "cross_entropy scores"),
    "log-probabilities": TWICE.replace("probs = softmax", "probs = log_softmax"),
    "the logarithm of probabilities": TWICE.replace("loss = cross_entropy probs", "a = log probs\n    loss = cross_entropy a"),
    "rescaled probabilities": TWICE.replace("loss = cross_entropy probs", "a = mul probs\n    loss = cross_entropy a"),
    "attention weights inside the model": TWICE.replace("loss = cross_entropy probs", "a = matmul probs w\n    loss = cross_entropy a"),
    "soft targets": TWICE.replace("cross_entropy probs y", "cross_entropy scores probs"),
    "a loss that does not reach the backward": TWICE.replace("loss = cross_entropy probs y", "e = cross_entropy probs y").replace(
        '@ "train.py":51', '@ "train.py":51\n    loss = mean scores'
    ),
    "a target alone": TWICE.replace("cross_entropy probs y", "cross_entropy y").replace('{"target":1}', '{"target":0}'),
}

OTHERS = {
    "a loss on probabilities": TWICE.replace("cross_entropy", "binary_cross_entropy"),
    "probabilities as log-probabilities (WG206)": TWICE.replace("cross_entropy", "nll_loss"),
    "a squared error on probabilities": TWICE.replace("cross_entropy", "mse_loss"),
    "ReLU before the loss (WG217)": TWICE.replace("probs = softmax", "probs = relu"),
    "tanh before the loss (WG217)": TWICE.replace("probs = softmax", "probs = tanh"),
    "Keras' loss on probabilities": TWICE.replace("cross_entropy", "categorical_cross_entropy"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_an_activation_that_the_loss_applies_again(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text, steps=2)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert diagnosis.severity == "warning"


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule(text: str) -> None:
    assert not said(diagnose, text)


def test_the_experiment_leaves_the_activation_out() -> None:
    trial = 'measures gradient_norm=0.2\n    trial intervention={"type":"bypass","ops":["probs"]} gradient_norm=0.83'

    (diagnosis,) = said(diagnose, TWICE + "    " + trial)

    assert diagnosis.test is not None
    assert diagnosis.test.intervention == Bypass(("probs",))
    assert [evidence.statement for evidence in diagnosis.evidence] == [
        "`cross_entropy` expects raw scores and is given values between 0.01 and 0.9",
        "replayed without this `softmax`, the gradient norm is 0.83, with it 0.2",
    ]


@pytest.mark.parametrize(("norm", "explained"), [(0.83, True), (0.3, False)])
def test_a_gradient_that_is_much_larger_without_explains_a_loss_that_stands(norm: float, explained: bool) -> None:
    trial = f'measures gradient_norm=0.2\n    trial intervention={{"type":"bypass","ops":["probs"]}} gradient_norm={norm}'

    (diagnosis,) = said(diagnose, TWICE + "    " + trial)

    assert (Fact("stands", "0") in diagnosis.explains) is explained


def test_a_trial_without_a_figure_is_not_cited() -> None:
    trial = 'trial intervention={"type":"bypass","ops":["probs"]} gradient_norm="nan"'

    (diagnosis,) = said(diagnose, TWICE.replace("minimum=0.01", 'minimum="nan"') + "    " + trial)

    assert [evidence.statement for evidence in diagnosis.evidence] == [
        "`cross_entropy` expects raw scores and is given the output of `softmax`"
    ]
