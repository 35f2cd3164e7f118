"""What happened in one training step, beside its graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from whygrad.ir.births import Birth
from whygrad.ir.ops import Attribute, Graph
from whygrad.ir.sites import Site
from whygrad.ir.trials import Trial

EventKind = Literal[
    "tracking", "clear", "backward", "clip", "unscale", "optimizer_step", "update", "scheduler_step",
    "train", "eval", "freeze", "unfreeze", "load", "exception", "autocast", "batch", "hook", "untie", "skipped", "dropped",
    "ascent", "exchanged", "accumulate", "assign", "marked", "outdated", "spoilt", "settled",
]  # fmt: skip
"""`tracking`: gradient tracking switched (attribute `on`). `clear`: gradients of the targets set to None or zero. `update`: parameters changed by
hand, without an optimizer. `load`: parameters overwritten from a checkpoint. `batch`: a data loader handed out the targets.
`hook`: a hook was put on the gradient of the targets. `skipped`: a gradient scaler declined to step the targets, which are optimizers. `dropped`: new values of the targets were
computed, and nothing kept them (attribute `what`: `update`, `applied`, `module` or `returned`, after what was the last to be done with them; `restored` where earlier values were put back `times` in a row, over `updates` in all). `untie`: what was one parameter under the targets' names is several now.
`ascent`: the gradients of the targets were added to them as they are. `exchanged`: the update that was made for the targets took their place. `accumulate`: the program itself added gradients of the targets to those that an update had used.
`assign`: the program wrote the gradients of the targets itself, `p.grad = …`; without a target, those of tensors that are no parameters.
`marked`: the program asked for a gradient of the targets, which are values and no parameters: `loss.requires_grad = True`.
`settled`: a compiled step was called `calls` times while the number `name` was `now`, and goes on with what it `was` when it was traced; `test` is the condition that it decided there.
`outdated`: a compiled `function` was called `calls` times and read earlier values of the targets, which it had taken in when it was traced; `variable` is where from, `given` whether it is handed newer ones.
`spoilt`: when the loss of a later `step`, which was not recorded, was not finite, the variable `name` of that `type` held NaN and no parameter did; it was given its value at the site."""

GradientState = Literal["none", "zero", "finite", "non-finite"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened between ops."""

    kind: EventKind
    at: int
    """How many ops of the step had run before it."""
    targets: tuple[str, ...] = ()
    """backward, batch, marked: values; clear, update, freeze, unfreeze, load, dropped, ascent, exchanged, accumulate, assign, outdated: parameters; clip, unscale, optimizer_step, scheduler_step: optimizers."""
    site: Site | None = None
    attributes: Mapping[str, Attribute] = field(default_factory=dict)
    """backward: `stale` (number of parameters whose gradient, already used by an update, was still there), `asked` (0 where the
    gradient of no variable was asked for), `plain` (places of what was differentiated then that hold Python numbers), `put_at` (file, line, class and text of where the first is set); exception: `type`, `message`;
    optimizer_step: `rate`, `idle` (nothing that it held had a gradient); tracking: `on`;
    update: `along` (the cosine of what the program itself added to the first of the parameters with its gradient)."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A trainable or frozen tensor of a model, as this step found and left it."""

    name: str
    """Qualified, `encoder.weight`; behind the model's variable where there are several models."""
    value: str
    """Name of its value before the update."""
    trainable: bool = True
    registered: bool = True
    """Known to the model (`model.parameters()`), or to no model at all."""
    owner: str = ""
    """Class of the module that holds it, with its module path: `train.Encoder`, `torch.nn.modules.linear.Linear`."""
    library: bool = False
    """The module directly above the built-in layers comes from an installed library, not from the user's own code."""
    loaded: bool = False
    """Overwritten from a checkpoint or copied from another parameter after its initialisation."""
    optimizer: str = ""
    """Name of the optimizer that holds it, "" for none."""
    reached: bool = False
    """The forward of this step read it."""
    gradient: GradientState = "none"
    """After the backward."""
    gradient_norm: float | None = None
    gradient_at_update: GradientState | None = None
    """When the optimizer's update began; None if none did."""
    norm: float | None = None
    """L2 norm of the parameter before the update."""
    update_norm: float | None = None
    """L2 norm of what the update changed; from a sample of large tensors."""
    moved: float | None = None
    """Share of its entries that the update changed."""
    rounded: float | None = None
    """Of its entries with a gradient, the share that the update left as they were; measured for half precision."""
    symmetric: bool = False
    """All its rows are equal, and all rows of its gradient are."""
    unwritten: bool = False
    """Its memory was reserved and nothing was ever written there."""
    site: Site | None = None
    """Where the module or tensor that holds it was made, if known."""
    along: float | None = None
    """Cosine of what the update added with the gradient of the backward: near 1 where it climbs the loss, -1 for plain descent. Where the front end keeps gradients."""


@dataclass(frozen=True, slots=True)
class Scope:
    """One call of a function of the user's in which ops ran, with the tensors that it was given."""

    function: str
    arguments: Mapping[str, str] = field(default_factory=dict)
    """Argument name to value name; `batch['labels']` or `batch[1]` for tensors inside a container."""
    site: Site | None = None
    """Where the function is defined."""
    caller: Site | None = None
    """Where it was called."""
    unread: tuple[str, ...] = ()
    """Arguments that the function's source never mentions."""
    parent: int | None = None
    """Index of the scope that called this one."""


@dataclass(frozen=True, slots=True)
class Labels:
    """Which values are the labels, and how they were found."""

    values: tuple[str, ...] = ()
    how: str = ""
    """`given`, `framework`, `batch` (a part of a batch that does not enter the model), `target` (passed to a loss), `argument` (given to a
    function that makes the loss), `operand` (meets the model's output in a hand-written loss)."""
    reason: str = ""
    """Where none were found: what was looked at."""


@dataclass(frozen=True, slots=True)
class Measures:
    """The few figures that every report shows."""

    loss: float | None = None
    gradient_norm: float | None = None
    label_sensitivity: float | None = None
    """S of the design, 0 to 2."""
    sensitivity_reason: str = ""
    """Why S is None."""
    noise_floor: float | None = None
    """The same measure between two unchanged replays."""
    loss_permuted: float | None = None
    """The loss with the labels permuted."""
    reproduced: bool | None = None
    """The unchanged replay gave the recorded gradients bit for bit."""


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded training step."""

    index: int
    """Number of the step in the run, from 0."""
    kind: int = 0
    """Steps that update the same parameters from the same backward are of one kind."""
    graph: Graph = field(default_factory=Graph)
    events: tuple[Event, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    scopes: tuple[Scope, ...] = ()
    labels: Labels = field(default_factory=Labels)
    measures: Measures = field(default_factory=Measures)
    trials: tuple[Trial, ...] = ()
    updated: bool = False
    """At least one parameter was updated, by an optimizer or by hand."""
    births: tuple[Birth, ...] = ()
    """Where numbers that are not finite were born, in this step or in a later one that is like it."""
    modes: Mapping[str, bool] = field(default_factory=dict)
    """Module with dropout or batch normalisation to whether it was in training mode at the backward."""

    @property
    def differentiated(self) -> tuple[str, ...]:
        """Names of the values that a backward was asked for: the losses."""
        return tuple(dict.fromkeys(name for event in self.events if event.kind == "backward" for name in event.targets))
