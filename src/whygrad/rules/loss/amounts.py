"""What is changed where a loss for shares is given amounts: the loss, and the sigmoid before it."""

import re

from whygrad.diagnosis import Edit, Remedy
from whygrad.ir import Op
from whygrad.rules.loss.calls import Call, went_back
from whygrad.rules.remedies import other_loss, remedy, without_activation

_TOLD = re.compile(r"\bloss=[\w.]+\([^()]*from_logits")
"""A loss made with a setting that no other one has, where it is handed to Keras' `compile`."""


def for_amounts(call: Call) -> Remedy | None:
    """The squared error in the place of the loss; a sigmoid, which reaches no amounts, is left out."""
    op, squashed = call.op, sigmoid_before(call)
    told = op.site is not None and _TOLD.search(op.site.text) is not None
    instead = Edit("replace", op.site, '"mean_squared_error"') if told and op.site else other_loss(call.index, op, "squared error")
    bare = without_activation(call.index, call.step, squashed) if squashed is not None else None
    if squashed is not None and bare is None:
        return None
    return remedy(
        "take the squared error",
        instead,
        *(bare.edits if bare is not None else ()),
        changes="what the model gives are amounts, which are best where they are scaled to a size of about 1",
    )


def sigmoid_before(call: Call) -> Op | None:
    """The sigmoid that made the prediction."""
    made = call.step.producer.get(call.step.origin(call.prediction.name, ("layout", "cast")))
    last = went_back(call.step, call.op) or (made[1] if made is not None else None)
    return last if last is not None and last.kind == "sigmoid" else None
