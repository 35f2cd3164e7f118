"""WG111 on sketches: fires, is silent, and what its experiment is read as."""

import pytest

from sketch import said, sketch
from whygrad.flow.trials import judged
from whygrad.ir import Measures, Trial
from whygrad.rules.labels.future_leak import diagnose

TRIED = '    trial intervention={"type":"perturb","value":"ids","op":"flat","target":"y"} where=h figures={"shifted":1.0,"same":0.1,"leak":0.2,"control":0.0}\n'
TEXT = """
    ids: input i64[8,16] called="ids"
    y: label i64[128]
    e: parameter f32[20,32]
    o: parameter f32[20,32]
    x: activation f32[8,16,32]
    h: activation f32[8,16,32]
    s: activation f32[8,16,20]
    flat: activation f32[128,20]
    x = embedding ids e
    h = attention x x x @ "model.py":17
    s = linear h o
    flat = reshape s
    loss = cross_entropy flat y with={"target":1} @ "train.py":24
    ! batch ids y
    ! backward loss
    ! optimizer_step opt
    labels values=["y"] how="target"
    measures loss=2.9 gradient_norm=1.0 label_sensitivity=0.4
"""
LEAKS = TEXT + TRIED
WRITTEN_OUT = LEAKS.replace("h = attention x x x", 'q = matmul x x\n    p = softmax q @ "model.py":12\n    h = matmul p x')
MASKED = LEAKS.replace(
    "h = attention x x x",
    'm: activation bool[16,16]\n    k: activation f32[16,16]\n    k = create @ "model.py":5\n    m = cast k\n    h = attention x x x m',
)
RECURRENT = LEAKS.replace("h = attention x x x", 'h = rnn x ^ "model.py":9').replace(
    '^ "model.py":9 @ "model.py":17', '@ "model.py":17 ^ "model.py":9'
)

FIRES = {
    "asked for": (TEXT, 24),
    "attention": (LEAKS, 17),
    "attention that is written out": (WRITTEN_OUT, 12),
    "a mask that is wrong": (MASKED, 5),
    "a recurrent layer": (RECURRENT, 9),
    "ids that a library casts on their way": (
        TEXT.replace("x = embedding ids e", "c = cast ids\n    x = embedding c e").replace(
            "    x: act", "    c: activation f32[8,16]\n    x: act"
        ),
        24,
    ),
    "ids of another width": (TEXT.replace("ids: input i64", "ids: input i32"), 24),
    "all but the first position": (TEXT.replace("i64[128]", "i64[120]").replace("f32[128,20]", "f32[120,20]"), 24),
}

SILENT = {
    "labels of another number": TEXT.replace("y: label i64[128]", "y: label i64[8]"),
    "labels of another dtype": TEXT.replace("y: label i64[128]", "y: label f32[128]"),
    "data that a model reads as numbers": TEXT.replace("x = embedding ids e", "c = cast ids\n    x = linear c e").replace(
        "    x: act", "    c: activation f32[8,16]\n    x: act"
    ),
    "a short sequence": TEXT.replace("[8,16", "[3,3").replace("[128", "[9"),
    "the way to the prediction loses the positions": TEXT.replace("h: activation f32[8,16,32]", "h: activation f32[8,32]"),
    "the sequence comes from parameters": TEXT.replace("x = embedding ids e", "i = argmax e\n    x = embedding i e"),
    "not the next entries": LEAKS.replace('"shifted":1.0', '"shifted":0.4'),
    "no embedding": TEXT.replace("x = embedding ids e", "x = mul e e"),
    "nothing happened": 'record program="train.py"',
}

VERDICTS = {
    "it leaks": ({"shifted": 1.0, "same": 0.1, "leak": 0.2, "control": 0.0}, "confirmed"),
    "rounding": ({"shifted": 1.0, "same": 0.1, "leak": 1e-6, "control": 0.0}, "refuted"),
    "other rows change as much": ({"shifted": 1.0, "same": 0.1, "leak": 0.06, "control": 0.05}, "refuted"),
    "not the next entries": ({"shifted": 0.5, "same": 0.1, "leak": 0.2, "control": 0.0}, "inconclusive"),
    "a constant sequence": ({"shifted": 1.0, "same": 1.0, "leak": 0.2, "control": 0.0}, "inconclusive"),
    "no numbers": ({"shifted": 1.0, "same": 0.1, "leak": float("nan"), "control": 0.0}, "inconclusive"),
    "nothing measured": ({}, "inconclusive"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.test is not None
    assert diagnosis.test.required
    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize(("figures", "verdict"), VERDICTS.values(), ids=VERDICTS)
def test_how_the_experiment_is_read(figures: dict[str, float], verdict: str) -> None:
    (diagnosis,) = diagnose.check(sketch(TEXT))
    assert diagnosis.test is not None

    assert judged(diagnosis.test, Trial(diagnosis.test.intervention, figures=figures), Measures(reproduced=True)).verdict == verdict


def test_an_encoder_may_read_what_its_causal_decoder_writes() -> None:
    both = TEXT.replace(
        "    x = embedding ids e\n",
        "    src: input i64[8,16]\n    z: activation f32[8,16,32]\n    z = embedding src e\n    x = embedding ids e\n",
    ).replace("attention x x x", "attention x z z")
    encoder = TRIED.replace('"value":"ids"', '"value":"src"')
    decoder = TRIED.replace('"leak":0.2', '"leak":0.0')

    assert len(said(diagnose, both)) == 2
    assert not said(diagnose, both + encoder + decoder)
    assert len(said(diagnose, both + encoder + TRIED)) == 2
