"""What is installed here, what of it whygrad knows, and a bundle for a bug report. Imports no framework."""

import ast
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, entry_points, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from whygrad import __version__
from whygrad.frontends import FRONT_ENDS
from whygrad.ir import Record
from whygrad.ir.files import read_record
from whygrad.judging import all_rules
from whygrad.settings import Settings, from_project

DISTRIBUTIONS: Mapping[str, tuple[str, ...]] = {"torch": ("torch",), "tensorflow": ("tensorflow", "tensorflow-cpu"), "jax": ("jax",)}
"""Framework to the packages that bring it."""
BESIDE = ("keras", "numpy", "flax", "optax", "equinox", "lightning", "transformers", "accelerate", "peft", "mcp", "pytest")
"""Packages that change what is recorded, or that whygrad works with."""


@dataclass(frozen=True, slots=True)
class Framework:
    """One framework, and what is known of its version."""

    name: str
    version: str
    """"" where it is not installed."""
    tested: tuple[str, ...]
    """Versions that its front end was tried with, by their beginnings; or from one to before another."""

    @property
    def supported(self) -> bool:
        """It is one of those versions."""
        if len(self.tested) == 2:  # noqa: PLR2004 - from, to
            return _numbers(self.tested[0]) <= _numbers(self.version) < _numbers(self.tested[1])
        return any(_numbers(self.version)[: len(_numbers(known))] == _numbers(known) for known in self.tested)


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0]))


def frameworks() -> tuple[Framework, ...]:
    """All that there are front ends for."""
    return tuple(
        Framework(name, next(filter(None, map(installed, DISTRIBUTIONS[name])), ""), _tested(package))
        for name, package in FRONT_ENDS.items()
    )


def installed(package: str) -> str:
    """The version of an installed package; "" for one that is missing."""
    try:
        return version(package)
    except PackageNotFoundError:
        return ""


def _tested(package: str) -> tuple[str, ...]:
    """`TESTED` of a front end, read from its source: importing it would import the framework."""
    spec = find_spec(package)
    source = (Path(str(spec.origin)).parent / "_compat.py") if spec is not None else None
    for node in ast.parse(source.read_text(encoding="utf-8")).body if source is not None else ():
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "TESTED":
            return tuple(ast.literal_eval(node.value))
    return ()


def facts(folder: Path) -> Iterator[tuple[str, str]]:
    """Name by name, what a person who helps wants to know first."""
    yield "whygrad", f"{__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    for framework in frameworks():
        yield framework.name, _told(framework)
    beside = [f"{name} {found}" for name in BESIDE if (found := installed(name))]
    yield "beside", ", ".join(beside) or "none of the libraries that whygrad knows"
    rules, faults = all_rules()
    foreign = [entry.name for entry in entry_points(group="whygrad.rules")]
    others = f", with those of other packages: {', '.join(foreign)}" if foreign else ""
    yield "rules", f"{len(rules)}{others}"
    for fault in faults:
        yield "fault", fault.splitlines()[0]
    settings = Settings(**from_project(folder))
    yield (
        "recorded",
        f"the first {settings.steps} steps of each kind, and later ones where something changes; experiments: {settings.experiments}",
    )
    if settings.select or settings.ignore:
        yield "silent", f"select {', '.join(settings.select) or 'all'}; ignore {', '.join(settings.ignore) or 'none'}"


def _told(framework: Framework) -> str:
    known = " to before ".join(framework.tested) if len(framework.tested) == 2 else ", ".join(framework.tested)  # noqa: PLR2004 - from, to
    if not framework.version:
        return f"not installed; tried with {known}"
    if framework.supported:
        return f"{framework.version}, supported: its training steps are recorded"
    return f"{framework.version}, not tried with this whygrad (tried with {known}): recorded all the same, some facts may be missing"


def bug_report(folder: Path, record: str = "", *, names: bool = False) -> str:
    """A bundle as JSON: the facts and, where one is given, a record. Without `names` no name and no line of the user's is in it."""
    bundle: dict[str, Any] = {"whygrad-bug-report": 1, "facts": dict(facts(folder)) if names else dict(_impersonal(folder))}
    if record:
        found = read_record(record).record
        bundle["record"] = plain(found) if names else Redaction().record(found)
    return msgspec.json.format(msgspec.json.encode(_numbers_as_text(bundle)), indent=1).decode() + "\n"


def _impersonal(folder: Path) -> Iterator[tuple[str, str]]:
    return (pair for pair in facts(folder) if pair[0] not in ("fault", "silent"))


def plain(record: Record) -> dict[str, Any]:
    """The record without its source lines."""
    found: dict[str, Any] = _without_text(msgspec.to_builtins(record))
    return found


def _without_text(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: "" if key == "text" else _without_text(value) for key, value in item.items()}
    return [_without_text(part) for part in item] if isinstance(item, list | tuple) else item


def _numbers_as_text(item: Any) -> Any:
    """JSON has no NaN and no infinity: they are given as words."""
    if isinstance(item, float) and (item != item or item in (float("inf"), float("-inf"))):  # noqa: PLR0124 - NaN differs from itself
        return str(item)
    if isinstance(item, dict):
        return {key: _numbers_as_text(value) for key, value in item.items()}
    return [_numbers_as_text(part) for part in item] if isinstance(item, list | tuple) else item


OPEN = frozenset(("kind", "role", "dtype", "gradient", "gradient_at_update", "how", "stage", "version", "whygrad"))
"""Fields with words of ours, which stay."""
LIBRARIES = re.compile(r"(torch|tf|tensorflow|keras|jax|jnp|lax|flax|optax|equinox|numpy|np)\b[\w.]*$")
NUMBERED = re.compile(r"[tp]?\d+(\.\d+)?$")
OUR_FRAME = re.compile(r'File ".*?/(whygrad/[\w/]+\.py)", line (\d+), in (\w+)')


class Redaction:
    """Replaces each name by a word that stands for it, the same one wherever it comes."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def record(self, record: Record) -> dict[str, Any]:
        """A record in which no word of the user's is left."""
        found: dict[str, Any] = self.item(msgspec.to_builtins(record), "")
        found["faults"] = [_our_frames(fault) for fault in record.faults]
        found["limits"] = [f"{len(record.limits)} limits"] if record.limits else []
        found["arguments"] = []
        return found

    def item(self, item: Any, key: str) -> Any:
        """One part of a record, under its field's name."""
        if isinstance(item, dict):
            known = key in ("settings", "attributes") or key in _RECORDS or not key or "name" in item or "file" in item or "kind" in item
            return {(name if known else self.word(name)): self.item(value, name) for name, value in item.items()}
        if isinstance(item, list | tuple):
            return [self.item(part, key) for part in item]
        return self.text(item, key) if isinstance(item, str) else item

    def text(self, text: str, key: str) -> str:
        """A word; source lines and messages are left out altogether."""
        if key in ("text", "message", "reason", "sensitivity_reason", "stopped"):
            return ""
        if key in OPEN or not text or NUMBERED.match(text) or (key in ("native", "owner", "name") and LIBRARIES.match(text)):
            return text
        return self.word(text)

    def word(self, text: str) -> str:
        """What stands for a name."""
        if NUMBERED.match(text):
            return text
        return self.words.setdefault(text, f"n{len(self.words) + 1}")


_RECORDS = frozenset(
    ("outcome", "exception", "graph", "site", "measures", "labels", "statistics", "made", "definition", "caller", "steps", "optimizers", "groups",
     "events", "ops", "parameters", "scopes", "trials", "births", "batches", "courses", "fits", "collations", "emptied", "loadings", "redraws", "loop", "body", "read", "frameworks", "callers", "library")
)  # fmt: skip
"""Fields that hold parts of the record, whose own fields' names stay."""


def _our_frames(fault: str) -> str:
    """Where in whygrad a fault came up, and its type; the message and the user's own frames are left out."""
    frames = [f"{file}:{line} in {function}" for file, line, function in OUR_FRAME.findall(fault)]
    kinds = re.findall(r"^([A-Za-z_.]+(?:Error|Exception|Interrupt|Exit))\b", fault, re.MULTILINE)
    return " <- ".join([*kinds[-1:], *reversed(frames)])
