"""WG211 on tables of similarities."""

import pytest

from sketch import said
from whygrad.rules.loss.wrong_axis import diagnose

CONTRAST = """
    course steps=100 start=4.8 first=4.8 last=4.7 noise=0.01 @ "train.py":11
    x: input f32[16,8]
    y: label i64[16]
    w: parameter f32[6,8]
    z: activation f32[16,6] called="z"
    n: activation f32[16,6] called="z"
    t: activation f32[6,16]
    s: activation f32[16,16]
    d: activation f32[16,16]
    z = linear x w @ "net.py":3
    n = norm z native="torch.nn.functional.normalize" with={"axis":0,"p":2.0} @ "loss.py":17 text="z = F.normalize(z, dim=0)"
    t = transpose n with={"order":[1,0]} @ "loss.py":18
    s = matmul n t @ "loss.py":18
    d = div s @ "loss.py":18
    loss = cross_entropy d y with={"target":1} @ "loss.py":20
    ! batch x y @ "train.py":8
    ! backward loss @ "train.py":11
    labels values=["y"] how="target"
"""
DIVIDED = CONTRAST.replace("    d: activation", "    l: activation f32[1,6]\n    d: activation").replace(
    'n = norm z native="torch.nn.functional.normalize" with={"axis":0,"p":2.0}', 'l = norm z with={"axis":0}\n    n = div z l'
)

FIRES = {
    "normalised along the batch": (CONTRAST, "error"),
    "counted from the end": (CONTRAST.replace('"axis":0', '"axis":-2'), "error"),
    "divided by the norms": (DIVIDED, "error"),
    "the loss falls all the same": (CONTRAST.replace("last=4.7", "last=2.0"), "warning"),
}

SILENT = {
    "each row is one long": CONTRAST.replace('"axis":0', '"axis":1'),
    "counted from the end, each row": CONTRAST.replace('"axis":0', '"axis":-1'),
    "divided by the rows' norms": DIVIDED.replace("l: activation f32[1,6]", "l: activation f32[16,1]"),
    "columns are compared": CONTRAST.replace("s = matmul n t", "s = matmul t n").replace("f32[16,16]", "f32[6,6]").replace("i64[16]", "i64[6]"),
    "one side alone": CONTRAST.replace("s = matmul n t", "s = matmul z t"),
    "whitened by a batch normalisation": CONTRAST.replace("norm z native", "batch_norm z native"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line, diagnosis.severity) == ("loss.py", 17, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
