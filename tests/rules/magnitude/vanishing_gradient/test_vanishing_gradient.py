"""WG507 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.rules.magnitude.vanishing_gradient import diagnose


def deep(*gradients: object) -> str:
    names = [f"w{number}" for number in range(len(gradients))]
    values = "".join(f"    {name}: parameter f32[4,4]\n" for name in names)
    ops = "".join(f"    h{n + 1} = linear h{n} {name}\n" for n, name in enumerate(names))
    rows = "".join(
        f'    parameter {name} reached=true gradient="finite" gradient_norm={size} norm=2.0 @ "net.py":{n + 1}\n'
        for n, (name, size) in enumerate(zip(names, gradients, strict=True))
    )
    return f"    h0: input f32[8,4]\n{values}{ops}    loss = mean h{len(names)}\n    ! backward loss\n    ! optimizer_step opt\n{rows}"


def biased(weights: tuple[float, ...], biases: tuple[float, ...]) -> str:
    names = [f"b{number}" for number in range(len(biases))]
    text = deep(*weights)
    for number, name in enumerate(names):
        text = text.replace(f"linear h{number} w{number}\n", f"linear h{number} w{number} {name}\n")
    rows = "".join(
        f'    parameter {name} reached=true gradient="finite" gradient_norm={size} norm=0.0\n'
        for name, size in zip(names, biases, strict=True)
    )
    return text.replace("    h1 = linear", "".join(f"    {name}: parameter f32[4]\n" for name in names) + "    h1 = linear", 1) + rows


FALLING = deep(1e-8, 1e-6, 1e-4, 1e-1)
SQUASHED = FALLING.replace("linear h1 w1", 'sigmoid h1 @ "net.py":9 text="h = sigmoid(h)"\n    k2 = linear h2 w1').replace(
    "linear h2 w2", 'sigmoid k2 @ "net.py":9 text="h = sigmoid(h)"\n    k3 = linear h3 w2'
)
SQUASHED = SQUASHED.replace("linear h3 w3", "linear k3 w3")

FIRES = {
    "what goes forward vanishes as well": (biased((8e-12, 7e-12, 2e-12, 6e-12), (1e-11, 6e-9, 2e-6, 6e-2)), 1, "warning"),
    "seven decades": (FALLING, 1, "warning"),
    "through sigmoids, which are what to change": (SQUASHED, 9, "warning"),
    "through sigmoids that are called elsewhere": (SQUASHED.replace("h = sigmoid(h)", "out = model(x)"), 1, "warning"),
    "a sigmoid at one place alone": (SQUASHED.replace("h3 = sigmoid k2", "h3 = relu k2"), 1, "warning"),
}

BESIDE = (
    FALLING.replace("h0: input f32[8,4]", "h0: input f32[8,4]\n    v: parameter f32[4,4]")
    .replace("h1 = linear h0 w0", "h1 = linear h0 w0\n    side = linear h0 v")
    .replace("loss = mean h4", "both = add h4 side\n    loss = mean both")
    + '    parameter v reached=true gradient="finite" gradient_norm={size} norm=2.0\n'
)

FIRES["a weight beside the first that gets as little"] = BESIDE.format(size=1e-8), 1, "warning"


def decayed(text: str) -> str:
    """The same with a penalty of each weight in the loss, which is in their gradients."""
    squares = "".join(f"    q{n}: activation f32[]\n" for n in range(4))
    ops = "".join(f"    s{n} = square w{n}\n    q{n} = sum s{n}\n" for n in range(4)) + "    m = mean h4\n    t0 = add m q0\n"
    ops += "    t1 = add t0 q1\n    t2 = add t1 q2\n    loss = add t2 q3\n"
    return text.replace("    loss = mean h4\n", ops).replace("    h1 =", squares + "    m: activation f32[]\n    h1 =", 1)


VANISHING, EVEN, LARGE = (1e-9, 6e-7, 2e-4, 6e-2), (1e-2, 6e-2, 2e-2, 6e-2), (2e-3, 2e-3, 2e-3, 3e-3)
FIRES["behind penalties of the weights, by the biases"] = (
    decayed(biased(LARGE, VANISHING)).replace("norm=0.0\n", 'norm=0.0 @ "net.py":1\n'),
    1,
    "warning",
)

SILENT = {
    "penalties of the weights, and biases that get much": decayed(biased(LARGE, EVEN)),
    "penalties of the weights, and biases before a normalisation": decayed(
        biased(LARGE, VANISHING).replace("h2 = linear h1", "n1 = batch_norm h1\n    h2 = linear n1")
    ),
    "penalties of the biases as well": decayed(biased(LARGE, VANISHING)).replace("s0 = square w0", "s0 = square b0"),
    "biases without entries": biased((8e-12, 7e-12, 2e-12, 6e-12), (1e-11, 6e-9, 2e-6, 6e-2)).replace(
        "parameter f32[4]\n", "parameter f32[0]\n"
    ),
    "small weights' gradients, and biases that get as much as the last": biased((8e-12, 7e-12, 2e-12, 6e-12), (1e-2, 6e-2, 2e-2, 6e-2)),
    "biases before a normalisation, whose gradients are rounding": biased((1e-2, 2e-2, 1e-2, 4e-2), (1e-9, 2e-9, 1e-9, 6e-2)),
    "small data, so that the first weight alone gets little": biased((1e-8, 1e-4, 1e-4, 1e-4), (1e-2, 2e-2, 1e-2, 6e-2)),
    "a weight beside the first gets much": BESIDE.format(size=1e-2),
    "two decades": deep(1e-3, 1e-2, 1e-2, 1e-1),
    "shallow": deep(1e-9, 1.0),
    "gradients that are no numbers": deep('"nan"', 1e-6, 1e-4, 1e-1),
    "infinite": deep(1e-8, 1e-6, 1e-4, '"inf"'),
    "growing": deep(1e3, 1.0, 1e-3, 1e-6),
}

OTHERS = {"exactly zero (WG509, WG301)": deep(0.0, 1e-6, 1e-4, 1e-1)}


@pytest.mark.parametrize(("text", "line", "severity"), FIRES.values(), ids=FIRES)
def test_it_is_found(text: str, line: int, severity: str) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.rule == "WG507"
    assert diagnosis.site is not None
    assert (diagnosis.site.line, diagnosis.severity) == (line, severity)


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=OTHERS)
def test_belongs_to_another_rule_or_to_none(text: str) -> None:
    assert not said(diagnose, text)


LAST = SQUASHED.replace("loss = mean h4", 'out = sigmoid h4 @ "net.py":12 text="return sigmoid(h)"\n    loss = mean out')


@pytest.mark.parametrize(
    ("old", "new", "edits"),
    [
        ("h = sigmoid(h)", "h = sigmoid(h)", [("callee", 9, "torch.relu|torch.nn.ReLU")]),
        ("h = sigmoid(h)", "add(Dense(16, activation='sigmoid'))", [("argument", 9, '"relu"'), ("argument", 9, '"he_normal"')]),
        ("h = sigmoid(h)", "out = model(x)", []),
    ],
)
def test_sigmoids_between_layers_become_relus_and_the_last_one_stays(old: str, new: str, edits: list[tuple[str, int, str]]) -> None:
    (diagnosis,) = said(diagnose, LAST.replace(old, new))

    found = diagnosis.remedy.edits if diagnosis.remedy else ()
    assert [(edit.action, edit.site.line, edit.text) for edit in found] == edits
