"""Edits of a number or a setting that rules propose: a rate, an epsilon, a layer's size, where an object is made."""

import re
from dataclasses import replace

from whygrad.diagnosis import Edit, Remedy
from whygrad.flow import Index
from whygrad.idioms.spellings import spelling
from whygrad.ir import Intervention, Optimizer, Site
from whygrad.rules.remedies import remedy, setting


def rated(index: Index, optimizer: Optimizer, factor: float, proof: Intervention | None) -> Remedy | None:
    """The rate that the optimizer is made with, times a factor."""
    rate = optimizer.groups[0].rate if optimizer.groups else None
    if not rate or optimizer.site is None or len({group.rate for group in optimizer.groups}) > 1:
        return None
    number = f"{rate * factor:.1g}"
    told = setting(optimizer.site, spelling(index, "rate"), number, calls=made_as(optimizer), position=place_of_rate(index))
    return remedy(
        f"give a rate of {number}",
        told,
        changes=f"{number} is a rate that a few updates on copies were better at, not one that was tuned",
        proof=proof,
    )


def place_of_rate(index: Index) -> int:
    """Optimizers of PyTorch are given the parameters first."""
    return 1 if spelling(index, "axis") == "dim" else 0


def made_as(optimizer: Optimizer) -> tuple[str, ...]:
    """What the optimizer's class or function may be called where it is made."""
    name = optimizer.native.rsplit(".", 1)[-1]
    return tuple(dict.fromkeys((name, name.lower())))


_KEPT = re.compile(r"\s*[A-Za-z_]\w*\s*=[^=]")


def made_once(site: Site | None, what: str) -> Remedy | None:
    """The statement that makes something, before the outermost loop that it stands in; in a function that a loop calls, before that loop or with its object."""
    # a function that returns what it makes is called where it is kept
    kept = next((place for place in site.with_callers if _KEPT.match(place.text)), site) if site is not None else None
    return remedy(
        f"make {what} once, before the loop",
        Edit("move", kept, to=kept, after=False, around="loop") if kept else None,
        otherwise=(Edit("hoist", kept),) if kept else (),
    )


def begun_once(site: Site | None) -> Remedy | None:
    """A state that each step hands on, before the outermost loop that it stands in; a function of its own would have to return it."""
    return remedy("begin the state once, before the loop", Edit("move", site, to=site, after=False, around="loop") if site else None)


def sized(site: Site | None, old: int, new: int) -> Remedy | None:
    """Another number of outputs, where the number is written out once on the line."""
    found = list(re.finditer(rf"(?<![\w.]){old}(?![\w.])", site.text)) if site is not None else []
    if site is None or len(found) != 1:
        return None
    at = replace(site, column=found[0].start() + 1, end_column=found[0].end() + 1, end_line=site.line)
    return remedy(
        f"give the last layer {new} outputs",
        Edit("replace", at, str(new)),
        changes="the model has another number of outputs, which whatever reads them must expect",
    )
