"""The rules: one file each, found by walking the package. Nothing here imports a framework."""

from collections.abc import Callable
from importlib import import_module
from inspect import getdoc
from pkgutil import walk_packages

from whygrad.diagnosis import Check, Rule, Severity


def rule(code: str, name: str, severity: Severity, *, needs_values: bool = False) -> Callable[[Check], Rule]:
    """Turn a check function into a `Rule`; its docstring becomes the documentation."""
    return lambda check: Rule(code, name, severity, getdoc(check) or "", check, needs_values)


def load_rules() -> tuple[Rule, ...]:
    """Every rule of this package, by code; raises whatever importing one of them raises."""
    found = (rule_of(name) for name in rule_modules())
    return tuple(sorted((rule for rule in found if rule is not None), key=lambda rule: rule.code))


def rule_modules() -> tuple[str, ...]:
    """The dotted names of this package's modules."""
    return tuple(module.name for module in walk_packages(__path__, prefix=f"{__name__}.") if not module.ispkg)


def rule_of(module: str) -> Rule | None:
    """The rule that a module holds; None for one that only helps others. Raises whatever importing it raises."""
    found = vars(import_module(module)).get("diagnose")
    return found if isinstance(found, Rule) else None
