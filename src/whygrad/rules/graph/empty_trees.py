"""The part of WG305 that tells of a derivative by a tree without arrays."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact, Related
from whygrad.flow import Index, StepIndex
from whygrad.idioms import idiom
from whygrad.ir import Event, Site
from whygrad.rules.phrases import listed


def about_empty_tree(index: Index, step: StepIndex, event: Event) -> Diagnosis:
    """Where arrays are parameters by being differentiated, as in JAX: a tree without any."""
    plain = event.attributes.get("plain")
    numbers = [str(name) for name in plain] if isinstance(plain, tuple) else []
    site, label, related = _places(index, event)
    return Diagnosis(
        "WG305",
        "frozen-parameters",
        "error",
        "proved",
        f"the derivative is taken by no array at all: {_said_of(numbers) or 'what is differentiated holds none'}",
        site=site,
        label=label,
        related=related,
        evidence=(
            Evidence("0 arrays are differentiated, and no update of the run has anything to change", "asked", 0),
            *_constants(step, event),
        ),
        help=f"make {'arrays of them' if len(numbers) > 1 else 'an array of it'}, `jnp.asarray({numbers[0]})`: equinox differentiates arrays alone"
        if numbers
        else idiom(index, "differentiate something"),
        explains=frozenset({Fact("no-update", str(step.step.kind)), Fact("stands", str(step.step.kind))}),
        kind=step.step.kind,
        step=step.step.index,
        names=("backward",),
    )


def _places(index: Index, event: Event) -> tuple[Site | None, str, tuple[Related, ...]]:
    """The line that is to be edited, what is marked there, and what belongs to it."""
    optimizer, put = index.record.optimizers[0], _put(event)
    asked = (Related(event.site, "the derivative by the same empty tree"),) if event.site else ()
    made = (Related(optimizer.site, f"`{optimizer.name}` is made here"),) if optimizer.site else ()
    if put is not None:
        return put, "is a Python number here", (*asked, *made)
    # whoever chose the arrays did so before the optimizer was made for none
    if optimizer.site is not None and any(group.settings.get("empty") for group in optimizer.groups):
        return optimizer.site, f"`{optimizer.name}` is made for no array", asked
    return event.site, "differentiates by an empty tree", made


def _put(event: Event) -> Site | None:
    """Where the first of the Python numbers in the tree is put into its object."""
    match event.attributes.get("put_at"):
        case (str(file), int(line), str(kind), str(text)):
            return Site(file, line, function=kind, text=text)
        case _:
            return None


def _said_of(names: list[str]) -> str:
    return f"{listed(names)} {'is a Python number' if len(names) == 1 else 'are Python numbers'}" if names else ""


def _constants(step: StepIndex, event: Event) -> Iterator[Evidence]:
    """What an object holds that shapes the loss all the same."""
    origins = frozenset[str]().union(*(step.upstream(name) for name in event.targets))
    fixed = [step.value(name) for name in sorted(origins) if name not in step.from_data and name in step.values]
    held = [
        value.called
        for value in fixed
        if value.shape and value.dtype.startswith(("f", "bf")) and value.called.count(".") and "(" not in value.called
    ]
    if held:
        yield Evidence(
            f"{listed(held)} {'shapes' if len(held) == 1 else 'shape'} the loss as {'a constant' if len(held) == 1 else 'constants'}"
        )
