"""WG206: raw scores where probabilities or their logarithms are due."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf, isnan

from whygrad.diagnosis import Diagnosis, Edit, Evidence, Fact, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import edited_at
from whygrad.flow.written import losses_of, made_within
from whygrad.idioms import idiom, loss_called, speaks, speaks_torch
from whygrad.idioms.spellings import spelling
from whygrad.ir import Op, Statistics, Value, family
from whygrad.loss_contracts import CONTRACTS, Contract, contract_of, input_of
from whygrad.rules import rule
from whygrad.rules.loss.exceptions import message_of, raised_by
from whygrad.rules.phrases import distinct, figure, places, typed
from whygrad.rules.remedies import ACTIVATIONS, GIVEN, called_instead, is_written_out, names_of, operand, remedy, setting

TOLERANCE = 1e-3
"""How far rounding in half precision may take a probability, or its logarithm, out of its range."""
FAR = 0.1
"""How far outside of 0 to 1 something lies that is cut to that range and was never meant as probabilities: sums of probabilities overshoot by rounding alone,
and a layer's raw scores reach this in the first step."""
CUT = "; it is cut to between 0 and 1 first, and what lay outside gets no gradient"
_CUTS = frozenset(("clamp", "hardtanh", "minimum", "maximum"))
_PROBABILITIES = frozenset(("softmax", "sigmoid", "gumbel_softmax"))
_SQUASHED = frozenset(("softmax", "sigmoid", "gumbel_softmax", "hardtanh", "clamp", "minimum", "compare", "create", "where"))
_REFUSAL = "between 0 and 1"


@rule("WG206", "logits-for-probabilities", "error")
def diagnose(index: Index) -> Iterator[Diagnosis]:
    """
    A loss on probabilities, or on their logarithms, is given something else.

    ## What it finds
    `nll_loss`, `kl_div` or `ctc_loss` whose input is above 0 or comes straight from a softmax, so that it can't be log-probabilities;
    `binary_cross_entropy` whose input lies outside 0 to 1, or did by more than a tenth before it was cut to that range; a Poisson likelihood on rates below 0.

    ## Why it matters
    `nll_loss` averages the negative of what it is given: on raw scores it has no lower bound, and the quickest way down is to let all
    scores grow. `kl_div` of probabilities is no divergence. `binary_cross_entropy` raises an exception.

    ## When it is fine
    Log-probabilities are at most 0. Values above it by less than 0.001, as half precision gives them, are left alone, and so are inputs
    that are not numbers: they have a cause of their own.

    ## How sure
    Proved, by the recorded values or by the op that made the input. Where values are unknown and the graph does not tell, nothing is said.

    ## References
    `torch.nn.NLLLoss`, `torch.nn.KLDivLoss`, `torch.nn.BCELoss`; Keras, `BinaryCrossentropy` and `CategoricalCrossentropy` without
    `from_logits=True`; `whygrad explain WG205` for the reverse.
    """
    yield from distinct(found for step in index.steps for op in losses_of(index, step) for found in judge(index, step, op))


def judge(index: Index, step: StepIndex, op: Op) -> Iterator[Diagnosis]:
    """What one loss was given."""
    contract, given = contract_of(op), input_of(op)
    if contract is None or contract.range is None or given is None:
        return
    whole = uncut(step, op, given)
    reason = reason_against(index, step, op, contract, whole)
    if reason:
        found = diagnosis(index, step, op, contract, step.value(whole), reason + (CUT if whole != given else ""))
        yield replace(found, explains=raised_by(index, step, op) | made_within(op))


def reason_against(index: Index, step: StepIndex, op: Op, contract: Contract, given: str) -> str:
    """Why the input is not of the form that is due; "" where nothing speaks against it."""
    made = step.producer.get(step.origin(given))
    kind = made[1].kind if made else ""
    if contract.input == "log-probabilities" and kind in _PROBABILITIES:
        return f"it is the output of `{kind}`: probabilities, not their logarithms"
    figures = step.value(given).statistics
    if figures is not None and kind != contract.wants:
        return outside(figures, contract.range or (-inf, inf)) or (empty_rows(figures) if op.kind == "categorical_cross_entropy" else "")
    refused = op.failed and op.kind == "binary_cross_entropy" and _REFUSAL in message_of(index, step)
    return "the loss refused it" if refused and kind not in _SQUASHED else ""


def uncut(step: StepIndex, op: Op, given: str) -> str:
    """What a binary cross-entropy was given before it was cut to the range of probabilities, where it lies far outside; else what it was given."""
    made = step.producer.get(step.origin(given))
    if op.kind != "binary_cross_entropy" or made is None or made[1].kind not in _CUTS or not made[1].inputs:
        return given
    before = step.value(made[1].inputs[0]).statistics
    far = (
        before is not None
        and before.minimum is not None
        and before.maximum is not None
        and (before.minimum < -FAR or before.maximum > 1 + FAR)
    )
    return made[1].inputs[0] if far else given


def empty_rows(figures: Statistics) -> str:
    """Some row of what should be a distribution holds zeros alone: made to sum to 1, that is 0/0."""
    sums, low = figures.row_sums, figures.minimum
    if sums is None or low is None or low < 0 or not sums[0] <= 0:
        return ""
    return f"some of its rows hold nothing but zeros, and others sum to {figure(sums[1])}, where all should sum to 1"


def outside(figures: Statistics, bounds: tuple[float, float]) -> str:
    """The range that was measured, where it lies outside of what is allowed."""
    low, high = figures.minimum, figures.maximum
    if low is None or high is None or isnan(low) or isnan(high):
        return ""
    if low >= bounds[0] - TOLERANCE and high <= bounds[1] + TOLERANCE:
        return ""
    return f"its values lie between {figure(low)} and {figure(high)}"


def diagnosis(index: Index, step: StepIndex, op: Op, contract: Contract, value: Value, reason: str) -> Diagnosis:
    """What is said, at the loss."""
    due = f"non-negative {contract.targets[0]}" if contract.input == "real" else contract.input
    made = step.producer.get(step.origin(value.name))
    figures = value.statistics
    return Diagnosis(
        rule="WG206",
        name="logits-for-probabilities",
        severity="error",
        confidence="proved",
        message=f"`{loss_called(index, op)}` expects {due}, and `{value.shown}` holds something else",
        site=op.site,
        label=f"`{value.shown}` goes in here",
        related=places(
            (
                made[1].site if made and made[1].site != op.site else None,
                f"`{value.shown}` is made here, by `{made[1].kind}`" if made else "",
            )
        ),
        evidence=(
            Evidence(f"{typed(value)} goes into `{loss_called(index, op)}`: {reason}", "maximum", figures.maximum if figures else None),
        ),
        help=_advice(index, step, op, value),
        facts=frozenset({Fact("odd-input", value.name)}),
        kind=step.step.kind,
        step=step.step.index,
        names=(value.shown,),
        remedy=_remedy(index, step, op, value),
    )


def _advice(index: Index, step: StepIndex, op: Op, value: Value) -> str:
    """What to change: the loss or its input; the last activation, where that is neither probabilities nor scores."""
    bent = _bent(step, value) if not speaks_torch(index) and op.kind == "categorical_cross_entropy" else None
    if bent is not None:
        return f"end the model in `softmax` in place of `{bent.kind}`"
    rows = op.kind == "nll_loss" and op.attributes.get("ids") is False
    return idiom(index, "log-probabilities" if rows else _HELP.get(op.kind, "log-probabilities"), name=value.written)


def _remedy(index: Index, step: StepIndex, op: Op, value: Value) -> Remedy | None:
    """The loss of that kind that takes raw scores; the logarithm where it was given probabilities."""
    if op.kind == "nll_loss" and (read := _entries(index, step, op, value)) is not None:
        return remedy("take the logarithm of the softmax first", read)
    if not speaks_torch(index) and (bent := _bent(step, value)) is not None:
        last = setting(edited_at(step, bent), "activation", '"softmax"', calls=("Dense", "Activation"))
        return remedy("end the model in a softmax", last) if op.kind == "categorical_cross_entropy" else None
    if not speaks_torch(index):
        return _told(index, step, op, value)
    made = step.producer.get(step.origin(value.name))
    if made is not None and made[1].kind in _PROBABILITIES and CONTRACTS[op.kind].input == "log-probabilities":
        return remedy("take the logarithm of the probabilities", _logarithm(step, made[1], op, value))
    if op.kind in _ON_SCORES:
        return remedy("use the loss on raw scores", called_instead(op, _ON_SCORES[op.kind], names_of(op)))
    return (
        remedy("take the logarithm of the softmax first", operand(op, value, "torch.log_softmax({x}, dim=-1)"))
        if op.kind == "kl_div"
        else None
    )


def _entries(index: Index, step: StepIndex, op: Op, value: Value) -> Edit | None:
    """The scores where the entry at the label is taken of them (JAX), or where rows of labels are multiplied with them."""
    if speaks(index, "jax") and op.site is not None and "take_along_axis(" in op.site.text:
        return Edit("wrap", op.site, "jax.nn.log_softmax({x})", ("take_along_axis",), position=0)
    product = step.producer[op.outputs[0]][1] if op.outputs and op.outputs[0] in step.producer else op
    if (
        not is_written_out(op)
        or product.kind != "mul"
        or product.site is None
        or op.site != product.site
        or value.name not in product.inputs
    ):
        return None
    return Edit("wrap", product.site, spelling(index, "log-softmax", axis=-1).split("|")[0], position=product.inputs.index(value.name))


def _told(index: Index, step: StepIndex, op: Op, value: Value) -> Remedy | None:
    """What Keras' losses are told of raw scores; a loss that is written out is given probabilities."""
    if (named := _named(op)) is not None:
        return remedy("tell the loss that it gets raw scores", named)
    if is_written_out(op) and not any(f"{name}(" in (op.site.text if op.site else "") for name in _OBJECTS.values()):
        return _squashed_first(index, step, op, value)
    told = setting(op.site, "from_logits", "True", calls=names_of(op)) if op.kind in _FROM_LOGITS else None
    return remedy("tell the loss that it gets raw scores", told) if told else None


_OBJECTS = {
    "binary_crossentropy": "BinaryCrossentropy",
    "categorical_crossentropy": "CategoricalCrossentropy",
    "sparse_categorical_crossentropy": "SparseCategoricalCrossentropy",
}
"""The losses of Keras' that can be told, by the names that `compile` takes for them."""


def _named(op: Op) -> Edit | None:
    """The object in the place of a name, where that is what stands at the place of the loss."""
    site = op.site
    text = site.text.encode()[site.column - 1 : site.end_column - 1].decode(errors="ignore") if site is not None and site.end_column else ""
    made = _OBJECTS.get(text[1:-1]) if text[:1] in ("'", '"') else None
    return Edit("replace", site, f"keras.losses.{made}(from_logits=True)") if site is not None and made else None


_KEPT_OFF = ("clip", "clip_by_value", "clamp", "maximum", "log")
"""Functions that a loss which is written out gives probabilities to first."""


def _squashed_first(index: Index, step: StepIndex, op: Op, value: Value) -> Remedy | None:
    """The scores made probabilities where the loss that is written out reads them first."""
    idea = {"categorical_cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}.get(op.kind, "")
    first = next((reader for reader in step.consumers.get(value.name, ()) if reader.site is not None), None)
    if not idea or first is None or first.site is None or not any(f"{name}(" in first.site.text for name in _KEPT_OFF):
        return None
    text = spelling(index, idea, axis=-1).split("|")[0]
    return remedy(f"put a {idea} in front", Edit("wrap", first.site, text, _KEPT_OFF, position=GIVEN))


def _bent(step: StepIndex, value: Value) -> Op | None:
    """The activation that made what should be probabilities: cut or bent like that, they are no raw scores either."""
    made = step.producer.get(step.origin(value.name))
    return made[1] if made is not None and family(made[1].kind) == "activation" and made[1].kind not in _PROBABILITIES else None


def _logarithm(step: StepIndex, made: Op, op: Op, value: Value) -> Edit | None:
    """A softmax that only the loss reads becomes a log-softmax; else the loss is given the logarithm."""
    place = edited_at(step, made)
    if made.kind != "softmax" or place is None or len(step.consumers.get(made.output, ())) > 1:
        return operand(op, value, "torch.log({x})")
    return Edit("callee", place, "torch.nn.functional.log_softmax|torch.nn.LogSoftmax", ACTIVATIONS["softmax"])


_FROM_LOGITS = frozenset(("categorical_cross_entropy", "binary_cross_entropy"))
_ON_SCORES = {
    "nll_loss": "torch.nn.functional.cross_entropy|torch.nn.CrossEntropyLoss",
    "binary_cross_entropy": "torch.nn.functional.binary_cross_entropy_with_logits|torch.nn.BCEWithLogitsLoss",
}
_HELP = {
    "nll_loss": "log-probabilities by class",
    "binary_cross_entropy": "probabilities by unit",
    "poisson_nll": "rates",
    "categorical_cross_entropy": "probabilities by class",
}
