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
