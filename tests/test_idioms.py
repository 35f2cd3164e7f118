"""Rules speak the language of the program's own framework: every sketch of their tests is told again as TensorFlow's and as JAX's."""

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from sketch import sketch
from whygrad.diagnosis import Diagnosis, Rule
from whygrad.flow import Index
from whygrad.idioms import IDIOMS, dialects, idiom, spelled
from whygrad.ir import Event, Framework, Op, Record, Site
from whygrad.rules import load_rules

HERE = Path(__file__).parent
TORCH = re.compile(
    r"torch|(?<![.\w])nn\.|\bF\.|zero_grad|no_grad|requires_grad|\.detach\(|\.backward\(|\.step\(\)|\.parameters\(\)|\.item\(\)|\.clamp\(|"
    r"\.long\(|\.float\(|\bdim=|ModuleList|ModuleDict|load_state_dict|GradScaler|DataLoader|ignore_index=|batch_first|add_param_group|movedim"
)
OF_PYTORCH_ALONE = {
    "WG309": "in-place changes of what a graph has saved",
    "WG310": "graphs that a backward frees",
    "WG313": "reentrant checkpoints",
    "WG316": "hooks on parameters",
    "WG317": "`load_state_dict` with `assign`",
    "WG515": "memory that was reserved and never written",
    "WG701": "Transformers' trainer",
    "WG702": "Lightning",
    "WG703": "PEFT",
    "WG704": "Lightning",
}
"""Rules on faults that only PyTorch's programs can have, and what they are about."""
RULES = [rule for rule in load_rules() if rule.code not in OF_PYTORCH_ALONE]
OTHERS = ["tensorflow", "jax"]


@cache
def sketches(rule: Rule) -> tuple[Record, ...]:
    """The records that the rule's own tests sketch, as far as a text stands there in full."""
    *_, family, name = rule.check.__module__.split(".")
    texts = [text for path in sorted((HERE / "rules" / family / name).glob("test_*.py")) for text in constants(path)]
    return tuple(record for text in texts if (record := read(text)) is not None)


def constants(path: Path) -> Iterator[str]:
    tree = ast.parse(path.read_text())
    return (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" in node.value)


def read(text: str) -> Record | None:
    try:
        return sketch(text).record
    except Exception:  # the string is no sketch, or a part of one
        return None


def words(diagnosis: Diagnosis) -> str:
    """All that a reader would see of it."""
    evidence = (evidence.statement for evidence in diagnosis.evidence)
    related = (related.message for related in diagnosis.related)
    return "\n".join((diagnosis.message, diagnosis.label, diagnosis.help, *evidence, *related))


@pytest.mark.parametrize("framework", OTHERS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_no_rule_speaks_of_pytorch_to_others(rule: Rule, framework: str):
    records = [replace(record, frameworks=(Framework(framework, "1.0"),)) for record in sketches(rule)]
    said = [words(diagnosis) for record in records for diagnosis in rule.check(Index(record))]

    assert [text for text in said if TORCH.search(text)] == []


def test_the_test_above_can_fail():
    said = [words(d) for rule in RULES for record in sketches(rule) for d in rule.check(Index(record))]

    assert sum(bool(TORCH.search(text)) for text in said) > len(RULES) / 3


@pytest.mark.parametrize("idea", IDIOMS)
def test_every_idea_is_written_in_every_dialect_with_the_same_fields(idea: str):
    row = IDIOMS[idea]

    assert row.torch
    assert row.tensorflow
    assert row.jax
    assert not TORCH.search(row.tensorflow + row.jax + row.keras)


def of(*names: str, line: str = "") -> Index:
    record = sketch("loss: loss").record
    backward = Event("backward", 0, ("loss",), Site("train.py", 3, text=line))
    step = replace(record.steps[0], events=(backward,)) if record.steps else None
    return Index(replace(record, frameworks=tuple(Framework(name, "1") for name in names), steps=(step,) if step else ()))


@pytest.mark.parametrize(
    ("index", "spoken"),
    [
        (of(), ("torch",)),
        (of("torch"), ("torch",)),
        (of("jax"), ("jax",)),
        (of("tensorflow", "keras", line="tape.gradient(loss, weights)"), ("tensorflow",)),
        (of("tensorflow", "keras", line="model.fit(x, y)"), ("keras", "tensorflow")),
        (of("jax", "keras", line="model.fit(x, y)"), ("keras", "jax")),
    ],
    ids=["nothing known", "torch", "jax", "a tape", "fit", "fit on jax"],
)
def test_a_program_speaks_its_framework(index: Index, spoken: tuple[str, ...]):
    assert dialects(index) == spoken


def test_keras_falls_back_to_its_backend():
    index = of("tensorflow", "keras", line="model.fit(x, y)")

    assert idiom(index, "no gradient target").startswith("pass `tf.stop_gradient(target)`")
    assert "compile again" in idiom(index, "freeze", them="it")


@pytest.mark.parametrize(
    ("native", "name"),
    [
        ("tf.StopGradient", "stop_gradient"),
        ("tf.ArgMax", "argmax"),
        ("torch.Tensor.detach", "detach"),
        ("jax.numpy.round", "round"),
        ("jax.numpy.convert_element_type", "astype"),
    ],
)
def test_ops_are_spelled_as_users_write_them(native: str, name: str):
    assert spelled(Op("detach", native=native)) == name
