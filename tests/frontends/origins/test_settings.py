"""Settings of optimizers are followed to the literal that a person would edit, known by its value."""

import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from textwrap import dedent
from types import ModuleType

import pytest

from whygrad.frontends.origins import origins_of
from whygrad.frontends.source import Sources
from whygrad.ir import Event, Graph, Group, Optimizer, Parameter, Record, Site, Step, Value

RATES = {
    "a constant": "LR = 0.5  # here\nopt = SGD(model.parameters(), lr=LR)",
    "an option of the command line": """
        parser.add_argument("--learning-rate", type=float, default=0.5)  # here
        args = parser.parse_args()
        opt = SGD(model.parameters(), lr=args.learning_rate)
    """,
    "a dictionary": """
        CONFIG = {
            "epochs": 3,
            "optim": {"lr": 0.5, "momentum": 0.9},  # here
        }
        cfg = CONFIG["optim"]
        opt = SGD(model.parameters(), lr=cfg["lr"])
    """,
    "a dictionary that is unpacked": """
        OPTIMIZERS = {
            "adam": dict(cls=Adam, lr=0.5, eps=1e-8),  # here
            "sgd": dict(cls=SGD, lr=0.1),
        }
        options = dict(OPTIMIZERS[name])
        opt = options.pop("cls")(params, **options)
    """,
    "a default of a function": """
        def main(steps=100, rate=0.5):  # here
            opt = SGD(model.parameters(), lr=rate)
    """,
    "a data class": """
        @dataclass
        class Settings:
            lr: float = 0.5  # here

        opt = SGD(model.parameters(), settings.lr)
    """,
    "a rate as Keras calls it": 'HPARAMS = {"units": 32, "lr": 0.5}  # here\nopt = keras.optimizers.SGD(learning_rate=HPARAMS["lr"])',
    "a rate that comes first": "LR = 0.5  # here\nopt = optax.adam(LR)",
    "single precision": "LR = 0.500000001  # here\nopt = SGD(model.parameters(), lr=LR)",
    "arithmetic of names": "BASE = 5\nrate = BASE / 10  # here\nopt = SGD(model.parameters(), lr=rate)",
    "arithmetic of settings": """
        CONFIG = {"batch": 32, "epochs": 3}
        CONFIG["lr"] = CONFIG["batch"] / 64  # here
        opt = SGD(model.parameters(), lr=CONFIG["lr"])
    """,
    "arithmetic": "RATE = 5 * 10 ** -1  # here\nopt = SGD(model.parameters(), lr=RATE)",
}
UNKNOWN = {
    "the call itself": "opt = SGD(model.parameters(), lr=0.5)",
    "the call itself, as Keras writes it": "opt = keras.optimizers.SGD(learning_rate=0.5)",
    "arithmetic of what nobody knows": "pace_of_nobody = 5 / len(data)\nopt = SGD(model.parameters(), lr=pace_of_nobody)",
    "arithmetic that comes to something else": "BASE = 5\npace_of_nobody = BASE / 20\nopt = SGD(model.parameters(), lr=pace_of_nobody)",
    "nearly the same": "LR = 0.50001\nopt = SGD(model.parameters(), lr=LR)",
    "another value on the command line": """
        parser.add_argument("--lr", type=float, default=0.1)
        opt = SGD(model.parameters(), lr=parser.parse_args().lr)
    """,
    "two literals that could be meant": """
        FIRST = {"lr": 0.5}
        SECOND = {"lr": 0.5}
        opt = SGD(model.parameters(), lr=choose(FIRST, SECOND)["lr"])
    """,
    "the default": "opt = SGD(model.parameters())",
}


def optimizer(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **fields) -> tuple[Path, Optimizer]:
    """A program with an optimizer, as recorders note it."""
    file = tmp_path / "program_of_a_user.py"
    file.write_text(dedent(text).strip() + "\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    line, found = next((at, m) for at, t in enumerate(file.read_text().splitlines(), 1) if (m := re.search(r"(?<=opt = ).*\)", t)))
    site = Site(str(file), line, line, found.start() + 1, found.end() + 1)
    return file, Optimizer("opt", groups=(Group(0.5, ("w",)),), site=site, **fields)


@pytest.mark.parametrize("text", RATES.values(), ids=RATES)
def test_a_rate_is_followed_to_its_literal(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, made = optimizer(text, tmp_path, monkeypatch)
    (origin,) = origins_of(Record(optimizers=(made,)), Sources(time.time() + 10))
    assert origin.setting == "lr"
    assert origin.site is not None
    assert "# here" in file.read_text().splitlines()[origin.site.line - 1]


def test_a_default_counts_before_an_equal_number_of_that_name_in_another_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, made = optimizer(RATES["a default of a function"], tmp_path, monkeypatch)
    other = ModuleType("another_program_of_a_user")
    other.__file__ = str(tmp_path / "other.py")
    Path(other.__file__).write_text("course.add(9.0, rate=0.5)\n")
    monkeypatch.setitem(sys.modules, other.__name__, other)

    (origin,) = origins_of(Record(optimizers=(made,)), Sources(time.time() + 10))

    assert origin.site is not None
    assert origin.site.file == str(file)


def test_a_default_stands_where_its_function_does_however_far_off_it_is_called(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, made = optimizer(
        """
        class Client:
            def __init__(self, model, rate=0.5):  # here
                self.opt = SGD(model.parameters(), lr=rate)
        """,
        tmp_path,
        monkeypatch,
    )
    caller = ModuleType("another_program_of_a_user")
    caller.__file__ = str(tmp_path / "other.py")
    Path(caller.__file__).write_text("from program_of_a_user import Client\n\nclients = [Client(model) for model in models]\n")
    monkeypatch.setitem(sys.modules, caller.__name__, caller)

    (origin,) = origins_of(Record(optimizers=(made,)), Sources(time.time() + 10))

    assert origin.site is not None
    assert (origin.site.file, origin.site.line) == (str(file), 2)


SCHEDULE = "schedule = optax.cosine_decay_schedule(0.5, 10)\nopt = optax.adam(schedule)"


@pytest.mark.parametrize(
    ("text", "rates", "line"),
    [
        (SCHEDULE, (0.0, 0.5), 1),
        (SCHEDULE, (0.5, 0.5), 0),
        ("opt = optax.adam(optax.cosine_decay_schedule(0.5, 10))", (0.0, 0.5), 0),
        ("schedule = plan(0.5, 10)\nopt = optax.adam(schedule)", (0.0, 0.5), 0),
    ],
    ids=["a line of its own", "a rate that never changed", "in the call itself", "a function of another name"],
)
def test_a_library_s_schedule_is_told_where_it_is_made(
    text: str, rates: tuple[float, float], line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made = optimizer(text, tmp_path, monkeypatch, rates=rates)

    found = [
        origin.site.line
        for origin in origins_of(Record(optimizers=(made,)), Sources(time.time() + 10))
        if origin.setting == "schedule" and origin.site
    ]
    assert found == [line] * bool(line)


@pytest.mark.parametrize("text", UNKNOWN.values(), ids=UNKNOWN)
def test_a_rate_that_stands_in_the_call_or_is_of_unknown_origin_has_none(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made = optimizer(text, tmp_path, monkeypatch)
    assert origins_of(Record(optimizers=(made,)), Sources(time.time() + 10)) == ()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (
            "def factor(step):\n    if step > 9:\n        return 1.0\n    return step // 10\n\nopt = SGD(p, lr=0.5)\nsched = LambdaLR(opt, factor)",
            4,
        ),
        ("opt = SGD(p, lr=0.5)\nshape = lambda step: step // 10\nsched = LambdaLR(opt, lr_lambda=shape)", 2),
        (
            "class LambdaLR:\n    def __call__(self, step):\n        return self.peak * (step // 10)\n\nsched = LambdaLR(0.5)\nopt = SGD(p, lr=0.5)",
            3,
        ),
    ],
)
def test_a_schedule_is_followed_to_what_reckons_its_factor(text: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, made = optimizer(text, tmp_path, monkeypatch)
    at, found = next((at, m) for at, t in enumerate(file.read_text().splitlines(), 1) if (m := re.search(r"LambdaLR\(.*\)", t)))
    scheduled = Optimizer(
        made.name, groups=made.groups, site=made.site, schedule_site=Site(str(file), at, at, found.start() + 1, found.end() + 1)
    )
    origins = origins_of(Record(optimizers=(scheduled,)), Sources(time.time() + 10))
    assert [origin.site.line for origin in origins if origin.setting == "schedule" and origin.site] == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('init = "zeros"\nlayer = Dense(4, kernel_initializer=init)', 1),
        ('settings = {"init": "zeros"}\nlayer = Dense(4, kernel_initializer=settings["init"])', 1),
        ('layer = Dense(4, kernel_initializer="zeros")', None),
        ("def start(n):\n    return tf.fill((n, n), 0.1)\n\nw = tf.Variable(start(8))", 2),
        (
            "def start(n, how):\n    if how:\n        return np.full((n, n), 0.1)\n    return rng.normal(size=(n, n))\n\nw = tf.Variable(tf.constant(start(8, True)))",
            3,
        ),
        ("def start(n, how):\n    return np.zeros(n) if how else rng.normal(size=n)\n\nw = tf.Variable(start(8, True))", 2),
        ("def start(n, how):\n    if how:\n        return np.zeros(n)\n    return np.ones(n)\n\nw = tf.Variable(start(8, True))", None),
        ("def start(n):\n    return tf.constant(rng.normal(size=(n, n)))\n\nw = tf.Variable(start(8))", None),
        ("w = tf.Variable(tf.zeros((8, 8)))", None),
    ],
)
def test_an_initialiser_is_followed_to_its_literal(text: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "program_of_a_user.py"
    file.write_text(f"{text}\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    at, made = text.count("\n") + 1, text.splitlines()[-1]
    parameter = Parameter("dense/kernel", value="w", symmetric=True, site=Site(str(file), at, at, made.index("=") + 3, len(made) + 1))
    record = Record(steps=(Step(0, graph=Graph((), {"w": Value("w", "parameter")}), parameters=(parameter,)),))

    found = [o.site.line for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "start" and o.site]

    assert found == ([line] if line else [])


@pytest.mark.parametrize(
    ("made", "line"),
    [("nn.Parameter(torch.ones(8, 8) * 0.1)", 8), ("nn.Parameter(start(8))", 2), ("nn.Parameter(torch.randn(8, 8))", None)],
)
def test_what_a_module_fills_is_found_in_its_constructor(
    made: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "program_of_a_user.py"
    head = "def start(n):\n    return torch.full((n, n), 0.1)\n\nclass Layer(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    file.write_text(f"{head}        self.bias = nn.Parameter(torch.zeros(8))\n        self.weight = {made}\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    parameter = Parameter("0.weight", value="w", symmetric=True, site=Site(str(file), 6, 6, 9, 27))
    record = Record(steps=(Step(0, graph=Graph((), {"w": Value("w", "parameter")}), parameters=(parameter,)),))

    found = [o.site.line for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "start" and o.site]

    assert found == ([line] if line else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("variables = model.trainable_variables\n\ngrads = tape.gradient(loss, variables)", 1),
        ("variables = []\n\ngrads = tape.gradient(loss, sources=variables)", 1),
        ("grads = tape.gradient(loss, model.trainable_variables)", 1),
    ],
)
def test_an_empty_list_that_a_gradient_is_asked_for_is_followed(
    text: str, line: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "program_of_a_user.py"
    file.write_text(f"{text}\n")
    module = ModuleType("program_of_a_user")
    module.__file__ = str(file)
    monkeypatch.setitem(sys.modules, "program_of_a_user", module)
    event = Event("backward", 0, ("loss",), Site(str(file), text.count("\n") + 1), {"asked": 0})
    record = Record(steps=(Step(0, graph=Graph((), {"loss": Value("loss", "loss")}), events=(event,)),))

    assert [o.site.line for o in origins_of(record, Sources(time.time() + 10)) if o.setting == "asked" and o.site] == [line]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("RATE = 0.5\nparams = jax.tree.map(lambda p, g: p - RATE * g, params, grads)", 1),
        ("RATE, DECAY = 0.1, 0.9\nparams = jax.tree.map(lambda p, g: p - RATE * g, params, grads)", None),
        ("params = jax.tree.map(lambda p, g: p - 0.5 * g, params, grads)", None),
    ],
)
def test_the_factor_of_an_update_that_is_written_out_is_followed(
    text: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = next((at, m) for at, t in enumerate(text.splitlines(), 1) if (m := re.search(r"p - .* \* g", t)))
    _, made = optimizer(text + "\nopt = (0)", tmp_path, monkeypatch)
    assert made.site is not None
    site = replace(made.site, line=found[0], end_line=found[0], column=found[1].start() + 1, end_column=found[1].end() + 1)
    measured = replace(made, site=site, groups=(Group(0.5000000012, ("w",)),))
    lines = [
        origin.site.line for origin in origins_of(Record(optimizers=(measured,)), Sources(time.time() + 10)) if origin.site is not None
    ]

    assert lines == ([line] if line else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def decay(opt, rate):\n    for group in opt.param_groups:\n        group['lr'] = rate", 3),
        ("def decay(opt, rate):\n    opt.param_groups[0]['lr'] *= rate", 2),
        ("def decay(opt, cfg):\n    cfg['lr'] = 0.1", None),
        ("def decay(opt, rate):\n    opt.param_groups[0]['lr'] = rate\n    opt.param_groups[1]['lr'] = rate", None),
        ("def decay(opt, rate):\n    for group in opt.param_groups:\n        group['weight_decay'] = rate", None),
    ],
)
def test_the_one_place_that_writes_a_rate_is_found(text: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, made = optimizer(f"{text}\nopt = SGD(p, lr=0.5)", tmp_path, monkeypatch)
    changed = replace(made, idle_from=25)
    found = [o.site.line for o in origins_of(Record(optimizers=(changed,)), Sources(time.time() + 10)) if o.setting == "written" and o.site]

    assert found == ([line] if line else [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("weights = head.trainable_variables + score.trainable_variables\n\ndef step():\n    grads = tape.gradient(loss, weights)", 1),
        (
            "class Trainer:\n    def __init__(self, model):\n        self.weights = model.trainable_variables\n\n    def step(self):\n        grads = tape.gradient(loss, self.weights)",
            3,
        ),
        ("def step():\n    held = [v for v in model.variables if v.trainable]\n    grads = tape.gradient(loss, held)", 2),
        ("def step():\n    grads = tape.gradient(loss, model.trainable_variables)", None),
        ("def step(weights):\n    grads = tape.gradient(loss, weights)", None),
        (
            "class Net(Model):\n    def train_step(self, data):\n        grads = tape.gradient(loss, self.trainable_variables)",
            None,
        ),
    ],
)
def test_the_list_that_an_update_is_given_is_followed_to_where_it_was_taken(
    text: str, line: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, made = optimizer(f"{text}\nopt = SGD(p, lr=0.5)", tmp_path, monkeypatch)
    assert made.site is not None
    at, found = next((at, m) for at, t in enumerate(text.splitlines(), 1) if (m := re.search(r"(?<=gradient\(loss, ).*(?=\))", t)))
    given = replace(made.site, line=at, end_line=at, column=found.start() + 1, end_column=found.end() + 1)
    handed = replace(made, given_site=given)

    taken = [o.site.line for o in origins_of(Record(optimizers=(handed,)), Sources(time.time() + 10)) if o.setting == "held" and o.site]

    assert taken == ([line] if line else [])
