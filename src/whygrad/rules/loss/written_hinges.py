"""Hinge losses that the program writes out, `max(0, 1 - y * score)`, for WG204."""

from collections.abc import Iterator

from whygrad.flow import Index, StepIndex
from whygrad.ir import Op
from whygrad.loss_contracts import contract_of
from whygrad.rules.loss.calls import Call

_PAIR = 2


def written_hinges(index: Index) -> Iterator[tuple[Call, Op]]:
    """Each with the product of label and score, where that product is all that the loss reads of either."""
    for step in index.steps:
        for op in step.graph.ops:
            found = _product(step, op)
            if found is not None:
                product, score, label = found
                loss = Op("hinge_loss", (score, label), op.outputs, "hinge", attributes={"target": 1}, site=product.site, scope=op.scope)
                contract = contract_of(loss)
                if contract is not None:
                    yield Call(index, step, loss, contract, step.value(score), step.value(label)), product


def _product(step: StepIndex, op: Op) -> tuple[Op, str, str] | None:
    """The product, the score and the label behind an op that cuts off what is below zero."""
    cuts = op.kind == "relu" or (op.kind == "clamp" and op.attributes.get("min") == 0 and op.attributes.get("max") is None)
    if not cuts or not op.inputs or step.shapes_loss.isdisjoint(op.outputs):
        return None
    turned = _maker(step, op.inputs[0])
    # the last input is what is taken away; a number of the program's is no input
    product = _maker(step, turned.inputs[-1]) if turned is not None and turned.kind == "sub" and turned.inputs else None
    if turned is None or product is None or product.kind != "mul" or len(product.inputs) != _PAIR:
        return None
    if len(turned.inputs) == 1 and "rsub" not in turned.native:
        return None
    return next(_sides(step, product), None)


def _sides(step: StepIndex, product: Op) -> Iterator[tuple[Op, str, str]]:
    labels = step.from_labels - step.depends_on_parameters
    for label, score in (product.inputs, product.inputs[::-1]):
        difference = _maker(step, score)
        # timid: of a difference of two scores, labels of 0 may leave pairs out
        of_pairs = difference is not None and difference.kind == "sub" and step.depends_on_parameters.issuperset(difference.inputs[:_PAIR])
        alone = all(_only(step, name, product) for name in (label, score))
        if label in labels and score in step.depends_on_parameters and alone and not of_pairs:
            yield product, score, label


def _only(step: StepIndex, name: str, product: Op) -> bool:
    """Nothing else on the way to the loss reads it, in any arrangement."""
    same = {other for other in step.values if step.origin(other) == step.origin(name)}
    readers = [op for other in same for op in step.consumers.get(other, ()) if not step.shapes_loss.isdisjoint(op.outputs)]
    return all(op is product or not same.isdisjoint(op.outputs) for op in readers)


def _maker(step: StepIndex, name: str) -> Op | None:
    made = step.producer.get(step.origin(name))
    return made[1] if made is not None else None
