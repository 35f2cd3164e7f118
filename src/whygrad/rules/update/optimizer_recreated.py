"""WG416: the optimizer is made anew in the loop, and forgets what it had gathered."""

from collections.abc import Iterator

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index
from whygrad.ir import Optimizer
from whygrad.rules import rule
from whygrad.rules.phrases import plural
from whygrad.rules.remedies import remedy, unseen
from whygrad.rules.remedies_of_settings import begun_once, made_once

OFTEN = 4
"""Optimizers of one place, one rate and the same parameters that count as a loop: two or three are phases of a training, which restart on purpose."""


@rule("WG416", "optimizer-recreated", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    The optimizer is made again and again for the same parameters, or is given the same state each time, so that it starts from nothing at each update.

    ## What it finds
    One place in the source that made four or more optimizers with a state, at the same learning rate and for the same parameter objects: in the loop over epochs, or in the
    function that runs one epoch or one batch. In JAX, an update that is given the very state that the update before was given, while the parameters move on.

    ## Why it matters
    Momentum and Adam's moments are gathered over many updates. Thrown away in each epoch, they begin at zero, and Adam's bias correction makes the first
    updates after each restart as large as the rate. With one optimizer per batch Adam becomes the sign of the gradient. Schedulers and the scaler lose sight of it too.

    ## When it is fine
    A new model with each optimizer (folds, ensembles, inner loops of meta-learning); phases with another rate or other parameters; plain gradient descent, which has no state.

    ## How sure
    Proved: the optimizers that were made at this place for the same parameters were counted. That it does harm is not measured: a warning.

    ## References
    PyTorch, `torch.optim`: construct the optimizer once, before the loop; Kingma and Ba, "Adam: a method for stochastic optimization" (2015), section 3.
    """
    seen: set[object] = set()
    for optimizer in index.record.optimizers:
        key = (optimizer.site.file, optimizer.site.line) if optimizer.site else optimizer.name
        if optimizer.made >= OFTEN and _stateful(optimizer) and key not in seen:
            seen.add(key)
            yield _about(index, optimizer)
        elif optimizer.restarts and key not in seen:
            seen.add(key)
            yield _dropped(optimizer)


def _dropped(optimizer: Optimizer) -> Diagnosis:
    return Diagnosis(
        "WG416",
        "optimizer-recreated",
        "error",
        "proved",
        f"every update of `{optimizer.name}` begins from the same state: the new one that `update` returns is dropped",
        site=optimizer.step_site or optimizer.site,
        label="the state that comes out here must go in at the next step",
        evidence=(
            Evidence(
                f"{plural(optimizer.restarts + 1, 'recorded update')} of {optimizer.restarts + 1} were given the very same state, on other parameters",
                "restarts",
                optimizer.restarts,
            ),
        ),
        help=f"return the new state from the step and pass it on: `updates, opt_state = {optimizer.name}.update(grads, opt_state, params)`"
        if optimizer.step_site is None or ".update" in optimizer.step_site.text
        else "keep the new state that is returned here under the name that is handed in at the next call",
        explains=frozenset({Fact("no-rate", optimizer.name)}),
        names=(optimizer.name,),
        remedy=_carried_over(optimizer),
    )


def _carried_over(optimizer: Optimizer) -> Remedy | None:
    """The new state handed on; that the loss has suffered is not said, so that it need not show."""
    made = remedy("carry the state over", Edit("carry", optimizer.step_site)) if optimizer.step_site else None
    return unseen(made)


def _once(optimizer: Optimizer, *, state: bool) -> Remedy | None:
    """Made before the loop; that the loss has suffered is not said, so that it need not show."""
    made = begun_once(optimizer.site) if state else made_once(optimizer.site, "the optimizer")
    return unseen(made)


def _stateful(optimizer: Optimizer) -> bool:
    """It keeps something from update to update."""
    if optimizer.native.upper() == "SGD":
        return any(bool(group.settings.get("momentum")) for group in optimizer.groups)
    # timid: L-BFGS is commonly made anew for each batch, since its history belongs to one objective
    return optimizer.native not in ("LBFGS", "ASGD", "Rprop")


def _about(index: Index, optimizer: Optimizer) -> Diagnosis:
    updates = index.record.outcome.steps_seen
    state = optimizer.site is not None and ".init(" in optimizer.site.text
    stuck = optimizer.rates is not None and optimizer.rates[1] == 0
    each = max(1, round(updates / optimizer.made))
    return Diagnosis(
        "WG416",
        "optimizer-recreated",
        "error" if stuck else "warning",
        "proved",
        f"the state of `{optimizer.name}` is begun anew {optimizer.made} times for the same parameters, and all that it had gathered is lost"
        if state
        else f"`{optimizer.name}` is made anew {optimizer.made} times for the same parameters, and forgets its state each time",
        site=optimizer.site,
        label=f"{optimizer.made} of them, about {plural(each, 'update')} each" if updates else f"{optimizer.made} of them",
        evidence=(
            Evidence(
                f"{optimizer.made} {'states were begun' if state else 'optimizers were made'} at this line, with one rate and for the same parameters",
                "optimizers_made",
                optimizer.made,
            ),
            Evidence(
                f"{optimizer.native}'s state starts from nothing after about {plural(each, 'update')} of {updates}", "updates_each", each
            ),
        ),
        help=f"call `{optimizer.name}.init(params)` once, before the loop, hand the state in and return the new one"
        if state
        else "make it once, before the loop, and hand it in",
        explains=frozenset({Fact("no-rate", optimizer.name)}) if stuck else frozenset(),
        names=(optimizer.name,),
        remedy=_once(optimizer, state=state),
    )
