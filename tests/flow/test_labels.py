"""Which values of a step are its labels, where a program makes its inputs from them."""

import pytest

from sketch import sketch
from whygrad.flow.labels import find_labels
from whygrad.ir import Op, Permute

GLYPHS = """
    glyphs: constant f32[6,24]
    y: input i64[32]
    g: activation f32[32,24]
    n: activation f32[32,24]
    x: activation f32[32,24]
    w: parameter f32[6,24]
    s: activation f32[32,6]
    y = random native="torch.randint"
    g = index glyphs y
    n = random native="torch.randn"
    x = add g n
    s = linear x w
    loss = cross_entropy s y with={"target":1}
"""
OWN_INPUT = GLYPHS.replace("y: input i64[32]", "y: input f32[32,24]").replace("g = index glyphs y", "g = mul y y")
ONE_HOT = GLYPHS.replace("x = add g n", "x = one_hot y").replace("x: activation f32[32,24]", "x: activation f32[32,6]")
READ = GLYPHS.replace("s = linear x w", "e = embedding y w\n    s = linear x w")
IGNORED = GLYPHS.replace('loss = cross_entropy s y with={"target":1}', "loss = mean s scope=0") + (
    '    scope criterion arguments={"out":"s","target":"y"} unread=["target"]\n'
)
SEVERAL = IGNORED.replace('"target":"y"', '"noise":"n","time":"y"')
NOISE = GLYPHS.replace('cross_entropy s y with={"target":1}', 'mse_loss x n with={"target":1}')


@pytest.mark.parametrize(("text", "how"), [(GLYPHS, "target"), (IGNORED, "argument")], ids=["target", "argument"])
def test_what_the_input_is_made_from_may_be_the_label(text: str, how: str) -> None:
    (step,) = sketch(text).steps

    labels = find_labels(step, making=True)
    assert (labels.values, labels.how) == (("y",), how)


@pytest.mark.parametrize(
    "text", [OWN_INPUT, ONE_HOT, READ, SEVERAL, NOISE], ids=["as many entries", "one-hot rows", "read by the model", "several", "noise"]
)
def test_the_input_itself_is_no_label(text: str) -> None:
    (step,) = sketch(text).steps

    assert not find_labels(step, making=True).values


def test_where_a_replay_can_not_hold_the_input_nothing_made_it() -> None:
    (step,) = sketch(GLYPHS).steps

    assert not find_labels(step).values


def test_labels_do_not_reach_the_loss_by_way_of_the_input() -> None:
    made, ignored = (sketch(text + '    labels values=["y"] how="target"\n').steps[0] for text in (GLYPHS, IGNORED))

    assert made.made_from_labels == ignored.made_from_labels == {"x"}
    assert made.labels_reach_loss
    assert not ignored.labels_reach_loss
    assert "s" not in ignored.from_labels
    assert isinstance(made.producer["x"][1], Op)
    assert Permute(("y",), ("x",)) != Permute(("y",))


ONE = """
    pairs: constant f32[4,2]
    answers: constant f32[4,1]
    x: activation f32[2]
    y: activation f32[1]
    w: parameter f32[1,2]
    s: activation f32[1]
    pairs = enter native="torch.tensor"
    answers = enter native="torch.tensor"
    x = index pairs
    y = index answers
    s = linear x w
    loss = l1_loss s y with={"target":1}
"""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (ONE, "each step has one example with one label, which has no other order to be tried"),
        (ONE.replace('answers = enter native="torch.tensor"', 'answers = create native="torch.ones"'), "the loss compares with a constant"),
        (ONE.replace("l1_loss s y", "l1_loss s x").replace("x: activation f32[2]", "x: activation f32[1]"), "the loss compares with the model's own input"),
    ],
    ids=["a batch of one", "a number of the program's own", "its own input"],
)  # fmt: skip
def test_it_is_said_why_there_are_no_labels(text: str, reason: str) -> None:
    (step,) = sketch(text).steps

    assert find_labels(step).reason == reason


MIXED = """
    z: input f32[32,4]
    real: activation f32[32,2] called="real"
    g: parameter f32[2,4]
    v: parameter f32[1,2]
    r: parameter f32[]
    fake: activation f32[32,2]
    between: activation f32[32,2]
    score: activation f32[32,1]
    real = mul mix readings
    fake = linear z g
    between = add fake real
    score = linear between v
    loss = mean score
"""
DISTANCE = MIXED.replace("score = linear between v", "score = square between").replace("add fake real", "sub fake real")


@pytest.mark.parametrize(
    ("text", "found"),
    [(MIXED, ()), (DISTANCE, ("real",)), (DISTANCE.replace("loss = mean score", "d = mean score\n    loss = mul d r"), ("real",))],
    ids=["a mixture that a critic reads", "a distance", "a distance that is weighed by a parameter"],
)
def test_what_is_mixed_with_an_output_and_read_on_by_a_layer_is_no_label(text: str, found: tuple[str, ...]) -> None:
    (step,) = sketch(text).steps

    assert find_labels(step).values == found


MADE_UP = """
    x: activation f32[64,100]
    y: activation f32[64,10]
    w: parameter f32[100,10]
    p: activation f32[64,10]
    x = random
    y = random
    p = matmul x w
    d = sub p y
    q = square d
    loss = sum q
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (MADE_UP, ("y",)),
        (MADE_UP.replace("    y = random\n    p = matmul x w\n", "    p = matmul x w\n    y = random\n"), ()),
        (MADE_UP.replace("d = sub p y", "d = add p y"), ()),
    ],
    ids=["drawn beside the input", "drawn behind the model", "noise that is added"],
)
def test_targets_that_are_made_up_are_told_from_noise(text: str, found: tuple[str, ...]) -> None:
    (step,) = sketch(text).steps

    assert find_labels(step).values == found


INNER_LOOP = """
    xs: input f32[4,10,8]
    xq: input f32[4,10,8]
    yq: input f32[4,10]
    w: parameter f32[8,16]
    v: parameter f32[16]
    g: activation f32[4,8,16]
    u: activation f32[4,8,16]
    h: activation f32[4,10,16]
    s: activation f32[4,10]
    l: activation f32[4,10]
    ! batch xs xq yq
    g = matmul xs w
    u = sub w g
    h = matmul xq u
    s = matmul h v
    l = square s
    loss = mean l
"""
LOW_RANK = """
    x: input f32[32,8]
    y: input f32[32,16]
    a: parameter f32[8,2]
    b: parameter f32[2,16]
    d: activation f32[8,16]
    s: activation f32[32,16]
    l: activation f32[32,16]
    ! batch x y
    d = matmul a b
    s = matmul x d
    l = sub s y
    loss = mean l
"""


@pytest.mark.parametrize(("text", "label"), [(INNER_LOOP, "yq"), (LOW_RANK, "y")], ids=["updated in the step", "made of parameters alone"])
def test_what_meets_weights_that_the_step_makes_enters_the_model(text: str, label: str) -> None:
    (step,) = sketch(text).steps

    assert find_labels(step).values == (label,)
