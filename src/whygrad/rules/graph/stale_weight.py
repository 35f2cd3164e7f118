"""WG318: the forward reads a copy of the trained weight that was made before the updates."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Evidence, Fact
from whygrad.flow import Index, StepIndex
from whygrad.flow.failures import Carried, carried, failures
from whygrad.ir import Parameter
from whygrad.rules import rule
from whygrad.rules.graph.freed_graph import made_anew
from whygrad.rules.graph.half_copies import half_copies
from whygrad.rules.graph.kept_untracked import kept_untracked
from whygrad.rules.graph.taken_in import outdated, taken_in
from whygrad.rules.phrases import distinct, figure, listed, places, typed


@rule("WG318", "stale-weight", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The trained weight is not the one that the forward reads: a copy made earlier stands in for it.

    ## What it finds
    A value with a graph that was computed from a trainable parameter in an earlier step or before training, that a later step's loss is computed from, while the parameter itself has
    been updated in between and no longer enters the loss: fused projections, a cast to lower precision that is cached, a weight that is normalised once.
    In JAX, parameters that a jitted function reads through a static `self` or a variable around it: they are constants of what was compiled, and the updates made since are not read. That
    holds for a compiled evaluation too, where the variable has been bound anew since, or where the new parameters are handed in and not read. And, with optax, copies in lower precision by which the
    gradient is taken, made once from the weights that every update goes to. Also what a forward kept of its weights from a call with tracking off, such as one that only prints the output's shape.

    ## Why it matters
    The gradient still flows through the copy's graph to the parameter, and the optimizer moves it: gradients and weights look alive, and the model never changes.

    ## When it is fine
    What is made anew in every forward; copies without a graph, such as targets, memory banks and replayed outputs; parameters that the forward reads as well.

    ## How sure
    Proved: the record shows where the copy was made, that the parameter was updated afterwards, and that the later loss depends on the copy alone.

    ## References
    PyTorch, `torch.nn.utils.parametrize.cached`; `whygrad explain WG310` for graphs that are used up.
    """
    # timid: a backward that was refused has its cause there
    yield from taken_in(index)
    yield from outdated(index)
    yield from half_copies(index)
    yield from kept_untracked(index)
    ended = {failure.step for failure in index.once(failures)}
    yield from distinct(_about(item, stale) for item in index.once(carried) if item.step not in ended and (stale := _stale(index, item)))


def _stale(index: Index, item: Carried) -> tuple[Parameter, ...]:
    """The parameters that the copy was made from, that moved since, and that the loss no longer reads."""
    if item.made is None or item.born is None or item.value.role == "parameter":
        return ()
    origins = item.born.upstream(item.value.name)
    made_from = [p for p in item.born.step.parameters if p.trainable and p.value in origins]
    now = {p.name: p for p in item.step.step.parameters}
    return tuple(p for p in made_from if p.name in now and _moved(index, item, p) and not _read(item.step, now[p.name]))


def _moved(index: Index, item: Carried, parameter: Parameter) -> bool:
    """An update between the making and the use changed it."""
    assert item.born is not None  # `_stale` has looked
    between = [s for s in index.steps if item.born.step.index <= s.step.index < item.step.step.index]
    return any(p.name == parameter.name and (p.update_norm or 0.0) > 0 for s in between for p in s.step.parameters)


def _read(step: StepIndex, parameter: Parameter) -> bool:
    return parameter.reached or parameter.value in step.shapes_loss


def _about(item: Carried, stale: tuple[Parameter, ...]) -> Diagnosis:
    assert item.born is not None  # `_stale` has looked
    assert item.made is not None
    names = tuple(p.name for p in stale)
    first, copy = stale[0], item.value if item.value.called else item.born.value(item.value.name)
    return Diagnosis(
        "WG318",
        "stale-weight",
        "error",
        "proved",
        f"the forward reads a copy of {listed(names)} that was made before the updates",
        site=item.made.site or item.used.site,
        label="the copy is made here, once",
        related=places((item.used.site, "and read here in every step")),
        evidence=(
            Evidence(
                f"{typed(copy)} was made in step {item.born.step.index}, or before it, and step {item.step.step.index} computes its loss from it",
                "step_made",
                item.born.step.index,
            ),
            Evidence(
                f"`{first.name}` moved by {figure(first.update_norm)} in between (norm {figure(first.norm)}), and no op of step {item.step.step.index} reads it",
                "update_norm",
                first.update_norm,
            ),
        ),
        help="make the copy anew in every forward; if it is kept for speed, drop it after each update",
        facts=frozenset(Fact("unused", name) for name in names),
        explains=frozenset(Fact(what, name) for name in names for what in ("unused", "no-gradient", "unmoved"))
        | {Fact(what, str(item.step.step.kind)) for what in ("constant-loss", "insensitive")},
        kind=item.step.step.kind,
        step=item.step.step.index,
        names=names,
        remedy=made_anew(item),
    )
