"""WG306: a parameter that the optimizer holds and no forward reads."""

import re
from collections.abc import Iterable, Iterator, Sequence

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.makers import apart, ways
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.graph.checkpoint_without_grad import left_out
from whygrad.rules.remedies import remedy

_PART = re.compile(r"[./]")
"""What stands between the parts of a parameter's name."""
_AGAIN = re.compile(r" \(\d+\)$")
"""What is put behind the name of a second model's parameter, where both models have one name."""


@rule("WG306", "unused-parameter", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Trainable parameters are in the optimizer, but no forward ever reads them.

    ## What it finds
    Modules whose trainable parameters an optimizer holds, that no forward of a recorded step read, and that at the end of the run had neither changed nor seen a
    gradient. One diagnosis for each module, counted with all that is in it.

    ## Why it matters
    The layer takes no part in the model: a call was forgotten, an older layer stayed beside its successor, or the forward calls the same layer twice
    where two were meant. The loss falls all the same, with less model than was declared. Under DistributedDataParallel it also raises.

    ## When it is fine
    Experts or heads that other batches choose (a gradient later in the run keeps this rule silent), and layers that a library declares for tasks other than yours, such as the
    pooler of a language model: those are a note. A part that a switch turns off: another module of the same class uses it.

    ## How sure
    Proved for the recorded steps, and by the parameters' values at the end of the run for the rest.

    ## References
    PyTorch, DistributedDataParallel, `find_unused_parameters`.
    """
    # timid: a forward that raised would have gone on
    if not any(step.graph.ops and any(step.events("backward")) for step in index.steps):
        return
    unused = [p for p in index.parameters.values() if _unused(index, p)]
    names = {p.name for p in unused}
    used = {module for p in index.parameters.values() if p.trainable and p.name not in names for module in _modules(p.name)}
    groups: dict[str, list[Parameter]] = {}
    for parameter in unused:
        groups.setdefault(_module(parameter.name, used), []).append(parameter)
    others = [p for p in index.parameters.values() if p.name not in names]
    elsewhere, shared = _made_at(others), ways(p.site for p in others)
    for module, members in groups.items():
        if any(_switched(module, members[0], p) for p in elsewhere.get(_line(members[0]), ())):
            continue
        yield _about(module, members, apart(members[0].site, shared))


def _unused(index: Index, parameter: Parameter) -> bool:
    ending = index.record.endings.get(parameter.name)
    if not parameter.trainable or not (parameter.optimizer or parameter.name in index.held):
        return False
    if any(parameter.name in names for names in (index.reached, index.once(left_out), index.with_gradient)):
        return False
    # timid: without the end of the run, an expert that a later batch chooses looks just the same
    return ending is not None and not ending.changed and not ending.gradient_seen


def _line(parameter: Parameter) -> tuple[str, int] | None:
    return parameter.site.line_of_code if parameter.site else None


def _made_at(parameters: Iterable[Parameter]) -> dict[tuple[str, int] | None, list[Parameter]]:
    """Line of code to the parameters that were made there, if it is known."""
    found: dict[tuple[str, int] | None, list[Parameter]] = {}
    for parameter in parameters:
        if parameter.site is not None:
            found.setdefault(_line(parameter), []).append(parameter)
    return found


def _switched(module: str, unused: Parameter, used: Parameter) -> bool:
    """Another module of the class uses the part of this name, made on the same line: a switch decides, as for a network with and without its normalisation."""
    name = _AGAIN.sub("", used.name)
    if name == _AGAIN.sub("", unused.name):
        return True
    outer, _, part = module.rpartition(".")
    other, found, _ = name.rpartition(f".{part}{unused.name.removeprefix(module)}")
    return bool(outer and found) and other != outer


def _modules(name: str) -> list[str]:
    """The modules that a parameter is in, the outermost first; Keras' paths have slashes."""
    return [name[: found.start()] for found in _PART.finditer(name)]


def _module(name: str, used: set[str]) -> str:
    """The outermost module in which nothing trainable is used; the parameter's own name where it stands alone."""
    return next((module for module in _modules(name) if module not in used), name)


def _about(module: str, members: Sequence[Parameter], site: Site | None) -> Diagnosis:
    library = all(p.library for p in members)
    count = "its parameter" if len(members) == 1 else f"its {len(members)} parameters"
    whole = module != members[0].name
    names = tuple(p.name for p in members)
    return Diagnosis(
        "WG306",
        "unused-parameter",
        # timid: a library's model declares more than one task needs
        "note" if library else "warning",
        "proved",
        f"`{module}` is never used: no forward reads {count}" if whole else f"`{module}` is never used: no forward reads it",
        site=site,
        label="made here and handed to the optimizer, never called",
        evidence=(
            Evidence("read by no op of any recorded step", "parameters_unused", len(members)),
            Evidence("no gradient, and the same values at the end of the run as at the first recorded step"),
        ),
        help=f"call `{module}` in the forward, or remove it"
        if not library
        else f"leave it, or freeze `{module}` so that the optimizer need not hold it",
        facts=frozenset(Fact(what, name) for name in names for what in ("unused", "no-gradient")),
        explains=frozenset(Fact("unmoved", name) for name in names),
        names=(module, *names),
        remedy=None if library else _called_instead(re.split(r"[./]", module)[-1], site),
    )


def _called_instead(layer: str, site: Site | None) -> Remedy | None:
    """The layer where another one is called in its place, as after copying a line; or the forgotten method that calls it."""
    edit = Edit("mistake", site, written=layer) if site is not None and layer.isidentifier() else None
    return remedy(
        f"call `{layer}` where another one is called in its place",
        edit,
        changes=f"`{layer}`, or the method that calls it, takes the place of that call",
    )
