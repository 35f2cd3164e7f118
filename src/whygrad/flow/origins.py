"""Where, by the source, labels are decided and settings stand."""

from whygrad.flow.index import Index
from whygrad.ir import Op, Optimizer, Parameter, Site


def decided_at(index: Index, name: str) -> tuple[Site, ...]:
    """The places that decide what a value's entries are, the nearest to its use first."""
    return tuple(origin.site for origin in index.record.origins if origin.site is not None and not origin.setting and name in origin.values)


def reordered_at(index: Index, names: tuple[str, ...]) -> tuple[Site, ...]:
    """Where inputs or labels were put into an order that the other side was not, by the source."""
    return tuple(
        o.site for o in index.record.origins if o.setting == "order" and o.site is not None and not set(names).isdisjoint(o.values)
    )


def typed_at(index: Index, name: str) -> Site | None:
    """The call that gave a value its dtype, by the source."""
    return next((o.site for o in index.record.origins if o.setting == "dtype" and name in o.values), None)


def unpacked_at(index: Index, name: str) -> Site | None:
    """The call whose result was taken apart into a value and what it was given beside, by the source."""
    return next((o.site for o in index.record.origins if o.setting == "unpacked" and name in o.values), None)


def weighted_at(index: Index, names: tuple[str, ...]) -> Site | None:
    """The call that gives the sampler of a loader its weights, by the source."""
    return next((o.site for o in index.record.origins if o.setting == "weights" and o.values == names), None)


def asked_at(index: Index, losses: tuple[str, ...]) -> Site | None:
    """Where, by the source, the list was taken of what the gradient of these losses is asked for."""
    return next((o.site for o in index.record.origins if o.setting == "asked" and not set(losses).isdisjoint(o.values)), None)


def switched_off_at(index: Index) -> Site | None:
    """Where tracking was switched off for good while training went on."""
    return next((o.site for o in index.record.origins if o.setting == "untracked"), None)


def evaluated_at(index: Index) -> Site | None:
    """The backward of an evaluation whose gradients came into updates."""
    return next((o.site for o in index.record.origins if o.setting == "evaluated"), None)


def started_at(index: Index, parameter: Parameter) -> Site | None:
    """Where, by the source, the initialiser of a parameter stands, if that is not where its layer is made."""
    return next((o.site for o in index.record.origins if o.setting == "start" and parameter.value in o.values), None)


def penalised_at(index: Index, parameter: Parameter) -> Site | None:
    """Where, by the source, the factor of a parameter's penalty stands, if that is not where its layer is made."""
    return next((o.site for o in index.record.origins if o.setting == "penalty" and parameter.value in o.values), None)


def called_in(index: Index, value: str) -> Site | None:
    """The `Lambda` of Keras', by the source, that does nothing but call the layer which holds this parameter."""
    return next((o.site for o in index.record.origins if o.setting == "lambda" and value in o.values), None)


def mode_asked_at(index: Index, names: tuple[str, ...]) -> Site | None:
    """What, by the source, decides that the layer which made these runs in evaluation mode."""
    return next((o.site for o in index.record.origins if o.setting == "mode asked" and o.values == names), None)


def turned_at(index: Index) -> Site | None:
    """The one place that turns gradients round, or adds what should be taken off."""
    return next((o.site for o in index.record.origins if o.setting == "turned"), None)


def branch_at(index: Index, label: str) -> Site | None:
    """What, by the source, decides that the function which is given these labels does not take the branch that reads them."""
    return next((o.site for o in index.record.origins if o.setting == "branch" and label in o.values), None)


def unkept_at(index: Index) -> Site | None:
    """Where, by the source, a function takes parameters over and keeps what it makes of them from everybody."""
    return next((o.site for o in index.record.origins if o.setting == "unkept"), None)


def chosen_at(index: Index, names: tuple[str, ...]) -> Site | None:
    """What, by the source, says of these parameters that they are frozen."""
    return next((o.site for o in index.record.origins if o.setting == "chosen" and o.values == names), None)


def seeded_at(index: Index, op: Op) -> Site | None:
    """Where the generator of a draw was seeded, by the source."""
    found = (o.site for o in index.record.origins if o.setting == "seed" and o.values == op.outputs)
    return next(found, None)


def told_no_mode(index: Index, outputs: tuple[str, ...]) -> bool:
    """The source of a dropout leaves the mode out."""
    return any(origin.setting == "mode" and origin.values == outputs for origin in index.record.origins)


def set_at(index: Index, optimizer: Optimizer, setting: str) -> Site | None:
    """The literal elsewhere that an optimizer's setting comes from, or the function that reckons the factor of its schedule."""
    found = (origin.site for origin in index.record.origins if origin.optimizer == optimizer.name and origin.setting == setting)
    return next(found, None)


def rate_set_at(index: Index, optimizer: Optimizer) -> Site | None:
    """The line to edit for another rate: the literal, wherever it stands."""
    return set_at(index, optimizer, "lr") or optimizer.site
