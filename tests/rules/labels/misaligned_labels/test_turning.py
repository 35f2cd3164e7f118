"""WG104 on pictures and masks that are turned: both, one of them, always or at random."""

import pytest

from sketch import said
from whygrad.rules.labels.misaligned_labels import diagnose

IMAGES = ("a", "b", "c", "d")
AUGMENT = '"roads.py":11 callers=[["roads.py",{line},"__getitem__",""]]'


def record(images: str, masks: str, shape: str = "[1,24,24]", mask: str = "[1,24,24]") -> str:
    """Four pairs; `images` and `masks` name those that are flipped."""
    lines = []
    for side, flipped, size, line in (("x", images, shape, 33), ("y", masks, mask, 34)):
        at = AUGMENT.format(line=line)  # the place of the flip, and the line that asks for it
        lines += [f"    {side}{one}: input f32{size}\n    {side}{one}t: activation f32{size}" for one in IMAGES]
        lines += [f'    {side}{one}t = transpose {side}{one} native="torch.flip" @ {at}' for one in flipped]
        items = " ".join(f"{side}{one}t" if one in flipped else f"{side}{one}" for one in IMAGES)
        lines += [
            f"    {side}: input f32[4,{size[1:]} called={'image' if side == 'x' else 'mask'}",
            f'    {side} = concat {items} native="torch.stack"',
        ]
    lines += [
        "    w: parameter f32[1,1,3,3]\n    s: activation f32[4,1,24,24]",
        '    s = conv x w @ "train.py":5',
        '    loss = bce_with_logits s y with={"target":1} @ "train.py":6',
        '    labels values=["y"] how="target"',
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("images", "masks", "line", "told"),
    [
        ("ab", "bc", 33, "of 4 pairs recorded, 1 have the input alone turned and 1 the label alone"),
        ("ab", "", 11, "of 4 pairs recorded, 2 have the input alone turned and 0 the label alone"),
        ("", "c", 11, "of 4 pairs recorded, 0 have the input alone turned and 1 the label alone"),
    ],
    ids=["each by a draw of its own", "the image alone", "the mask alone"],
)
def test_it_is_found(images: str, masks: str, line: int, told: str) -> None:
    (diagnosis,) = said(diagnose, record(images, masks))

    assert diagnosis.site is not None
    assert (diagnosis.site.file, diagnosis.site.line) == ("roads.py", line)
    assert diagnosis.evidence[0].statement == told


def scaled(text: str) -> str:
    """The images of a record are scaled and made noisy after they may have been turned."""
    for one in IMAGES:
        last = f"x{one}t" if f"    x{one}t = transpose" in text else f"x{one}"
        made = f"    x{one}m: activation f32[1,24,24]\n    x{one}n: input f32[1,24,24]\n    x{one}m = mul {last}\n    x{one}n = add x{one}m noise\n"
        joined = text.index("    x = concat")
        text = text[:joined].replace(f"x{one}t ", f"x{one}t ") + made + text[joined:].replace(f" {last}", f" x{one}n", 1)
    return "    noise: activation f32[1,24,24]\n" + text


def test_a_picture_is_followed_through_what_is_done_entry_by_entry() -> None:
    (diagnosis,) = said(diagnose, scaled(record("ab", "bc")))

    assert diagnosis.evidence[0].statement == "of 4 pairs recorded, 1 have the input alone turned and 1 the label alone"


SILENT = {
    "both are turned, and the images scaled afterwards": scaled(record("ac", "ac")),
    "what was done to the images before is not known": record("", "c").replace("    x = concat xa", "    q = opaque xa\n    x = concat q"),
    "none is turned": record("", ""),
    "the same are turned": record("ac", "ac"),
    "every image is turned, as it is stored upside down": record("abcd", ""),
    "the labels are no pictures": record("ab", "", mask="[10]"),
    "the labels are of another size": record("ab", "", mask="[1,12,12]"),
    "joined, turned and taken apart again": record("", "").replace(
        '    x = concat xa xb xc xd native="torch.stack"',
        '    j: input f32[2,24,24]\n    k: input f32[2,24,24]\n    j = concat xa ya native="torch.cat"\n    k = transpose j native="torch.flip"\n'
        '    xat = index k\n    x = concat xat xb xc xd native="torch.stack"',
    ).replace("y = concat ya yb", "yat = index k\n    y = concat yat yb"),
}  # fmt: skip


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)
