"""WG112 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.labels.padding_used import diagnose

CAPTIONS = """
    tokens: input i64[32,40]
    i: activation i64[32,39]
    n: activation i64[32,39]
    y: label i64[1248] minimum=0 maximum=29 zeros=0.93
    e: parameter f32[30,24]
    w: parameter f32[30,24]
    h: activation f32[32,39,24]
    s: activation f32[32,39,30]
    f: activation f32[1248,30]
    i = index tokens
    h = embedding i e with={"padding_idx":0} @ "m.py":3
    s = linear h w @ "m.py":4
    n = index tokens
    f = reshape s
    y = reshape n
    loss = cross_entropy f y with={"target":1,"reduction":"mean","ignore_index":-100} @ "a.py":9
    labels values=["y"] how="target"
"""

POOLED = """
    ids: input i64[8,12]
    mask: input f32[8,12] minimum=0 maximum=1 zeros=0.4 whole=1
    e: parameter f32[30,24]
    w: parameter f32[24,3]
    h: activation f32[8,12,24]
    p: activation f32[8,24]
    s: activation f32[8,3]
    y: label i64[8] minimum=0 maximum=2
    h = embedding ids e @ "m.py":3
    p = mean h with={"axis":1} @ "m.py":4
    s = linear p w @ "m.py":5
    loss = cross_entropy s y with={"target":1} @ "a.py":9
    scope Net.forward arguments={"ids":"ids","mask":"mask"} unread=["mask"] @ "m.py":2
    labels values=["y"] how="target"
"""

BY_ENTRY = (
    CAPTIONS.replace('"reduction":"mean","ignore_index":-100', '"reduction":"none"')
    .replace("loss = cross_entropy f y", "each = cross_entropy f y")
    .replace("    f: activation", "    each: activation f32[1248]\n    f: activation")
    .replace("    labels values", '    loss: loss f32[]\n    loss = mean each @ "a.py":10\n    labels values')
)

FIRES = {
    "a loss for each entry, and the plain mean of them": (BY_ENTRY, 9),
    "ids that Keras casts on their way": (
        CAPTIONS.replace("h = embedding i e", "c = cast i\n    h = embedding c e").replace(
            "    h: act", "    c: activation f32[32,39]\n    h: act"
        ),
        9,
    ),
    "a mean that leaves a mask unread": (POOLED, 4),
    "a maximum": (POOLED.replace("p = mean", "p = max"), 4),
    "captions": (CAPTIONS, 9),
    "where the loss was made": (CAPTIONS.replace('@ "a.py":9', '@ "a.py":9 ^ "a.py":4'), 4),
    "a negative log-likelihood": (CAPTIONS.replace("cross_entropy", "nll_loss"), 9),
    "a sum": (CAPTIONS.replace('"reduction":"mean"', '"reduction":"sum"'), 9),
}

SILENT = {
    "a loss for each entry, masked before the mean": BY_ENTRY.replace("loss = mean each", "m = mul each y\n    loss = mean m").replace(
        "    loss: loss", "    m: activation f32[1248]\n    loss: loss"
    ),
    "Keras' losses, which read the mask of the layers": CAPTIONS.replace(
        "f y with", 'f y native="keras.losses.sparse_categorical_crossentropy" with'
    ),
    "a mask that is read": POOLED.replace('unread=["mask"]', ""),
    "a mask that takes nothing out": POOLED.replace("minimum=0 maximum=1 zeros=0.4", "minimum=1 maximum=1 zeros=0"),
    "an argument that is no mask": POOLED.replace("maximum=1 zeros=0.4 whole=1", "maximum=7 zeros=0.4 whole=1"),
    "an argument without figures": POOLED.replace(" minimum=0 maximum=1 zeros=0.4 whole=1", ""),
    "padding found by comparison": POOLED.replace("h = emb", "c = compare ids\n    g = where c ids\n    h = emb").replace(
        "embedding ids", "embedding g"
    ),
    "an embedding that gives padding zeros": POOLED.replace("h = embedding ids e", 'h = embedding ids e with={"padding_idx":0}'),
    "a prediction for each position": POOLED.replace("p = mean h", "p = linear h").replace(
        "p: activation f32[8,24]", "p: activation f32[8,12,24]"
    ),
    "ignored": CAPTIONS.replace("-100", "0"),
    "masked afterwards": CAPTIONS.replace('"reduction":"mean"', '"reduction":"none"'),
    "hardly any padding": CAPTIONS.replace("zeros=0.93", "zeros=0.05"),
    "no padding id is known": CAPTIONS.replace('with={"padding_idx":0}', ""),
    "another padding id": CAPTIONS.replace('"padding_idx":0', '"padding_idx":3'),
    "labels of another kind": CAPTIONS.replace("n = index tokens", "n = index e"),
    "no figures": CAPTIONS.replace(" minimum=0 maximum=29 zeros=0.93", ""),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_padding_that_counts(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


def test_the_help_for_a_loss_by_entry_is_a_mean_of_what_counts() -> None:
    (diagnosis,) = said(diagnose, BY_ENTRY.replace("each: activation f32[1248]", 'each: activation f32[1248] called="losses"'))

    assert diagnosis.help == "take the mean of what counts alone: `losses[y != 0].mean()`"


TAGGED = """
    step 0
      x: input i32[32,40] minimum=0 maximum=59 zeros=0.916 distinct=50
      y: label i32[32,40] minimum=0 maximum=4 zeros=0.916 distinct=5
      e: parameter f32[60,16]
      w: parameter f32[16,5]
      h: activation f32[32,40,16]
      s: activation f32[32,40,5]
      h = embedding x e @ "m.py":3
      s = linear h w @ "m.py":4
      loss = cross_entropy s y with={"target":1,"reduction":"mean","ids":true} @ "a.py":9
      labels values=["y"] how="framework"
"""


def tagged(first: str = TAGGED, second: str = TAGGED.replace("0.916", "0.907")) -> str:
    """Two recorded batches."""
    return first + second.replace("step 0", "step 1")


def test_labels_that_are_zero_where_the_ids_are_may_be_padding():
    (told,) = said(diagnose, tagged())

    assert told.confidence == "suspected"
    assert told.site is not None
    assert told.site.line == 3


def test_a_loss_for_each_entry_that_is_averaged_whole_counts_them_too():
    first, second = (
        text.replace("      loss = cross_entropy", "      each = cross_entropy")
        .replace('"reduction":"mean"', '"reduction":"none"')
        .replace("      labels values", '      loss = mean each @ "a.py":10\n      labels values')
        for text in (TAGGED, TAGGED.replace("0.916", "0.907"))
    )

    assert len(said(diagnose, tagged(first, second))) == 1
    assert not said(diagnose, tagged(first, second.replace("mean each", "sum each")))


OTHERWISE = {
    "other shares in a batch": (
        "distinct=5",
        "distinct=5",
        "y: label i32[32,40] minimum=0 maximum=4 zeros=0.907",
        "y: label i32[32,40] minimum=0 maximum=4 zeros=0.911",
    ),
    "a loss that is given a mask": (
        "cross_entropy s y with",
        "cross_entropy s y x with",
        "cross_entropy s y with",
        "cross_entropy s y x with",
    ),
    "an embedding that knows its padding": ("embedding x e @", 'embedding x e with={"padding_idx":0} @') * 2,
    "an ignored id": ('"ids":true', '"ids":true,"ignore_index":0') * 2,
    "a loss for each entry": ('"reduction":"mean"', '"reduction":"none"') * 2,
    "ids that are given back": (
        "maximum=4 zeros=0.916 distinct=5",
        "maximum=59 zeros=0.916 distinct=50",
        "maximum=4 zeros=0.907 distinct=5",
        "maximum=59 zeros=0.907 distinct=50",
    ),
    "a half of zeros": ("zeros=0.916", "zeros=0.5", "zeros=0.907", "zeros=0.51"),
    "rows that all have the same few marks": ("distinct=5", "distinct=5", "0.907", "0.916"),
}


@pytest.mark.parametrize("change", OTHERWISE.values(), ids=OTHERWISE)
def test_zeros_that_are_no_padding_or_do_not_count_are_fine(change):
    second = TAGGED.replace("0.916", "0.907")

    assert not said(diagnose, tagged(TAGGED.replace(*change[:2]), second.replace(*change[2:])))


LAST = """
    ids: input i64[20,60] minimum=0 maximum=40 zeros=0.73
    e: parameter f32[41,16]
    w: parameter f32[64,16]
    v: parameter f32[1,32]
    h: activation f32[20,60,16]
    o: activation f32[20,60,32]
    n: activation f32[1,20,32]
    last: activation f32[20,32]
    s: activation f32[20,1]
    y: label f32[20,1] minimum=0 maximum=1
    h = embedding ids e with={"padding_idx":0} @ "m.py":3
    o, n = rnn h w with={"sequence_axis":1} @ "m.py":4
    last = index o @ "m.py":5
    s = linear last v @ "m.py":6
    loss = bce_with_logits s y with={"target":1} @ "a.py":9
    labels values=["y"] how="target"
    ! backward loss @ "a.py":10
    trial intervention={"type":"reword","value":"ids","op":"s"} figures={"behind":1e-7,"before":0.7,"rows":16.0,"of":20.0}
"""
FINAL = LAST.replace('    last = index o @ "m.py":5\n', "").replace("s = linear last v", "s = linear n v")
FALLS = '\ncourse steps=160 start=0.7 first=0.7 last=0.2 lowest=0.2 highest=0.8 @ "a.py":10\n'


SCANNED = (
    LAST.replace(
        '    o, n = rnn h w with={"sequence_axis":1}',
        '    t = transpose h\n    n, o = opaque w t native="jax.numpy.scan" with={"sequence_axis":0,"sequence":1}',
    )
    .replace("    h: activation", "    t: activation f32[60,20,16]\n    h: activation")
    .replace("o: activation f32[20,60,32]\n    n: activation f32[1,20,32]", "o: activation f32[60,20,32]\n    n: activation f32[20,32]")
)


@pytest.mark.parametrize(
    ("text", "line"), [(LAST, 5), (FINAL, 4), (SCANNED, 5)], ids=["the last position", "the final state", "a loop over the positions"]
)
def test_a_state_behind_the_padding(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line
    assert "in 16 of 20 rows" in diagnosis.evidence[1].statement
    assert diagnosis.test is not None


@pytest.mark.parametrize(
    "text",
    [
        LAST.replace("zeros=0.73", "zeros=0.1"),
        SCANNED.replace("last = index o", "last = max o"),
        LAST.replace("zeros=0.73", 'zeros="nan"'),
        LAST.replace('"rows":16.0', '"rows":4.0'),
        LAST.replace(' with={"sequence_axis":1}', ""),
        LAST.replace("last = index o", "last = mean o"),
        FALLS + LAST,
    ],
    ids=["little padding", "the largest of all states", "no figures", "few rows", "packed", "a mean", "a loss that falls far"],
)
def test_states_that_are_read_well(text: str) -> None:
    assert not said(diagnose, text)
