"""WG705 where a convolution's window does not fit."""

import pytest

from sketch import said as sketched
from whygrad.flow import Index
from whygrad.ir import Frame, Outcome, Raised, Record, Site
from whygrad.rules.wiring.input_shape import diagnose

KERAS = "Computed output size would be zero or negative. Received `inputs shape=({})`, `kernel shape=({})`, `dilation_rate=[1 1]`, `strides=(1, 1)`, `padding=valid`."
POOL = (
    "Computed output size would be zero or negative. Received: `inputs.shape=[{}]`, `pool_size=[2 2]`, `strides=(2, 2)`, `padding=valid`."
)
RANK = "Kernel shape must have the same length as input, but received kernel of shape ({}) and input of shape ({})."
TORCH = """
    raised type="RuntimeError" message="{}" @ "train.py":20
    x: input f32[8,1,12,12]
    k: parameter f32[4,1,3,3]
    w: parameter f32[4,4,3,3]
    h: activation f32[8,4,10,10]
    p: activation f32[8,4,2,2]
    h = conv x k @ "train.py":18
    p = max_pool h @ "train.py":19
    = {} p w native="torch.conv2d" module="second" failed=true @ "train.py":20
"""
SMALL = "Calculated padded input size per channel: (2 x 2). Kernel size: (3 x 3). Kernel size can't be greater than actual input size"
FLAT = "Given input size: (4x2x2). Calculated output size: (4x0x0). Output size is too small"


def said(message, type_="ValueError", library=()):
    """What is said of a program that ended so."""
    raised = Raised(type_, message, Site("train.py", 8, library=library))
    return list(diagnose.check(Index(Record(outcome=Outcome(1, exception=raised)))))


@pytest.mark.parametrize(
    ("message", "told", "advice"),
    [
        (KERAS.format("None, 1, 28, 28", "3, 3, 28, 32"), "[*,1,28,28] has its single channel on axis 1", "`x.reshape(-1, 28, 28, 1)`"),
        (KERAS.format("32, 3, 64, 48", "5, 5, 48, 8"), "[32,3,64,48] has its 3 channels on axis 1", "`np.transpose(x, (0, 2, 3, 1))`"),
        (KERAS.format("None, 1, 40", "3, 40, 8"), "[*,1,40] has its single channel on axis 1", "`(40, 1)`"),
        (KERAS.format("None, 2, 2, 128", "3, 3, 128, 128"), "needs 3 x 3 or more, and is given 2 x 2", 'padding="same"'),
        (KERAS.format("None, 2, 2, 2", "3, 3, 2, 8"), "needs 3 x 3 or more, and is given 2 x 2", 'padding="same"'),
        (POOL.format("None 1 1 8"), "needs 2 x 2 or more, and is given 1 x 1", "pooling"),
        (RANK.format("3, 3, 1, 32", "None, None, 286, 384, 1"), "reads 4 axes, the batch and the channels included, and is given 5", "`(286, 384, 1)`"),
        (RANK.format("3, 4, 8", "None, 64, 100, 4"), "is given 4: [*,64,100,4]", "`(100, 4)`"),
    ],
)  # fmt: skip
def test_what_a_window_does_not_fit_into_is_told(message, told, advice):
    (diagnosis,) = said(message)

    assert told in diagnosis.message
    assert diagnosis.site is not None
    assert diagnosis.site.line == 8
    assert advice in diagnosis.help


@pytest.mark.parametrize(("message", "kind", "told"), [(SMALL, "conv", "needs 3 x 3 or more"), (FLAT, "max_pool", "takes more at once")])
def test_the_sizes_on_the_way_are_told_where_they_were_recorded(message, kind, told):
    (diagnosis,) = sketched(diagnose, TORCH.format(message, kind))

    assert told in diagnosis.message
    assert "`second`" in diagnosis.message
    assert "12 x 12, then 10 x 10, then 2 x 2" in diagnosis.evidence[0].statement


def test_a_weight_of_nothing_is_told():
    (diagnosis,) = said("division by zero", "ZeroDivisionError", (Frame("jax/_src/nn/initializers.py", 245, "_compute_fans"),))

    assert "an axis of size 0" in diagnosis.message


@pytest.mark.parametrize(
    ("message", "type_"),
    [
        ("division by zero", "ZeroDivisionError"),
        ("Kernel size must be odd", "ValueError"),
        ("Computed output size is fine", "ValueError"),
        ("Calculated padded input size per channel", "RuntimeError"),
        ("Output size is too small", "RuntimeError"),
        ("Given input size: (4x2x2). Calculated output size: (4x1x1)", "RuntimeError"),
        ("max_pool1d() kernel_size should be greater than zero, but got 0", "RuntimeError"),
        ("Kernel shape must have the same length as strides", "ValueError"),
        ("float division by zero", "ZeroDivisionError"),
        ("Expected 3D (unbatched) or 4D (batched) output", "RuntimeError"),
        ("kernel_size must be positive. Received: kernel_size=(0, 3)", "ValueError"),
    ],
)
def test_other_exceptions_are_not_explained_so(message, type_):
    assert not said(message, type_)
