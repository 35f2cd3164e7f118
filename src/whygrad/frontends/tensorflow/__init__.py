"""The TensorFlow and Keras front end. Imported only once the user's program has imported TensorFlow."""

import os
import sys

from whygrad.frontends import Recorder, Recording
from whygrad.frontends.tensorflow.recorder import TensorFlowRecorder
from whygrad.replay import Observer


class TensorFlowFrontEnd:
    """Attaches a recorder to the running program."""

    name = "tensorflow"

    def attach(self, observer: Observer, settings: Recording) -> Recorder:
        """Start watching; a forked worker process stops at once."""
        recorder = TensorFlowRecorder(observer, settings)
        recorder.start()
        if not getattr(sys.modules["tensorflow"].__spec__, "_initializing", False):
            recorder.ledger.values.know_living()  # imported long ago: the program has made variables since
        os.register_at_fork(after_in_child=recorder.stop)
        return recorder


front_end = TensorFlowFrontEnd()
