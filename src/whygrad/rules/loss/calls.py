"""Loss calls of a step, read against their contract, and what rules about them say in one manner."""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from whygrad.diagnosis import Diagnosis, Edit, Remedy
from whygrad.flow import Index, StepIndex
from whygrad.flow.makers import making_site
from whygrad.flow.written import losses_of
from whygrad.idioms import loss_called
from whygrad.ir import Op, Site, Statistics, Value
from whygrad.loss_contracts import Contract, contract_of, input_of, target_of
from whygrad.rules.loss.exceptions import raised_by
from whygrad.rules.phrases import places
from whygrad.rules.remedies import TRAINING, behind, operand, remedy
from whygrad.rules.statements import calls_in

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")
BY_IDS = frozenset(("cross_entropy", "nll_loss"))


@dataclass(frozen=True, slots=True)
class Call:
    """A loss op with its prediction and its target."""

    index: Index
    step: StepIndex
    op: Op
    contract: Contract
    prediction: Value
    target: Value

    @property
    def classes(self) -> int | None:
        """Size of the class axis of the prediction; None where the loss has none or the shape is unknown."""
        shape, axis = self.prediction.shape, self.contract.class_axis
        if axis is None or not shape:
            return None
        return shape[axis if len(shape) > axis else 0]

    @property
    def by_ids(self) -> bool:
        """The loss is told its classes by number. Keras has one function for that and one for rows; PyTorch's tells them apart by the target."""
        told = self.op.attributes.get("ids")
        return told if isinstance(told, bool) else self.op.kind in BY_IDS

    @property
    def called(self) -> str:
        """The loss by its user's name for it."""
        return loss_called(self.index, self.op)

    @property
    def whole(self) -> bool:
        """Every entry of the target is known to be a whole number."""
        return self.target.dtype in (*INTEGERS, "bool") or (known(self.target) is not None and self.target.statistics.whole == 1.0)  # type: ignore[union-attr]  # known() saw them


def calls(index: Index) -> Iterator[Call]:
    """Every loss of the record that has a target: called, or written out."""
    for step in index.steps:
        for op in losses_of(index, step):
            contract, given, target = contract_of(op), input_of(op), target_of(op)
            if contract is not None and given is not None and target is not None:
                yield Call(index, step, op, contract, step.value(given), _named(step, step.value(target)))


def _named(step: StepIndex, value: Value) -> Value:
    """The labels under the name of what was reshaped or converted to them, where they have none of their own."""
    if value.called or value.name not in step.producer:
        return value
    origin = step.value(step.origin(value.name, ("layout", "cast")))
    return replace(value, called=origin.called)


def went_back(step: StepIndex, op: Op) -> Op | None:
    """The softmax or sigmoid whose result a loss was given, where its library went back to the scores from before; Keras does so."""
    given = op.attributes.get("given")
    made = step.producer.get(step.origin(given, ("layout", "cast"))) if isinstance(given, str) else None
    return made[1] if made is not None and made[1].kind in ("softmax", "sigmoid") else None


def known(value: Value) -> Statistics | None:
    """The figures of a value, if all its entries were finite and its range is known."""
    figures = value.statistics
    if figures is None or figures.finite != 1.0 or figures.minimum is None or figures.maximum is None:
        return None
    return figures


def bounds(value: Value) -> tuple[float, float] | None:
    """Smallest and largest entry; None where they are unknown or some entry is not finite."""
    figures = known(value)
    return (figures.minimum, figures.maximum) if figures and figures.minimum is not None and figures.maximum is not None else None


def about_labels(call: Call, label: str, at_loss: str, made: Site | None = None, **fields: Any) -> Diagnosis:
    """A diagnosis at the line that made the labels, `made` where the rule knows better, or at the loss where that line is unknown."""
    site = made or making_site(call.index, call.step, call.target.name)
    return _diagnosis(
        call,
        site=site or call.op.site,
        label=label,
        related=places((call.op.site if site and not _same_line(call, site) else None, at_loss)),
        **fields,
    )


def relabelled(call: Call, summary: str, text: str, *, changes: str = "", written: Edit | None = None) -> Remedy | None:
    """The labels changed where they enter the loss, or Keras' training loop; else as they are `written`, or behind the line that makes them."""
    loop = next((event.site for event in call.step.events("backward") if event.site and TRAINING.search(event.site.text)), None)
    made = making_site(call.index, call.step, call.target.name)
    source = written or behind(made, "{name} = " + text.replace("{x}", "{name}"))
    if loop is not None and not _hands_labels(loop):
        return remedy(summary, source, changes=changes)
    entering = Edit("wrap", loop, text, keyword="y", position=1) if loop else operand(call.op, call.target, text)
    if loop is not None and "validation_data" in loop.text:
        changes = "; ".join(part for part in (changes, "labels in `validation_data` stay as they are, and want the same") if part)
    return remedy(summary, entering, otherwise=(source,), changes=changes)


def _hands_labels(loop: Site) -> bool:
    """Keras' training loop is given the labels by themselves, as far as its line says; a data set has them with the inputs."""
    given = [call for call in calls_in(loop.text) if TRAINING.search(f"{ast.unparse(call.func)}(")]
    return not given or any(len(call.args) > 1 or any(word.arg == "y" for word in call.keywords) for call in given)


def about_loss(call: Call, label: str, **fields: Any) -> Diagnosis:
    """A diagnosis at the line of the loss."""
    return _diagnosis(call, site=call.op.site, label=label, **fields)


def _diagnosis(call: Call, **fields: Any) -> Diagnosis:
    fields["explains"] = raised_by(call.index, call.step, call.op) | fields.get("explains", frozenset())
    return Diagnosis(
        kind=call.step.step.kind,
        step=call.step.step.index,
        **{"names": (call.prediction.shown, call.target.shown), **fields},
    )


def _same_line(call: Call, site: Any) -> bool:
    return call.op.site is not None and (call.op.site.file, call.op.site.line) == (site.file, site.line)


def once_a_fault(found: Iterable[Diagnosis]) -> Iterator[Diagnosis]:
    """One diagnosis for each line, and for each pair of names: several steps show the same loss with the same fault."""
    seen: set[object] = set()
    for diagnosis in found:
        site = diagnosis.site
        keys = {(site.file, site.line) if site else None, diagnosis.names} - {None}
        if seen.isdisjoint(keys):
            yield diagnosis
        seen |= keys
