"""`Trainer(callbacks=[WhyGrad()])` of Lightning: its figures in the trainer's loggers, and the report when `fit` is over."""

from typing import Any

from lightning.pytorch.callbacks import Callback

from whygrad.api import TrainingFault, Watch
from whygrad.embedded import Embedded, print_report
from whygrad.loggers import prefixed
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings


class WhyGrad(Callback):
    """Watches a `fit`, logs label sensitivity, gradient norm, update ratio and starved parameters of each recorded step, and prints the report.

    stop_on: `error` or `warning` ends the fit early, by `trainer.should_stop`, once a fault of that weight is sure. raises: raise `TrainingFault`
    instead, where nothing else is said for an error, and at the end of a fit that was too short to be stopped. quiet: print nothing; `report` keeps the report. Under `whygrad run` it does nothing, since that reports itself.
    """

    def __init__(self, stop_on: Gate = "never", *, raises: bool = False, quiet: bool = False, steps: int = 2) -> None:
        self.report: Report | None = None
        self.quiet, self.raises = quiet, raises
        self.stop_on: Gate = "error" if raises and stop_on == "never" else stop_on
        self._watch = Watch(Embedded(Settings(steps=steps)), self._log, self.stop_on)
        self._trainer: Any = None

    def _log(self, figures: Any, step: int) -> None:
        for logger in self._trainer.loggers if self._trainer is not None else ():
            logger.log_metrics(prefixed(figures), step=step)

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Begin to record."""
        del pl_module
        self._trainer = trainer
        self._watch.start()

    def on_train_batch_end(self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Stop, or raise, if that was asked for and is due."""
        del pl_module, outputs, batch, batch_idx
        try:
            self._watch.check()
        except TrainingFault:
            if self.raises:
                self.report = self._watch.report
                raise
            trainer.should_stop = True

    def on_fit_end(self, trainer: Any, pl_module: Any) -> None:
        """The fit is over: judge, print, and raise if that was asked for."""
        del trainer, pl_module
        told = self.report is not None
        self._tell(None)
        if self.raises and self.report is not None and not told and self.report.gates(self.stop_on):
            raise TrainingFault(self.report)

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """The fit raised: the report tells why."""
        del trainer, pl_module
        self._tell(exception)

    def _tell(self, problem: BaseException | None) -> None:
        told = self.report is not None
        self.report, self._trainer = self._watch.finish(problem), None
        if self.report is not None and not told and not self.quiet and not isinstance(problem, TrainingFault):
            print_report(self.report)
