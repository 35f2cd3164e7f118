"""WG410: clipping leaves almost nothing of the gradient."""

from collections.abc import Iterator
from math import hypot, prod, sqrt

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.flow.timeline import Moment, place, timeline
from whygrad.idioms import speaks
from whygrad.ir import Optimizer, Parameter, Site
from whygrad.rules import rule
from whygrad.rules.phrases import distinct, figure, finite, plural
from whygrad.rules.remedies import remedy
from whygrad.rules.update.wrong_order import why_useless

LEFT = 1e-2
"""Largest share of the gradient that counts as almost nothing. Recurrent networks are clipped to a tenth or a twentieth as a matter of course."""
STILL = 1e-5
"""Movement of the parameters, relative to their norm, below which nothing happens in a run of a usual length: at this pace a parameter needs a hundred thousand updates to
move by its own size, while 1e-3 is the common rule of thumb for a healthy update."""
SCALE_FREE = (
    "adam",
    "adamw",
    "nadam",
    "radam",
    "adamax",
    "rmsprop",
    "adagrad",
    "adadelta",
    "lamb",
    "lion",
    "adafactor",
    "rprop",
    "sparseadam",
)
"""Optimizers that divide by the gradient's own size, so that a constant factor does not change their update, unless what is left lies below their epsilon."""


@rule("WG410", "clipped-away", "warning")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    Clipping leaves so little of the gradient that the parameters hardly move.

    ## What it finds
    Plain or momentum gradient descent whose gradients are clipped, in each recorded step, to less than a hundredth of their norm, and whose updates then move the
    parameters by no more than 1e-5 of their norm: a limit of 1e-3 or less, or the rate handed over as the limit.

    ## Why it matters
    The update is rate times limit, whatever the gradient is. The loss falls as slowly as with a rate that many times smaller.

    ## When it is fine
    Adam and its relatives divide by the gradient's size, so that a factor cancels, unless what is left is smaller than their epsilon. Limits that bite at the first steps alone are the purpose of clipping: parameters
    that move on are left alone.

    ## How sure
    Measured: the norm before clipping, the limit, and how far the parameters moved.

    ## References
    PyTorch, `torch.nn.utils.clip_grad_norm_`; Keras, `clipnorm` and `global_clipnorm`; optax, `clip_by_global_norm`; Pascanu and others, "On the difficulty of training recurrent neural networks" (2013); `whygrad explain WG414` for clipping at the
    wrong place.
    """
    groups: dict[object, list[Moment]] = {}
    moments = index.once(timeline)
    for at, moment in enumerate(moments):
        # timid: what is clipped while a scaler has multiplied it is as small as it should be once it is unscaled first (WG414)
        if moment.event.kind == "clip" and why_useless(moments, at) != "scaled":
            groups.setdefault(place(moment.event.site), []).append(moment)
    yield from distinct(_about(index, group) for group in groups.values() if len(group) > 1 and all(_away(index, m) for m in group))


def _away(index: Index, moment: Moment) -> bool:
    """Almost nothing was left, and nothing moved for it."""
    share = _left(moment)
    if share is None or share > LEFT:
        return False
    mine = [p for p in _clipped(moment) if p.optimizer]
    held = {o.name: o for o in index.record.optimizers}
    if any(o.native.lower() in SCALE_FREE and not _below_epsilon(moment, p, o) for p in mine if (o := held.get(p.optimizer)) is not None):
        return False
    moved = _movement(mine)
    return moved is not None and moved <= STILL


def _below_epsilon(moment: Moment, parameter: Parameter, optimizer: Optimizer) -> bool:
    """What clipping leaves of a gradient is smaller than what the optimizer adds to the gradient's size before it divides by that."""
    epsilon = next((e for group in optimizer.groups if isinstance(e := group.settings.get("eps"), float)), 0.0)
    limit, shape = moment.event.attributes.get("limit"), moment.step.value(parameter.value).shape
    return isinstance(limit, float) and shape is not None and limit / sqrt(max(1, prod(shape))) < epsilon


def _clipped(moment: Moment) -> list[Parameter]:
    """The parameters that were clipped; all, where the program handed over an iterator."""
    return [p for p in moment.step.step.parameters if p.name in moment.event.targets or not moment.event.targets]


def _left(moment: Moment) -> float | None:
    """The share of the norm that clipping left; None where that is unknown."""
    norm, limit = moment.event.attributes.get("norm"), moment.event.attributes.get("limit")
    if not isinstance(norm, float) or not isinstance(limit, float) or not finite(norm) or norm <= 0:
        return None
    return limit / norm


def _movement(parameters: list[Parameter]) -> float | None:
    """How far all of them moved together, for their size together: what starts at zero moves far for its own; None where that is unknown."""
    pairs = [(p.update_norm, p.norm) for p in parameters]
    known = [(moved, norm) for moved, norm in pairs if moved is not None and norm is not None and finite(moved) and finite(norm)]
    size = hypot(*(norm for _, norm in known))
    return hypot(*(moved for moved, _ in known)) / size if known and len(known) == len(pairs) and size > 0 else None


def _about(index: Index, moments: list[Moment]) -> Diagnosis:
    event, step = moments[0].event, moments[0].step
    norm, limit = event.attributes.get("norm"), event.attributes.get("limit")
    assert isinstance(norm, float)  # `_left` has seen them
    assert isinstance(limit, float)
    moved = _movement([p for p in _clipped(moments[0]) if p.optimizer]) or 0.0
    optimizer = _holder(index, tuple(p.name for p in _clipped(moments[0])))
    return Diagnosis(
        "WG410",
        "clipped-away",
        "warning",
        "measured",
        f"clipping leaves {limit / norm:.1g} of the gradient: its norm is {figure(norm)}, the limit {figure(limit)}",
        site=event.site,
        label=f"clips to {figure(limit)}",
        evidence=(
            Evidence(
                f"so in {plural(len(moments), 'recorded step')}: at most {limit / norm:.1g} of the norm is left", "share_left", limit / norm
            ),
            Evidence(f"an update moves the parameters by {moved:.1g} of their norm", "update_ratio", moved),
        ),
        explains=frozenset((Fact("stands", str(step.step.kind)), *(Fact("unmoved", p.name) for p in _clipped(moments[0])))),
        help=f"clip to about the usual norm of the gradient, {figure(norm)} here"
        + (f"; `{optimizer.name}` steps at {figure(optimizer.last_rate)}" if optimizer else ""),
        kind=step.step.kind,
        step=step.step.index,
        names=("clip",),
        remedy=_remedy(index, event.site, norm),
    )


def _holder(index: Index, targets: tuple[str, ...]) -> Optimizer | None:
    return next((o for o in index.record.optimizers if any(name in targets for group in o.groups for name in group.parameters)), None)


def _remedy(index: Index, site: Site | None, norm: float) -> Remedy | None:
    """The gradient's own norm as the limit, so that only what exceeds it is clipped."""
    limit = f"{norm:.2g}"
    if site is None:
        return None
    if "clip_grad" in site.text:
        told = Edit("wrap", site, limit, keyword="max_norm", position=1)
    elif "clip_by_global_norm(" in site.text:  # optax' takes the limit alone, TensorFlow's the gradients first
        keyword, position = ("max_norm", 0) if speaks(index, "jax") else ("clip_norm", 1)
        told = Edit("wrap", site, limit, ("clip_by_global_norm",), keyword, position)
    else:
        told = Edit("wrap", site, limit, keyword="global_clipnorm" if "global_clipnorm" in site.text else "clipnorm")
    return remedy(
        f"clip to {limit}",
        told,
        otherwise=(Edit("wrap", site, limit, keyword="clipvalue"),),
        changes=f"{limit} is the norm of the gradient as it was measured here",
    )
