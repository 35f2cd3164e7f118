"""The experiment with the words of padded rows, on a step of PyTorch's."""

from typing import Any

import torch
from torch import Tensor

from whygrad.frontends import padded
from whygrad.frontends.torch.futures import Sequenced
from whygrad.ir import Reword, Trial


def reworded(replay: Sequenced, intervention: Reword) -> Trial:
    """The experiment, where the step has the sequence and the prediction."""
    sequence, made = replay.find(intervention.value), replay.producers.get(intervention.op)
    if sequence is None or made is None:
        return Trial(intervention, reason="what the step read is gone")
    (key, read), prediction = sequence, made.outputs[made.made.index(intervention.op)]

    def predicted(given: Any) -> Any:
        rows = torch.from_numpy(given).to(read).movedim(1, intervention.axis).contiguous()
        found = replay.forward({key: rows}).get(prediction)
        return _array(found) if found is not None and found.is_floating_point() else None

    return padded.reworded(intervention, _array(read.movedim(intervention.axis, 1)), predicted)


def _array(tensor: Tensor) -> Any:
    """For NumPy, which has not all of PyTorch's dtypes; no number changes by it."""
    plain = tensor.detach().cpu()
    return (plain.double() if plain.is_floating_point() else plain).numpy()
