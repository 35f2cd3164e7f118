"""WG215 on updates by hand that climb the loss."""

import pytest

from frontends.torch.watching_here import recorded
from sketch import said
from whygrad.rules.loss.loss_sign import diagnose

TEXT = """
    course steps=95 start=0.69 first=0.7 last=5.2 @ "train.py":45
    x: input f32[32,7]
    y: label f32[32] minimum=0 maximum=1
    w: parameter f32[7]
    z: activation f32[32]
    z = matmul x w @ "train.py":19
    loss = bce_with_logits z y with={"target":1} @ "train.py":44
    ! backward loss @ "train.py":45
    ! update w with={"along":1.0} @ "train.py":28
    labels values=["y"] how="target"
    measures label_sensitivity=0.8
"""


def test_updates_that_add_the_gradient() -> None:
    (found,) = said(diagnose, TEXT)

    assert found.site is not None
    assert found.site.line == 28
    assert "climbs the loss" in found.message


SILENT = {
    "it is taken off": TEXT.replace('"along":1.0', '"along":-1.0'),
    "something else is added, as with momentum": TEXT.replace('"along":1.0', '"along":0.7'),
    "not known": TEXT.replace(' with={"along":1.0}', ""),
    "no number": TEXT.replace('"along":1.0', '"along":"nan"'),
    "the loss falls all the same": TEXT.replace("last=5.2", "last=0.3"),
    "no loss was seen at the end": TEXT.replace("last=5.2", 'last="nan"'),
    "an input that is perturbed": TEXT.replace("z = matmul x w", "z = add x w"),
    "an optimizer moves the others": TEXT.replace("    labels", '    ! optimizer_step opt @ "train.py":30\n    labels'),
    "a score": TEXT.replace("loss = bce", "b: activation f32[]\n    b = bce").replace(
        "    ! backward", '    loss = neg b @ "train.py":44\n    ! backward'
    ),
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not [found for found in said(diagnose, text) if "climbs" in found.message]


HANDED = """
    course steps=95 start=0.69 first=0.7 last=5.2 @ "train.py":45
    x: input f32[32,7]
    y: label f32[32] minimum=0 maximum=1
    w: parameter f32[7]
    z: activation f32[32]
    z = matmul x w @ "train.py":19
    loss = bce_with_logits z y with={"target":1} @ "train.py":44
    ! backward loss @ "train.py":45
    ! optimizer_step tx @ "train.py":46
    parameter w gradient="finite" gradient_norm=1.0 moved=1.0 along=0.8
    labels values=["y"] how="target"
    measures label_sensitivity=0.8
"""


def test_an_optimizer_that_was_handed_a_turned_gradient() -> None:
    (found,) = said(diagnose, HANDED)
    (turned,) = said(diagnose, 'origin setting="turned" @ "train.py":40:9-11 text="grads = -g"\n' + HANDED)

    assert (found.site, turned.site) != (None, None)
    assert found.site is not None
    assert turned.site is not None
    assert (found.site.line, turned.site.line) == (46, 40)
    assert found.remedy is None
    assert turned.remedy is not None
    assert turned.remedy.edits[0].text == "g"


SILENT_HANDED = {
    "downhill": HANDED.replace("along=0.8", "along=-0.8"),
    "turned aside, as momentum does": HANDED.replace("along=0.8", "along=0.2"),
    "not known": HANDED.replace(" along=0.8", ""),
    "no number": HANDED.replace("along=0.8", 'along="nan"'),
    "the loss falls all the same": HANDED.replace("last=5.2", "last=0.3"),
    "another one goes downhill": HANDED.replace("    labels", "    v: parameter f32[7]\n    parameter v moved=1.0 along=-0.1\n    labels"),
    "of another one it is not known": HANDED.replace("    labels", "    v: parameter f32[7]\n    parameter v moved=1.0\n    labels"),
    "a negative rate is known, which is WG406's": '    optimizer tx steps=95 rates=[-0.1,-0.1] @ "train.py":30\n' + HANDED,
    "a score": HANDED.replace("loss = bce", "b: activation f32[]\n    b = bce").replace(
        "    ! backward", '    loss = neg b @ "train.py":44\n    ! backward'
    ),
}


@pytest.mark.parametrize("text", SILENT_HANDED.values(), ids=SILENT_HANDED)
def test_silence_about_what_an_optimizer_made(text: str) -> None:
    assert not [found for found in said(diagnose, text) if "goes the way" in found.message]


UPDATED = """
    w = torch.ones(3, requires_grad=True)
    for _ in range(2):
        loss = F.mse_loss(torch.rand(8, 3) @ w, torch.zeros(8))
        loss.backward()
        with torch.no_grad():
            {update}
        w.grad = None
"""


@pytest.mark.torch
@pytest.mark.parametrize(
    ("update", "along"),
    [
        ("w += 0.1 * w.grad", 1.0),
        ("w -= 0.1 * w.grad", -1.0),
        ("w.add_(w.grad, alpha=-0.1)", -1.0),
        ("w.data.sub_(w.grad, alpha=-0.1)", 1.0),
        ("w.copy_(w + 0.1 * w.grad)", None),
    ],
)
def test_which_way_an_update_by_hand_goes(update: str, along: float | None, tmp_path) -> None:
    steps = recorded(tmp_path, UPDATED.format(update=update)).steps
    found = [event.attributes.get("along") for step in steps for event in step.events if event.kind == "update"]

    assert found
    assert all(one == (along if along is None else pytest.approx(along)) for one in found)
