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
    """Every rule of this package, by code."""
    modules = walk_packages(__path__, prefix=f"{__name__}.")
    found = (vars(import_module(module.name)).get("diagnose") for module in modules if not module.ispkg)
    return tuple(sorted((rule for rule in found if isinstance(rule, Rule)), key=lambda rule: rule.code))
