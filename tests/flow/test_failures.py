"""What is read out of exceptions."""

import pytest

from whygrad.flow.failures import gist

MESSAGES = {
    "a plain one": ("no such layer\nsecond line", "no such layer"),
    "one of a layer that was called": (
        "Exception encountered when calling Net.call().\n\n\x1b[1mexpected ndim=3\x1b[0m\n\nArguments received by Net.call():",
        "expected ndim=3",
    ),
    "one of a graph": ("Graph execution error:\n\nDetected at node loss/Cast defined at\nCast string to float is not supported", "Cast string to float is not supported"),
    "one of an op": ("{{function_node __wrapped__Cast_device}} Cast string to float is not supported", "Cast string to float is not supported"),
    "one that quotes an array": ("return a tuple. Received: [[0.57911676 0.5032025]", "return a tuple. Received: …"),
    "one of a function that was rewritten": (
        "in user code:\n\n    File \"a.py\", line 16, in step  *\n        kept.append(loss.numpy())\n\n    AttributeError: no attribute 'numpy'\n",
        "AttributeError: no attribute 'numpy'",
    ),
    "one that quotes another": (
        "Could not infer the shape of 'peak'. Error encountered:\n\nCannot convert a symbolic tf.Tensor\n\nArguments received by Peak.call():",
        "Cannot convert a symbolic tf.Tensor",
    ),
    "none": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize(("message", "line"), MESSAGES.values(), ids=MESSAGES)
def test_the_line_that_says_what_was_wrong(message: str, line: str) -> None:
    assert gist(message) == line
