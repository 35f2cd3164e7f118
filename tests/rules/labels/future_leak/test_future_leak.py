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
    "a mask that is wrong, as a row of a batch": (
        MASKED.replace(
            'k = create @ "model.py":5', 'b: activation f32[16,16]\n    b = sub k k @ "model.py":4\n    k = create @ "model.py":3'
        ).replace("m = cast k", 'c: activation f32[1,16,16]\n    c = index b @ "model.py":5\n    m = cast c'),
        4,
    ),
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


def told(kind: str, text: str, *library: tuple[str, str]) -> str:
    """The sketch with its attention at this line, reached through these functions of a library."""
    frames = ",".join(f'["/site-packages/{file}",1,"{function}"]' for file, function in library)
    return LEAKS.replace(
        'h = attention x x x @ "model.py":17', f'h = attention x x x native="{kind}" @ "model.py":17:13-26 text="{text}" library=[{frames}]'
    )


HEADS = ("torch/nn/modules/activation.py", "MultiheadAttention.forward")
LAYER = ("torch/nn/modules/transformer.py", "TransformerEncoderLayer.forward")
SPOKEN = "torch.nn.functional.multi_head_attention_forward"

EDITED = {
    "a layer of PyTorch's": (told(SPOKEN, "        h = self.layer(h)", LAYER, HEADS), "src_mask", "generate_square_subsequent_mask({0}.size(0)"),
    "an attention of PyTorch's": (told(SPOKEN, "        h, _ = self.heads(h, h, h)", HEADS), "attn_mask", "({0}.size(0)"),
    "a function of PyTorch's": (
        told("torch.nn.functional.scaled_dot_product_attention", "        h = F.scaled_dot_product_attention(q, k, v)"), "is_causal", "True",
    ),
    "a function of JAX'": (told("jax.nn.dot_product_attention", "    h = jax.nn.dot_product_attention(q, k, v)"), "is_causal", "True"),
    "a layer of flax'": (
        told("flax.linen.dot_product_attention", "    h = self.heads(h)", ("x/flax/linen/attention.py", "SelfAttention.__call__")),
        "mask", "flax.linen.make_causal_mask({0}[..., 0])",
    ),
    "a layer of flax nnx": (
        told("flax.nnx.dot_product_attention", "    h = self.heads(h)", ("x/flax/nnx/attention.py", "MultiHeadAttention.__call__")),
        "mask", "flax.nnx.make_causal_mask({0}[..., 0])",
    ),
    "a layer of Keras'": (
        told("keras.ops.softmax", "        h = self.heads(h, h)", ("x/keras/src/multi_head_attention.py", "MultiHeadAttention.call")),
        "use_causal_mask", "True",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "keyword", "value"), EDITED.values(), ids=EDITED)
def test_the_librarys_attention_is_told(text: str, keyword: str, value: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is not None
    (edit,) = diagnosis.remedy.edits
    assert (edit.action, edit.keyword) == ("argument", keyword)
    assert value in edit.text


def test_scores_that_are_written_out_are_hidden_before_the_softmax() -> None:
    (diagnosis,) = said(diagnose, WRITTEN_OUT)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line) for edit in diagnosis.remedy.edits] == [("wrap", 12)]


@pytest.mark.parametrize(
    ("line", "keyword", "text"),
    [("m = torch.tril(torch.ones(t, t), diagonal=1)", "diagonal", ""), ("m = jnp.tril(jnp.ones((t, t)), 1)", "", "0")],
)
def test_a_mask_that_begins_a_position_later_begins_at_the_diagonal(line: str, keyword: str, text: str) -> None:
    (diagnosis,) = said(diagnose, MASKED.replace('@ "model.py":5', f'@ "model.py":5 text="{line}"'))

    assert diagnosis.remedy is not None
    assert [(edit.keyword, edit.text) for edit in diagnosis.remedy.edits] == [(keyword, text)]


@pytest.mark.parametrize(
    "text",
    [
        LEAKS,
        MASKED,
        MASKED.replace('@ "model.py":5', '@ "model.py":5 text="m = torch.tril(torch.ones(t, t))"'),
        RECURRENT,
        told("keras.ops.softmax", "h = MultiHeadAttention(2, 8)(h, h)", ("x/keras/src/a.py", "MultiHeadAttention.call")),
    ],
    ids=["a function of its own", "a mask of its own", "a mask without a shift", "a recurrent layer", "a layer made on the line"],
)
def test_no_edit_where_it_can_not_be_said(text: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.remedy is None


def test_what_a_mask_of_unknown_make_does_not_hide_is_hidden_before_the_softmax() -> None:
    masked = WRITTEN_OUT.replace("p = softmax q", "g = where m q\n    p = softmax g").replace(
        "    q = matmul", "    m: buffer f32[16,16]\n    q = matmul"
    )
    (diagnosis,) = said(diagnose, masked)

    assert diagnosis.remedy is not None
    assert [(edit.action, edit.site.line, "triu" in edit.text) for edit in diagnosis.remedy.edits] == [("wrap", 12, True)]
