"""What a call of the program's was given names what has no name."""

import pytest

from whygrad.frontends.tensorflow.arguments import written
from whygrad.ir import Op, Site


def site(text: str) -> Site:
    return Site("train.py", 7, 7, 1, len(text) + 1, "", text)


CASES = {
    "a loss, labels first": (
        "entropy(labels[chosen], scores)",
        "keras.losses.Foo",
        {"target": 1},
        ("s", "y"),
        {"y": "labels[chosen]", "s": "scores"},
    ),
    "by keyword": ("entropy(y_pred=f(x), y_true=y[i])", "keras.losses.Foo", {"target": 1}, ("s", "y"), {"y": "y[i]", "s": "f(x)"}),
    "a model": ("model(points[chosen], training=True)", "keras.layers.Dense", {}, ("x", "w"), {"x": "points[chosen]"}),
    "arguments that are not written out": ("model(*batch)", "keras.layers.Dense", {}, ("x", "w"), {}),
    "no call": ("a @ b", "keras.layers.Dense", {}, ("x", "w"), {}),
    "a list": ("model([a, b])", "keras.layers.Dense", {}, ("x", "w"), {}),
    "an op of TensorFlow's": ("tf.matmul(a[i], b)", "tf.MatMul", {}, ("x", "w"), {}),
    "what is too long to be a name": (f"model({'x' * 50})", "keras.layers.Dense", {}, ("x", "w"), {}),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_arguments_are_names(case):
    text, native, attributes, inputs, expected = case
    op = Op("cross_entropy" if "losses" in native else "linear", inputs, ("out",), native, attributes=attributes, site=site(text))

    assert dict(written([op], ("cast",))) == expected


def test_what_is_converted_first_is_the_same():
    cast = Op("cast", ("raw",), ("y",), "tf.Cast")
    loss = Op("cross_entropy", ("s", "y"), ("out",), "keras.losses.Foo", attributes={"target": 1}, site=site("entropy(labels[i], scores)"))

    assert dict(written([cast, loss], ("cast",))) == {"raw": "labels[i]", "s": "scores"}


def test_what_the_step_made_keeps_its_own_name():
    made = Op("linear", ("x", "w"), ("s",), "tf.MatMul")
    loss = Op("cross_entropy", ("s", "y"), ("out",), "keras.losses.Foo", attributes={"target": 1}, site=site("entropy(labels[i], scores)"))

    assert dict(written([made, loss], ("cast",))) == {"y": "labels[i]"}
