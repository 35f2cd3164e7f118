"""Remedies for exponentials written out by hand: the logarithm of their sum, and a softmax over nothing but minus infinity."""

import ast
import re
from dataclasses import replace

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Site
from whygrad.rules.remedies import remedy

_BEFORE = ("create", "where", "scatter", "write", "mul", "add", "cast", "expand")
"""Kinds of op that a mask is made by."""
_INFINITE = re.compile(r"float\(\s*(['\"])-inf(?:inity)?\1\s*\)|-\s*float\(\s*(['\"])inf(?:inity)?\2\s*\)|-\s*(?:\w+\.)+inf\b")
"""Minus infinity, as programs write it."""
LOW = "-1e9"
"""What leaves no share of a softmax in float32, and is a number: a row of nothing else is averaged evenly. Half precision has no such number, and is left alone."""


def of_a_sum(index: Index, step: StepIndex, op: Op) -> Remedy | None:
    """One function in the place of `log(sum(exp(x), axis))`, which takes the largest entry off before and adds it behind."""
    total = next((one for one in step.consumers.get(op.output, ()) if one.kind == "sum"), None) if op.kind == "exp" else None
    logarithm = next((one for one in step.consumers.get(total.output, ()) if one.kind == "log"), None) if total is not None else None
    site = logarithm.site if logarithm is not None else None
    given = _given(_own(site)) if site is not None else None
    if site is None or given is None:
        return None
    text = spelling(index, "logarithm of a sum").replace("{args}", given)
    return remedy("take the logarithm of the sum in one function", Edit("replace", site, text)) if text else None


def _own(site: Site) -> str:
    return site.text[site.column - 1 : (site.end_column or 1) - 1] if site.column else ""


def _given(text: str) -> str | None:
    """The arguments of one such function, of `log(sum(exp(x), axis=1))`; None where it is not written so."""
    outer = _call(text, "log")
    total = _call(ast.unparse(outer.args[0]), "sum", "reduce_sum") if outer is not None and len(outer.args) == 1 else None
    inner = _call(ast.unparse(total.args[0]), "exp") if total is not None and total.args else None
    if total is None or inner is None or len(inner.args) != 1 or len(total.args) + len(total.keywords) < 2:  # noqa: PLR2004 - values and an axis
        return None
    rest = [*total.args[1:], *total.keywords]
    return ", ".join([ast.unparse(inner.args[0]), *(ast.unparse(part) for part in rest)])


def _call(text: str, *names: str) -> ast.Call | None:
    try:
        made = ast.parse(text.strip(), mode="eval").body
    except SyntaxError:
        return None
    return made if isinstance(made, ast.Call) and isinstance(made.func, ast.Attribute) and made.func.attr in names else None


def without_infinity(step: StepIndex, op: Op) -> Remedy | None:
    """A large number below zero in the place of the minus infinity that a mask is made with; None where it is not written once on the way to the softmax."""
    if op.kind not in ("softmax", "log_softmax", "attention") or any(step.value(name).dtype in ("f16", "bf16") for name in op.outputs):
        return None
    above = step.upstream(op.inputs[0]) if op.inputs else frozenset()
    sites = (one.site for one in step.graph.ops if one.kind in _BEFORE and one.site is not None and not above.isdisjoint(one.outputs))
    found = {(site.file, site.line, match.start()): (site, match) for site in sites for match in _INFINITE.finditer(site.text)}
    if len(found) != 1:
        return None
    site, match = next(iter(found.values()))
    place = replace(site, column=match.start() + 1, end_line=site.line, end_column=match.end() + 1)
    changes = "a row of nothing but masked entries is averaged evenly"
    return remedy("mask with a large number in the place of infinity", Edit("replace", place, LOW), changes=changes)
