"""How each framework's users write what a rule advises: one table, so that a rule is written once and speaks every dialect.

A row holds PyTorch's, TensorFlow's and JAX's words for one idea, and Keras' where a program that is trained by `fit` says it in another way.
Names in braces are filled in by the rule; braces that are meant are doubled.
"""

import re
from collections.abc import Mapping

from whygrad.flow import Index
from whygrad.idioms.gradients import GRADIENTS
from whygrad.idioms.losses import LOSSES
from whygrad.idioms.rows import Row
from whygrad.idioms.training import TRAINING
from whygrad.ir import Op

_TRAINER = re.compile(r"/keras/src/(trainers|backend/\w+)/trainer\.py$")
"""Keras' own training loop, the same file on each backend."""
_CALLS = re.compile(r"\.(fit|train_on_batch)\(")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_VERSION = re.compile(r"_v\d+$")
"""How TensorFlow's op is numbered that its function, which is not, runs now."""
_OWN_SPELLING = {
    "arg_max": "argmax",
    "arg_min": "argmin",
    "mat_mul": "matmul",
    "cast": "cast",
    "real_div": "/",
    "rdiv": "/",
    "convert_element_type": "astype",
}
"""TensorFlow's functions whose names are not those of its ops in another case, and what JAX's primitives are called by those who write them."""

IDIOMS: Mapping[str, Row] = {**GRADIENTS, **LOSSES, **TRAINING}


def idiom(index: Index, idea: str, **fields: object) -> str:
    """The words for an idea in the dialect of the recorded program."""
    row, (first, *rest) = IDIOMS[idea], index.once(dialects)
    return (row[first] or row[rest[0]]).format(**fields)


def dialects(index: Index) -> tuple[str, ...]:
    """What the program speaks, the closest first: Keras before its backend where Keras runs the training loop."""
    names = [framework.name for framework in index.record.frameworks]
    backend = next((name for name in names if name != "keras"), "tensorflow" if names else "torch")
    return ("keras", backend) if _fitted(index) else (backend,)


def _fitted(index: Index) -> bool:
    """Gradients or updates come out of Keras' own training loop."""
    places = [event.site for step in index.steps for event in step.events("backward", "optimizer_step") if event.site]
    raised = index.record.outcome.exception
    places += [raised.site] if raised is not None and raised.site is not None else []
    if not any(framework.name == "keras" for framework in index.record.frameworks):
        return any(_TRAINER.search(frame.file) for site in places for frame in site.library)
    return any(_CALLS.search(site.text) or any(_TRAINER.search(frame.file) for frame in site.library) for site in places)


def speaks(index: Index, framework: str) -> bool:
    """The program computes with this framework, be it under Keras or not."""
    return index.once(dialects)[-1] == framework


def speaks_torch(index: Index) -> bool:
    """The program is written in PyTorch, or nothing is known of it."""
    return index.once(dialects) == ("torch",)


def names_activations(index: Index) -> bool:
    """Its layers may be told their activation by a keyword, as Keras' are; those of flax and Equinox never are."""
    return index.once(dialects) != ("jax",)


def spelled(op: Op) -> str:
    """The op as the user writes it: the last part of its native name, in the case of the framework's functions."""
    parts = [part.strip("_") for part in op.native.split(".") if part.strip("_") and part != "__get__"]
    last = parts[-1] if parts else op.kind
    if not op.native.startswith("tf."):
        return _OWN_SPELLING.get(last, last)
    lower = _VERSION.sub("", _CAMEL.sub("_", last).lower())
    return _OWN_SPELLING.get(lower, lower)


def loss_called(index: Index, op: Op) -> str:
    """A loss by the name that the program's author calls it by; PyTorch's losses by their kind, which is its function's name."""
    return op.kind if speaks_torch(index) or not op.native else spelled(op)
