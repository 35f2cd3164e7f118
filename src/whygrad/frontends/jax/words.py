"""The experiment with the words of padded rows, on a step of JAX's."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from whygrad.frontends import padded
from whygrad.frontends.jax.evaluation import Change
from whygrad.frontends.jax.futures import Sequenced
from whygrad.ir import Reword, Trial


def reworded(replay: Sequenced, intervention: Reword) -> Trial:
    """The experiment, where the step has the sequence and the prediction."""
    number, prediction = replay.numbers.get(intervention.value), replay.numbers.get(intervention.op)
    if number not in replay.arrays or number is None or prediction is None:
        return Trial(intervention, reason="what the step read is gone")

    def predicted(given: Any) -> Any:
        array = jnp.asarray(np.moveaxis(given, 1, intervention.axis))
        moving = {at: replay.arrays[at] for at in replay.engine.moving}
        made = replay.engine.values((prediction,), moving, Change(replay.forwarded({number: array}))).get(prediction)
        return np.asarray(made) if made is not None and jnp.issubdtype(made.dtype, jnp.floating) else None

    return padded.reworded(intervention, np.moveaxis(np.asarray(replay.arrays[number]), intervention.axis, 1), predicted)
