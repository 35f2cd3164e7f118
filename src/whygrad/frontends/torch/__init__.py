"""The PyTorch front end. Imported only once the user's program has imported torch."""

import os

import torch

from whygrad.frontends import Recorder, Recording
from whygrad.frontends.torch.recorder import TorchRecorder
from whygrad.replay import Observer


class TorchFrontEnd:
    """Attaches a recorder to the running program."""

    name = "torch"

    def attach(self, observer: Observer, settings: Recording) -> Recorder:
        """Start watching; a forked worker process stops at once."""
        recorder = TorchRecorder(observer, settings)
        recorder.start()
        for made in settings.known:
            if isinstance(made, torch.optim.Optimizer):
                recorder.optimizers.meet(made)
        os.register_at_fork(after_in_child=recorder.stop)
        return recorder


front_end = TorchFrontEnd()
