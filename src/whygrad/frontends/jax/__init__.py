"""The JAX front end. Imported only once the user's program has imported jax."""

import os

from whygrad.frontends import Recorder, Recording
from whygrad.frontends.jax.recorder import JaxRecorder
from whygrad.replay import Observer


class JaxFrontEnd:
    """Attaches a recorder to the running program."""

    name = "jax"

    def attach(self, observer: Observer, settings: Recording) -> Recorder:
        """Start watching; a forked worker process stops at once."""
        recorder = JaxRecorder(observer, settings)
        recorder.start()
        os.register_at_fork(after_in_child=recorder.stop)
        return recorder


front_end = JaxFrontEnd()
