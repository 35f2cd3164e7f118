"""`Trainer(callbacks=[WhyGrad()])` of Hugging Face: its figures wherever the trainer reports to, and whygrad's report when training is over."""

from typing import Any

from transformers import TrainerCallback

from whygrad.integrations.trained import Trained
from whygrad.loggers import prefixed
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings


class WhyGrad(TrainerCallback):
    """Watches `trainer.train()`, and hands the figures of each recorded step to the trainer's other callbacks: TensorBoard's, W&B's, MLflow's.

    stop_on: `error` or `warning` ends the training early once a fault of that weight is sure. raises: raise `TrainingFault` instead, where nothing
    else is said for an error, and at the end of a training that was too short to be stopped. quiet: print nothing; `report` keeps the report. Under `whygrad run` it does nothing. A training that raises never reaches the callback's end: then use
    `with whygrad.recording()` around it, or `whygrad run`.
    """

    def __init__(self, stop_on: Gate = "never", *, raises: bool = False, quiet: bool = False, steps: int = 2) -> None:
        self._waiting: dict[str, float] = {}
        self._trained = Trained.by(Settings(steps=steps), stop_on, quiet=quiet, raises=raises)
        self._trained.watch.log = self._keep

    @property
    def report(self) -> Report | None:
        """What was found; None before the end."""
        return self._trained.report

    def _keep(self, figures: Any, step: int) -> None:
        del step
        self._waiting = prefixed(figures)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to record."""
        del args, state, control, kwargs
        self._trained.watch.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        """Stop, or raise, if that was asked for and is due; log at once what was measured."""
        del args, state, kwargs
        if self._waiting:
            control.should_log = True
        if self._trained.is_over():
            control.should_training_stop = True
        return control

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Put the figures beside the trainer's own: the callbacks after this one report them."""
        del args, control, kwargs
        if logs is not None and self._waiting:
            logs.update(self._waiting)
            if state.log_history and state.log_history[-1].get("step") == state.global_step:
                state.log_history[-1].update(self._waiting)
            self._waiting = {}

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Training is over: judge, print, and raise if that was asked for."""
        del args, state, control, kwargs
        self._trained.ended()
