"""WG502's remedies for exponentials that are written out by hand, and for masks of minus infinity."""

import pytest

from sketch import said
from whygrad.rules.magnitude.non_finite_forward import diagnose


def placed(text: str, part: str, line: int) -> str:
    """A place in the text form: the part of a line that is marked."""
    at = text.index(part) + 1
    shown = text.replace('"', '\\"')
    return f'@ "train.py":{line}:{at}-{at + len(part)} text="{shown}"'


def summed(text: str, part: str) -> str:
    """A step whose exponential overflows, with the logarithm of its sum at this place."""
    return f"""
    framework torch "2.13"
    step 0
    x: input f32[8,4]
    w: parameter f32[4,4]
    s = linear x w
    e = exp s @ "train.py":7
    t = sum e
    n = log t {placed(text, part, 7)}
    loss = mean n
    measures loss="inf"
    birth stage="forward" op="e" count=2 loss="inf"
"""


@pytest.mark.parametrize(
    ("own", "made"),
    [
        ("torch.log(torch.sum(torch.exp(s), dim=-1))", "torch.logsumexp(s, dim=-1)"),
        ("torch.log(torch.sum(torch.exp(s / t), 1, keepdim=True))", "torch.logsumexp(s / t, 1, keepdim=True)"),
        ("torch.log(torch.sum(torch.exp(s)))", ""),
        ("torch.log(1 + torch.sum(torch.exp(s), 1))", ""),
    ],
)
def test_the_logarithm_of_a_sum_becomes_one_function(own: str, made: str) -> None:
    (diagnosis,) = said(diagnose, summed(f"    n = {own}", own))
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()

    assert [edit.text for edit in edits] == [made] * bool(made)


def masked(text: str) -> str:
    """A step whose softmax reads nothing but minus infinity in some rows."""
    return f"""
    framework torch "2.13"
    step 0
    x: input f32[8,4]
    m: input bool[8,4]
    w: parameter f32[4,4]
    s = linear x w
    k = where m s {placed(text, text.strip(), 6)}
    p = softmax k @ "train.py":7
    loss = mean p
    measures loss="nan"
    birth stage="forward" op="p" count=4 loss="nan"
"""


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("    s = s.masked_fill(m, float('-inf'))", "float('-inf')"),
        ("    s = s.masked_fill(m, -torch.inf)", "-torch.inf"),
        ("    s = s.masked_fill(m, LOW)", ""),
    ],
)
def test_minus_infinity_in_a_mask_becomes_a_number(text: str, replaced: str) -> None:
    (diagnosis,) = said(diagnose, masked(text))
    edits = diagnosis.remedy.edits if diagnosis.remedy is not None else ()

    assert [edit.site.text[edit.site.column - 1 : edit.site.end_column - 1] for edit in edits] == [replaced] * bool(replaced)
