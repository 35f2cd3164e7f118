"""`Trainer(callbacks=[WhyGrad()])` of Lightning: its figures in the trainer's loggers, and the report when `fit` is over."""

from typing import Any

from lightning.pytorch.callbacks import Callback

from whygrad.integrations.trained import Trained
from whygrad.loggers import prefixed
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings


class WhyGrad(Callback):
    """Watches a `fit`, logs label sensitivity, gradient norm, update ratio and starved parameters of each recorded step, and prints the report.

    stop_on: `error` or `warning` ends the fit early, by `trainer.should_stop`, once a fault of that weight is sure. raises: raise `TrainingFault`
    instead, where nothing else is said for an error, and at the end of a fit that was too short to be stopped. quiet: print nothing; `report` keeps the report. Under `whygrad run` it does nothing, since that reports itself.
    """

    def __init__(self, stop_on: Gate = "never", *, raises: bool = False, quiet: bool = False, steps: int = 2) -> None:
        self._trained = Trained.by(Settings(steps=steps), stop_on, quiet=quiet, raises=raises)
        self._trained.watch.log = self._log
        self._trainer: Any = None

    @property
    def report(self) -> Report | None:
        """What was found; None before the end."""
        return self._trained.report

    def _log(self, figures: Any, step: int) -> None:
        for logger in self._trainer.loggers if self._trainer is not None else ():
            logger.log_metrics(prefixed(figures), step=step)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to record."""
        del pl_module
        self._trainer = trainer
        self._trained.watch.start()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Stop, or raise, if that was asked for and is due."""
        del pl_module, outputs, batch, batch_idx
        if self._trained.is_over():
            trainer.should_stop = True

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """The fit is over: judge, print, and raise if that was asked for."""
        del trainer, pl_module
        self._end(None)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """The fit raised: the report tells why."""
        del trainer, pl_module
        self._end(exception)

    def _end(self, problem: BaseException | None) -> None:
        try:
            self._trained.ended(problem)
        finally:
            self._trainer = None
