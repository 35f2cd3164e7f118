"""WG508 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.diagnosis import Fact
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


RIVER = """
    course steps=80 start=5e8 first=1e8 last=354.0 lowest=351.0 highest=1e8
    x: input f32[32,60,2] mean=0.0 std=0.3
    y: label f32[32,1] mean=0.4 std=0.2 norm=2.5
    w: parameter f32[2,32]
    v: parameter f32[32,1]
    h: activation f32[32,32] mean=5.0 std=700.0
    a: activation f32[32,1] mean=0.0 std=2e4
    h = rnn x w @ "net.py":7
    a = linear h v @ "net.py":8
    loss = mse_loss a y with={"target":1}
    ! batch x y
    ! backward loss
    ! optimizer_step opt
    parameter w reached=true gradient="finite" gradient_norm=1e10 norm=2.0
    parameter v reached=true gradient="finite" gradient_norm=1e10 norm=2.0
    labels values=["y"] how="target"
    measures loss=5e8 label_sensitivity=0.0001
"""
DEEP = RIVER.replace('h = rnn x w @ "net.py":7', 'h = linear x w @ "net.py":7').replace("steps=80", "steps=81")

WRITTEN = RIVER.replace('loss = mse_loss a y with={"target":1}', "e = sub a y\n    s = square e\n    loss = mean s")
TURNS = RIVER.replace("h: activation", "g: activation f32[32,32] mean=1.0 std=5.0\n    u: parameter f32[32,32]\n    h: activation").replace(
    '    h = rnn x w @ "net.py":7', '    g = matmul x w @ "net.py":6\n    k = matmul g u @ "net.py":7\n    h = matmul k u @ "net.py":7'
).replace("    labels values", '    parameter u reached=true gradient="finite" gradient_norm=1e10 norm=2.0 @ "net.py":2\n    labels values').replace(
    "    h: activation", "    k: activation f32[32,32] mean=5.0 std=600.0\n    h: activation"
).replace("h: activation f32[32,32] mean=5.0 std=700.0", "h: activation f32[32,32] mean=5.0 std=3e4")  # fmt: skip

FIRES = {
    "an error that is written out": (WRITTEN.replace("last=354.0", "non_finite=3"), 7, "warning"),
    "a recurrence of matrix products, at the weight that they all read": (TURNS, 2, "warning"),
    "seven decades": (deep(1e7, 1e4, 1e2, 1.0), 1, "warning"),
    "a recurrence whose state grows, and whose loss stays far above a constant guess": (RIVER, 7, "warning"),
    "a recurrence written out, which begins with zeros": (
        RIVER.replace(
            "    h = rnn",
            '    h0: constant f32[32,32] mean=0.0 std=0.0 zeros=1.0\n    u: parameter f32[32,32]\n    r: activation f32[32,32] mean=0.0 std=0.0 zeros=1.0\n    r = linear h0 u @ "net.py":6\n    h = rnn',
        )
        .replace("loss = mse_loss a y with={", 'e: activation f32[32,1]\n    e = mse_loss a y with={"reduction":"none",')
        .replace("last=354.0", "non_finite=3")
        .replace("    ! batch", "    loss = mean e\n    ! batch"),
        7,
        "warning",
    ),
    "a recurrence that grows until there are no numbers": (RIVER.replace("last=354.0", "non_finite=3"), 7, "warning"),
}

SILENT = {
    "an error that is written out, and learnt from": WRITTEN.replace("last=354.0", "last=0.001"),
    "a sum of written errors": WRITTEN.replace("loss = mean s", "loss = sum s"),
    "two decades": deep(10.0, 1.0, 1.0, 0.1),
    "shallow": deep(1e9, 1.0),
    "gradients that are no numbers": deep('"nan"', 1e4, 1e2, 1.0),
    "a recurrence that grows, and learns all the same": RIVER.replace("last=354.0", "last=0.001"),
    "targets as large as what the recurrence puts out": RIVER.replace("mean=0.4 std=0.2", "mean=0.4 std=2e4"),
    "inputs that are as large already": RIVER.replace("std=0.3", "std=2e3"),
    "outputs of an ordinary size": RIVER.replace("std=2e4", "std=2.0"),
    "a loss that began at about a constant guess": RIVER.replace("start=5e8", "start=0.4"),
    "two layers, and no recurrence": DEEP,
    "a short try": RIVER.replace("steps=80", "steps=8"),
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


def test_what_numbers_of_such_a_size_do_follows_from_them() -> None:
    (found,) = said(diagnose, RIVER)

    assert {Fact("insensitive", "0"), Fact("overflow", "0"), Fact("unmoved", "w"), Fact("stands", "0")} <= found.explains


@pytest.mark.parametrize(("line", "explained"), [(25, True), (40, False)], ids=["the same backward", "another training"])
def test_what_overflows_in_the_next_step_is_explained_though_that_is_of_another_kind(line: int, explained: bool) -> None:
    first = (
        RIVER.replace("last=354.0", "non_finite=3")
        .replace("highest=1e8", 'highest=1e8 @ "train.py":25')
        .replace("! backward loss", '! backward loss @ "train.py":25')
    )
    later = f"""
    step 1 kind=1
      o: input f32[8,4]
      u: parameter f32[4,4]
      q: activation f32[8,4] finite=0.5
      q = linear o u
      end = mean q
      ! backward end @ "train.py":{line}
    """
    course, _, rest = first.partition("    x: input")
    (diagnosis,) = said(diagnose, f"{course}    step 0 kind=0\n    x: input{rest}{later}")

    assert (Fact("non-finite", "q") in diagnosis.explains) is explained
