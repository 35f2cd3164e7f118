"""The part of WG413 about running statistics that a training step computes and nobody keeps."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence
from whygrad.flow import Index, StepIndex
from whygrad.ir import Op, Site
from whygrad.rules.phrases import listed, places, plural

FORWARDS = ("call", "__call__", "forward")
"""What Keras, flax and equinox name the method that a call of a layer runs."""


def thrown_away(index: Index) -> Iterator[Diagnosis]:
    """One diagnosis, where the program evaluates by these statistics."""
    evaluated = next((origin for origin in index.record.origins if origin.setting == "statistics" and origin.site), None)
    if evaluated is None:
        return
    for steps in index.kinds.values():
        trained = [step for step in steps if step.step.differentiated and step.step.updated]
        # in the first step they have to be as they were made
        layers = [_as_made(step) for step in trained[1:]]
        if layers and all(layers) and any(op.outputs == evaluated.values for op in layers[-1]):
            yield _about(trained[-1], layers[-1], evaluated.site)
            return


def _as_made(step: StepIndex) -> tuple[Op, ...]:
    """The normalisations of a training step that run on their batch, if all of them are given means of 0 and variances of 1."""
    ops = [op for op in step.of("batch_norm") if op.attributes.get("training") and not step.shapes_loss.isdisjoint(op.outputs)]
    return tuple(ops) if ops and all(as_made(step, op) for op in ops) else ()


def as_made(step: StepIndex, op: Op) -> bool:
    """Among what it reads are means that are all 0 and variances that are all 1, and that are no parameters."""
    known = {parameter.value for parameter in step.step.parameters}
    figures = [step.value(name).statistics for name in op.inputs if name not in known and name not in step.producer]
    constant = {f.minimum for f in figures if f is not None and f.minimum is not None and f.minimum == f.maximum}
    return {0.0, 1.0} <= constant


def _about(step: StepIndex, ops: tuple[Op, ...], evaluated: Site | None) -> Diagnosis:
    layers = list(dict.fromkeys(op.module or op.output for op in ops))
    applied = model_called(ops[0].site)
    return Diagnosis(
        "WG413",
        "wrong-mode",
        "warning",
        "proved",
        f"the running statistics that {plural(len(layers), 'normalisation layer')} {'computes' if len(layers) == 1 else 'compute'} in training are thrown away, and evaluation reads those of the beginning",
        site=applied,
        label="hands the new statistics back, and the next step is given the old ones",
        related=places((evaluated, "normalises by the running statistics"), (ops[0].site if applied is not ops[0].site else None, "the layer is called here")),
        evidence=(
            Evidence(
                f"after {plural(step.step.index, 'training step')}, {listed(layers)} {'is' if len(layers) == 1 else 'are'} still given means of 0 and variances of 1, as they were made",
                "layers",
                len(layers),
            ),
        ),
        help='carry them over: put `updates["batch_stats"]`, which `apply` hands back, into the state of the next step',
        kind=step.step.kind,
        step=step.step.index,
        names=tuple(layers),
    )  # fmt: skip


def model_called(site: Site | None) -> Site | None:
    """Where the model is called whose forward this place is in; the place itself where it is in none: there the model is what is called."""
    while site is not None and site.callers and site.function.rsplit(".", 1)[-1] in FORWARDS:
        site = site.caller()
    return site
