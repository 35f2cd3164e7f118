"""Names of library functions, as the file at hand can write them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import libcst as cst

ROOTS = {
    "torch": "import torch",
    "tensorflow": "import tensorflow as tf",
    "keras": "import keras",
    "jax": "import jax",
    "optax": "import optax",
    "numpy": "import numpy as np",
    "flax": "import flax",
    "itertools": "import itertools",
}
"""Libraries that code of ours may name, and how they are imported where the file has not done so."""
USUAL = {"tensorflow": "tf", "numpy": "np"}


@dataclass(slots=True)
class Names:
    """What a file calls the libraries that it imports, and the imports that edits have made necessary."""

    known: dict[str, str]
    """Full name to the file's own."""
    missing: dict[str, str] = field(default_factory=dict)

    def spell(self, code: str) -> str:
        """`code` with every library function under the file's own name for it."""
        if not any(root in code for root in ROOTS):
            return code
        tree = cst.parse_module(code)
        return tree.visit(_Respelling(self)).code

    def own(self, full: str) -> str:
        """A dotted name under the file's own; notes the import that it needs."""
        parts = full.split(".")
        for length in range(len(parts), 0, -1):
            known = self.known.get(".".join(parts[:length]))
            if known is not None and (length < len(parts) or known):
                return ".".join([known, *parts[length:]])
        root = parts[0]
        self.missing[root] = ROOTS[root]
        self.known[root] = USUAL.get(root, root)
        return ".".join([self.known[root], *parts[1:]])


class _Respelling(cst.CSTTransformer):
    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def visit_Attribute(self, node: cst.Attribute) -> bool:  # noqa: N802 - libcst's name
        return dotted(node).split(".")[0] not in ROOTS

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:  # noqa: N802
        full = dotted(original_node)
        return cst.parse_expression(self.names.own(full)) if full.split(".")[0] in ROOTS else updated_node


def dotted(node: cst.CSTNode | None) -> str:
    """`torch.nn.Linear` for a chain of names; "" for anything else."""
    if isinstance(node, cst.Name):
        return node.value
    if isinstance(node, cst.Attribute):
        above = dotted(node.value)
        return f"{above}.{node.attr.value}" if above else ""
    return ""


def names_of(module: cst.Module) -> Names:
    """The names that a file's imports give it."""
    known: dict[str, str] = {}
    for full, own in _imported(module):
        known.setdefault(full, own)
        if full.startswith("tensorflow.keras"):
            known.setdefault(full.removeprefix("tensorflow."), own)
    if "tensorflow" in known:
        known.setdefault("keras", f"{known['tensorflow']}.keras")
    return Names(known)


def _imported(module: cst.Module) -> Iterator[tuple[str, str]]:
    for line in module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Import):
                for alias in statement.names:
                    full = dotted(alias.name)
                    yield (full, _own(alias)) if alias.asname else (full.split(".")[0], full.split(".")[0])
            elif isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar) and not statement.relative:
                for alias in statement.names:
                    yield f"{dotted(statement.module)}.{dotted(alias.name)}", _own(alias)


def _own(alias: cst.ImportAlias) -> str:
    name = alias.asname.name if alias.asname else alias.name
    return dotted(name)


def with_imports(module: cst.Module, names: Names) -> cst.Module:
    """The file with the imports that edits have made necessary, below its own."""
    if not names.missing:
        return module
    body = list(module.body)
    at = max((number + 1 for number, line in enumerate(body) if _is_import(line)), default=_below_docstring(module))
    lines = [cst.parse_statement(text, config=module.config_for_parsing) for text in names.missing.values()]
    return module.with_changes(body=[*body[:at], *lines, *body[at:]])


def _is_import(line: cst.CSTNode) -> bool:
    return isinstance(line, cst.SimpleStatementLine) and any(isinstance(part, cst.Import | cst.ImportFrom) for part in line.body)


def _below_docstring(module: cst.Module) -> int:
    return 1 if module.get_docstring() is not None else 0


def is_module(name: str, names: Names) -> bool:
    """It is a library or a part of one, or the object that has the call as a part: `F`, `torch.nn`, `self`."""
    return name in ("self", "cls") or (bool(name) and name.split(".", maxsplit=1)[0] in names.known.values())
