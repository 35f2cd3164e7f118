"""`model.fit(…, callbacks=[WhyGrad()])`: the report of `whygrad run` when `fit` is over, on every backend of Keras."""

from typing import TYPE_CHECKING, Any

import keras

from whygrad.integrations.trained import Trained
from whygrad.loggers import prefixed
from whygrad.presenting import Gate, Report
from whygrad.settings import Settings

if TYPE_CHECKING:
    from whygrad.frontends import Experiments


class WhyGrad(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Watches the `fit` that it is given to, and prints the report at its end; `report` keeps it.

    steps: how many steps of each kind are recorded. experiments: `off`, `default` or `all`. quiet: print nothing, keep the report alone. stop_on:
    `error` or `warning` ends the fit early once a fault of that weight is sure; raises: raise `whygrad.TrainingFault` instead, where nothing else is
    said for an error, and at the end of a fit that was too short to be stopped. Label sensitivity, gradient norm, update ratio and starved parameters of
    the last recorded step stand in the logs of each epoch, for the callbacks after this one.

    Make it right in the call of `fit`: recording begins when it is made. Under `whygrad run` it does nothing, since that reports itself. A `fit` that raises never reaches
    the callback's end: then `whygrad run` tells why.
    """

    def __init__(
        self,
        steps: int = 2,
        experiments: "Experiments" = "default",
        *,
        quiet: bool = False,
        stop_on: Gate = "never",
        raises: bool = False,
    ) -> None:
        super().__init__()
        self._trained = Trained.by(Settings(steps=steps, experiments=experiments), stop_on, quiet=quiet, raises=raises)
        self._trained.watch.start()

    @property
    def report(self) -> Report | None:
        """What was found; None before the end."""
        return self._trained.report

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop, or raise, if that was asked for and is due."""
        del batch, logs
        if self._trained.is_over():
            self.model.stop_training = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Put the figures beside Keras' own."""
        del epoch
        if logs is not None and self._trained.watch.figures:
            logs.update(prefixed(self._trained.watch.figures[-1][1]))

    def on_train_end(self, logs: Any = None) -> None:
        """`fit` is over: judge, print, and raise if that was asked for."""
        del logs
        self._trained.ended()
