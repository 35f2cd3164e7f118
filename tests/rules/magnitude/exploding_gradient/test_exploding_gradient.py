"""WG508 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.exploding_gradient import diagnose


def deep(*gradients: object, clip: bool = False) -> str:
    names = [f"w{number}" for number in range(len(gradients))]
    values = "".join(f"    {name}: parameter f32[4,4]\n" for name in names)
    ops = "".join(f"    h{n + 1} = linear h{n} {name}\n" for n, name in enumerate(names))
    clips = "    ! clip opt\n" if clip else ""
    rows = "".join(
        f'    parameter {name} reached=true gradient="finite" gradient_norm={size} norm=2.0 @ "net.py":{n + 1}\n'
        for n, (name, size) in enumerate(zip(names, gradients, strict=True))
    )
    return (
        f"    h0: input f32[8,4]\n{values}{ops}    loss = mean h{len(names)}\n    ! backward loss\n{clips}    ! optimizer_step opt\n{rows}"
    )


FIRES = {"seven decades": (deep(1e7, 1e4, 1e2, 1.0), 1, "warning")}

SILENT = {
    "two decades": deep(10.0, 1.0, 1.0, 0.1),
    "shallow": deep(1e9, 1.0),
    "gradients that are no numbers": deep('"nan"', 1e4, 1e2, 1.0),
    "clipped before the update": deep(1e7, 1e4, 1e2, 1.0, clip=True),
}

OTHERS = {"vanishing (WG507)": deep(1e-8, 1e-6, 1e-4, 1e-1)}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG508"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)
