"""WG317: weights that were one parameter are several."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Remedy
from whygrad.flow import Index
from whygrad.flow.timeline import Moment, timeline
from whygrad.idioms import speaks
from whygrad.ir import Parameter, Site
from whygrad.rules import rule
from whygrad.rules.graph.transposed_once import transposed_once
from whygrad.rules.phrases import distinct, figure, listed, places
from whygrad.rules.remedies import remedy, unseen


@rule("WG317", "broken-tie", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Weights that the model ties together were separated: each is trained on its own.

    ## What it finds
    Parameters that were one and the same under several names, that loading a checkpoint with `assign=True` replaced by separate ones, and that the recorded steps train apart. In JAX, two
    leaves of a tree that begin as one array, in one of which rows are looked up while the other is multiplied with. And a weight of which a layer takes
    the transpose once, when it is made, to share it: the copy stays as it was while the weight is trained.

    ## Why it matters
    An output layer that is tied to the embedding ends up as another matrix. Nothing is raised, and the loss falls; saved under one name and loaded as tied again, the model
    loses one of the two.

    ## When it is fine
    Models that tie their weights again after loading, as `tie_weights()` does: what counts is what the recorded steps find.

    ## How sure
    Proved: the names were one parameter before the call and are several in the recorded steps.

    ## References
    PyTorch, `torch.nn.Module.load_state_dict`, `assign`; Press and Wolf, "Using the output embedding to improve language models" (2017).
    """
    moments = [moment for moment in index.once(timeline) if moment.event.kind == "untie"]
    yield from distinct(found for moment in moments if (found := _about(index, moment)) is not None)
    yield from distinct(transposed_once(index))


def _about(index: Index, moment: Moment) -> Diagnosis | None:
    names = moment.event.targets
    apart = [parameter for name in names for parameter in (_called(index, name),) if parameter is not None]
    if len({p.name for p in apart}) < 2 or not any(p.trainable for p in apart):  # noqa: PLR2004 - a pair
        return None
    first, second = apart[0], apart[1]
    jax = speaks(index, "jax")
    return Diagnosis(
        "WG317",
        "broken-tie",
        "warning",
        "proved",
        f"{listed(names)} begin as one array, and are {len(apart)} parameters that are trained apart"
        if jax
        else f"{listed(names)} were one parameter, and are {len(apart)} since this was loaded",
        site=moment.event.site,
        label="one array, which stands in two places of the tree" if jax else "puts separate tensors where one was shared",
        related=places((second.site, f"`{second.name}`")),
        evidence=(
            Evidence("before the first update both held the same numbers, and after it they do not", "parameters", len(apart))
            if jax
            else Evidence("before the call the names stood for one parameter, after it for several", "parameters", len(apart)),
            Evidence(
                f"the recorded steps find both: `{first.name}` with gradient norm {figure(first.gradient_norm)}, `{second.name}` with {figure(second.gradient_norm)}"
            ),
        ),
        help=f"read `{names[0]}` in both places, and keep no `{names[1]}`; equinox ties two places by `eqx.nn.Shared`"
        if jax
        else f"load without `assign=True`, or tie again afterwards: let `{names[1]}` be `{names[0]}`",
        kind=moment.step.step.kind,
        step=moment.step.step.index,
        names=names,
        remedy=_copied(moment.event.site),
    )


def _copied(site: Site | None) -> Remedy | None:
    """Numbers that are copied into the parameters as they are, tied; the loss of training need not show it."""
    told = Edit("argument", site, calls=("load_state_dict",), keyword="assign") if site and "assign" in site.text else None
    return unseen(remedy("copy the numbers into the parameters", told, changes="parameters keep the dtype that the model gave them"))


def _called(index: Index, name: str) -> Parameter | None:
    """The parameter of that name, with the model's variable in front or without."""
    return index.parameters.get(name) or next((p for known, p in index.parameters.items() if known.endswith(f".{name}")), None)
