"""`model.fit(…, callbacks=[WhyGrad()])`: the report of `whygrad run` when `fit` is over, on every backend of Keras."""

from typing import TYPE_CHECKING, Any

import keras

from whygrad.diagnosis import Report
from whygrad.embedded import Embedded, print_report
from whygrad.settings import Settings

if TYPE_CHECKING:
    from whygrad.frontends import Experiments


class WhyGrad(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Watches the `fit` that it is given to, and prints the report at its end; `report` keeps it.

    steps: how many steps of each kind are recorded. experiments: `off`, `default` or `all`. quiet: print nothing, keep the report alone.

    Make it right in the call of `fit`: recording begins when it is made. Under `whygrad run` it does nothing, since that reports itself. A `fit` that raises never reaches
    the callback's end: then `whygrad run` tells why.
    """

    def __init__(self, steps: int = 2, experiments: "Experiments" = "default", *, quiet: bool = False) -> None:
        super().__init__()
        self.report: Report | None = None
        self.quiet = quiet
        self._embedded = Embedded(Settings(steps=steps, experiments=experiments))
        self._on = self._embedded.start()

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002 - Keras calls it so
        """`fit` is over: judge, and print."""
        if self._on:
            self._on = False
            self.report = self._embedded.finish()
            if not self.quiet:
                print_report(self.report)
