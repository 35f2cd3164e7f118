"""Experiments as data: what is changed in a replay, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec


class Permute(msgspec.Struct, frozen=True, tag="permute", omit_defaults=True):
    """Permute these values (the labels) along the batch axis, all with the same permutation."""

    values: tuple[str, ...]
    held: tuple[str, ...] = ()
    """Values that were computed from them and stay as they are: the model's inputs, where a program makes its data from its labels."""


class Lift(msgspec.Struct, frozen=True, tag="lift"):
    """Treat these ops (named by their first output) as if no gradient were cut there."""

    ops: tuple[str, ...]


class Bypass(msgspec.Struct, frozen=True, tag="bypass"):
    """Replace these ops (named by their first output) by the identity on their first input."""

    ops: tuple[str, ...]


class Reshape(msgspec.Struct, frozen=True, tag="reshape"):
    """Give this value another shape with the same number of entries before it is used."""

    value: str
    shape: tuple[int, ...]


class Standardise(msgspec.Struct, frozen=True, tag="standardise"):
    """Give these values mean 0 and standard deviation 1, column by column."""

    values: tuple[str, ...]


class Vary(msgspec.Struct, frozen=True, tag="vary"):
    """Draw these values, labels that are all the same, anew: evenly among the whole numbers from 0 to `classes` - 1."""

    values: tuple[str, ...]
    classes: int = 2


class Descend(msgspec.Struct, frozen=True, tag="descend"):
    """Take a few updates on copies of the parameters, once as the program does and once with something changed."""

    steps: int = 4
    factor: float = 1.0
    """The learning rate is multiplied by this."""
    standardise: tuple[str, ...] = ()
    """Values that are standardised first."""
    epsilon: float | None = None
    """The optimizer's epsilon, where that is changed."""
    activate: tuple[str, ...] = ()
    """Ops (named by their first output) whose result goes through a ReLU; the descents then go without dropout."""
    control: tuple[str, ...] = ()
    """Labels that are permuted for another pair of descents: what these gain is learnt by heart."""
    thaw: tuple[str, ...] = ()
    """Frozen parameters that are trained as well, by the settings of the first optimizer."""
    joined: tuple[str, ...] = ()
    """Parameters that the program does not move and that are moved as well, by the settings of the first optimizer; without the change they stay."""
    unlimited: bool = False
    """Without the limit that a clipping behind the optimizer sets to whole updates."""
    decay: float | None = None
    """The optimizer's weight decay, where that is changed."""


class Unhook(msgspec.Struct, frozen=True, tag="unhook"):
    """Calculate the gradient without the hooks that the program put on these values, which are parameters."""

    values: tuple[str, ...]


class Differentiate(msgspec.Struct, frozen=True, tag="differentiate"):
    """Compare the derivative that these ops (named by their first output) give themselves with finite differences of what they compute."""

    ops: tuple[str, ...]


class Perturb(msgspec.Struct, frozen=True, tag="perturb"):
    """Change the later positions of a sequence that the model reads, in half of its rows, and compare what it predicts at the earlier ones.

    Only where the target at each position is what the sequence has at the next one.
    """

    value: str
    """The sequence."""
    op: str
    """What the loss reads as the prediction."""
    target: str


class Reword(msgspec.Struct, frozen=True, tag="reword"):
    """Change every word of the rows of a sequence that end in much padding, and compare what is predicted for them; once more with the padding in front."""

    value: str
    """The sequence: ids, or features."""
    op: str
    """What the loss reads as the prediction, with a row for each of the sequence."""
    axis: int = 1
    """The axis of the positions."""


class Reseed(msgspec.Struct, frozen=True, tag="reseed"):
    """Draw the random numbers of these ops (named by their first output) anew, several times, and compare the gradients."""

    ops: tuple[str, ...]


class Follow(msgspec.Struct, frozen=True, tag="follow"):
    """Put the parameters in that a run kept at some of its moments, and look at the loss; only `whygrad fix` asks for it."""

    folder: str
    """Where they were kept, a file for each moment."""


Intervention = (
    Permute | Lift | Bypass | Reshape | Standardise | Vary | Descend | Unhook | Differentiate | Perturb | Reseed | Follow | Reword
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What one intervention did to the replay of a recorded step."""

    intervention: Intervention
    loss: float | None = None
    """The loss of the changed replay."""
    gradient_norm: float | None = None
    """L2 norm over all trainable parameters; None where nothing could be differentiated."""
    gradients: Mapping[str, float] = field(default_factory=dict)
    """L2 norm by parameter name, for parameters that a gradient reached in the changed replay."""
    change: float | None = None
    """||g - g'|| / max(||g||, ||g'||) against the unchanged replay, 0 to 2; None for 0/0."""
    reason: str = ""
    """Why it could not be done, where it could not."""
    losses: tuple[float, ...] = ()
    """Of a descent: the loss before the first update and after each, with the change."""
    plain: tuple[float, ...] = ()
    """The same without the change."""
    figures: Mapping[str, float] = field(default_factory=dict)
    """Of an unhooked gradient: `zeroed` (share of its entries that the hooks set to zero), `cosine`, `hooked` and `bare` (norms). Of a differentiated op: `checked` entries,
    and of those `wrong`, `opposed` and `zero`, for the `input` that is worst; `deaf` where its gradient does not depend on the one that the op is given; `identity` where the op returns its input.
    Of a perturbed sequence: `leak` and `control` (relative change of what is predicted before the changed positions, in the rows that were changed and in those that were not),
    `shifted` and `same` (share of targets equal to the next and to the same entry of the sequence). Of a reworded sequence: `behind` and `before` (relative change of the
    predictions for the rows with much padding, as they are and with the padding in front), `rows` of that sort, and `of` how many. Of reseeded ops: `cosine` (mean over pairs of gradients). Of a
    descent with a control: `permuted` and `permuted_plain` (its last losses with permuted labels, with and without the change). Of a run that was followed: how many
    losses it had seen, to the step's loss by its parameters then."""
    where: str = ""
    """Of a perturbed sequence: the first value that has changed before the changed positions."""
