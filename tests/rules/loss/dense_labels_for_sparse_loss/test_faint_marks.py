"""WG202 on the marks of a binary loss that were scaled once too often."""

import pytest

from sketch import said
from whygrad.rules.loss.dense_labels_for_sparse_loss import diagnose

MASKS = """
    batches path="[1]" seen=64 minimum=0.0 maximum=0.00392157 values=["y"]
    x: input f32[8,1,20,20]
    y: label f32[8,1,20,20] minimum=0.0 maximum=0.00392157 mean=0.0005 std=0.001 zeros=0.87 distinct=2 called="mask"
    w: parameter f32[1,1,3,3]
    s: activation f32[8,1,20,20]
    s = conv x w
    loss = bce_with_logits s y with={"target":1} @ "train.py":9
    ! batch x y @ "train.py":7
    labels values=["y"] how="target"
"""

FIRES = {
    "divided by 255 twice": (MASKS, "error"),
    "made small otherwise": (MASKS.replace("0.00392157", "0.1"), "warning"),
    "probabilities": (MASKS.replace("bce_with_logits", "binary_cross_entropy"), "error"),
}

SILENT = {
    "zeros and ones": MASKS.replace("0.00392157", "1.0"),
    "smoothed": MASKS.replace("minimum=0.0 maximum=0.00392157", "minimum=0.05 maximum=0.95"),
    "one-sided smoothing": MASKS.replace("0.00392157", "0.9"),
    "a teacher's targets": MASKS.replace("distinct=2", "distinct=300"),
    "other batches reach further": MASKS.replace("seen=64 minimum=0.0 maximum=0.00392157", "seen=64 minimum=0.0 maximum=1.0"),
    "a squared error": MASKS.replace("bce_with_logits", "mse_loss"),
    "no figures": MASKS.replace("minimum=0.0 maximum=0.00392157 mean=0.0005 std=0.001 zeros=0.87 distinct=2", ""),
    "no numbers": MASKS.replace("maximum=0.00392157 mean", 'maximum="nan" mean'),
}


@pytest.mark.parametrize(("text", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (9, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
