"""WG110 on sketches: fires, is silent, belongs to another rule."""

import pytest

from sketch import said
from whygrad.ir import Site
from whygrad.rules.labels.repeated_batch import begun_once, diagnose

FIRST = """
    batches path="[0]" seen=64 minimum=-3.0 maximum=3.0 distinct=1 values=["x"] length=30 @ "a.py":18
    batches path="[1]" seen=64 minimum=0 maximum=7 distinct=1 values=["y"] length=30 @ "a.py":18
    x: input f32[16,30]
    y: label i64[16]
    w: parameter f32[8,30]
    s: activation f32[16,8]
    s = linear x w @ "a.py":24
    loss = cross_entropy s y with={"target":1} @ "a.py":24
    ! batch x y @ "a.py":23
    ! backward loss
    labels values=["y"] how="target"
"""


def drawn(at: int, figures: str = "minimum=-2.5 maximum=2.5 mean=0.1 norm=9.5 whole=0.0", more: str = "") -> str:
    return f"""
    step {at}
    x: input f32[400,9]
    y: label i64[400]
    r{at}: activation i64[32]
    xb{at}: activation f32[32,9] {figures}
    yb{at}: activation i64[32] minimum=0 maximum=4 mean=2.1 norm=14.5
    w: parameter f32[5,9]
    s: activation f32[32,5]
    r{at} = random native="torch.randint" @ "a.py":3
    xb{at} = index x r{at} @ "a.py":4
    yb{at} = index y r{at} @ "a.py":4
    s = linear xb{at} w @ "a.py":5
    loss = cross_entropy s yb{at} with={{"target":1}} @ "a.py":6
    {more}
    labels values=["yb{at}"] how="target"
    """


def mapped(at: int, noise: str) -> str:
    """Rows from outside that numbers drawn in the step go into."""
    return f"""
    step {at}
    x: input f32[32,9]
    y: label i64[32]
    n{at}: activation {noise} minimum=-2 maximum=2 mean=0.1 norm=9.5 whole=0.0
    xb{at}: activation f32[32,9] minimum=-2.5 maximum=2.5 mean=0.1 norm=9.5 whole=0.0
    w: parameter f32[5,9]
    s: activation f32[32,5]
    n{at} = random native="jax.random.normal" @ "a.py":3
    xb{at} = mul x n{at} @ "a.py":4
    s = linear xb{at} w @ "a.py":5
    loss = cross_entropy s y with={{"target":1}} @ "a.py":6
    labels values=["y"] how="target"
    """


FIRES = {
    "noise for each row, from one key": (mapped(0, "f32[32,9]") + mapped(1, "f32[32,9]"), 3),
    "drawn again, and a later step still holds what the first drew": (
        mapped(0, "f32[32,9]")
        + mapped(1, "f32[32,9]").replace("    n1 =", '    n0 = random native="jax.random.normal" @ "a.py":3\n    n1 ='),
        3,
    ),
    "the first batch of a new iterator": (FIRST, 23),
    "where the loop is unknown": (FIRST.replace('x y @ "a.py":23', "x y"), 18),
    "rows from a generator seeded anew": (drawn(0) + drawn(1), 3),
    "chosen by a key that was made before": (
        (drawn(0) + drawn(1))
        .replace("    r0 =", "    k = random\n    r0 =")
        .replace("    r1 =", "    k = random\n    r1 =")
        .replace('random native="torch.randint"', 'sample k native="jax.random.choice"'),
        3,
    ),
    "in three steps": (drawn(0) + drawn(1) + drawn(2), 3),
}

SILENT = {
    "other batches": FIRST.replace("distinct=1 ", "distinct=30 "),
    "the labels alone repeat": FIRST.replace('distinct=1 values=["x"]', 'distinct=30 values=["x"]'),
    "one batch is the whole data set": FIRST.replace("length=30", "length=1"),
    "a stream": FIRST.replace("length=30", ""),
    "a batch taken once": FIRST.replace("seen=64", "seen=1"),
    "a batch that is only shown": FIRST.replace('values=["x"]', 'values=["z"]').replace('values=["y"]', 'values=["u"]'),
    "other rows": drawn(0) + drawn(1, "minimum=-2.4 maximum=2.6 mean=0.2 norm=9.1 whole=0.0"),
    "the same rows kept": drawn(0) + drawn(1).replace("r1", "r0").replace("xb1", "xb0").replace("yb1", "yb0"),
    "all rows in another order": drawn(0).replace("[32", "[400") + drawn(1).replace("[32", "[400"),
    "a map of random numbers, the same for all rows": mapped(0, "f32[9]") + mapped(1, "f32[9]"),
    "no figures": drawn(0, "") + drawn(1, ""),
    "words counted: equal by chance": drawn(0, "minimum=0 maximum=1 mean=0.1 norm=9.5 whole=1.0")
    + drawn(1, "minimum=0 maximum=1 mean=0.1 norm=9.5 whole=1.0"),
}


@pytest.mark.parametrize(("text", "line"), FIRES.values(), ids=FIRES)
def test_one_batch_for_ever(text: str, line: int) -> None:
    (diagnosis,) = said(diagnose, text)

    assert diagnosis.site is not None
    assert diagnosis.site.line == line


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_silence(text: str) -> None:
    assert not said(diagnose, text)


RESTARTED = """
    origin values=["x"] setting="restart" @ "a.py":31
    step 0 kind=0
    x: input f32[20,9]
    w: parameter f32[9,1]
    s = matmul x w
    loss = mean s
    ! batch x
    step 1 kind=0
    x: input f32[20,9]
    w: parameter f32[9,1]
    s = matmul x w
    loss = mean s
    ! batch x
"""


def test_an_iterator_that_is_begun_anew_in_each_step() -> None:
    (diagnosis,) = said(diagnose, RESTARTED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 31


@pytest.mark.parametrize(
    "other",
    [RESTARTED.replace("restart", "seed"), RESTARTED[: RESTARTED.rindex("    ! batch")], RESTARTED[: RESTARTED.index("    step 1")]],
)
def test_one_iterator_is_no_fault(other: str) -> None:
    assert not said(diagnose, other)


STATEMENTS = {
    "    x, y = next(iter(loader))": "loader",
    "x = next(iter(data.batch(4)))  # one": "data.batch(4)",
    "wave, height = next(batches(data, 20))": "batches(data, 20)",
    "x = next(rows)": "",
    "x = next(iter(loader), None)": "",
    "both = next(iter(a)), next(iter(b))": "",
    "for x in iter(": "",
}


@pytest.mark.parametrize(("text", "source"), STATEMENTS.items())
def test_what_an_iterator_is_begun_over(text: str, source: str) -> None:
    remedy = begun_once(Site("a.py", 3, text=text))

    assert (remedy.edits[0].text if remedy else "") == (f"endless = itertools.cycle({source})" if source else "")
    assert remedy is None or remedy.later


OUTSIDE = {
    "    return next(iter(self.data))": ("hoist", "itertools.cycle(self.data)"),
    "    return next(iter(loader))": ("insert", "{name} = itertools.cycle({name})"),
    "    return next(batches(data, 20))": (),
}


@pytest.mark.parametrize(("text", "words"), OUTSIDE.items())
def test_what_a_function_begins_for_each_batch_is_begun_outside_of_it(text: str, words: tuple[str, ...]) -> None:
    remedy = begun_once(Site("a.py", 3, text=text))

    assert remedy is not None
    assert [(edit.action, edit.text) for edit in remedy.otherwise] == ([words] if words else [])


WEIGHTED = FIRST.replace("distinct=1", "distinct=64 drawable=[3,900]")


def test_a_sampler_with_a_weight_for_each_class_draws_the_first_rows_alone() -> None:
    (diagnosis,) = said(diagnose, WEIGHTED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 18
    assert "only 3 of 900 rows" in diagnosis.message
    assert not said(diagnose, WEIGHTED.replace(" drawable=[3,900]", ""))


def test_the_line_that_gives_the_sampler_its_weights_leads() -> None:
    named = [f'  origin values=["{name}"] setting="weights" @ "train.py":15' for name in ("x", "y")]

    (diagnosis,) = said(diagnose, "\n".join((*named, WEIGHTED)))

    assert diagnosis.site is not None
    assert diagnosis.site.line == 15
    assert [place.site.line for place in diagnosis.related] == [18]


def test_a_loader_that_no_step_trains_on_is_left_alone() -> None:
    assert not said(diagnose, WEIGHTED.replace('values=["x"]', 'values=["u"]').replace('values=["y"] length', 'values=["v"] length'))


TRACED = """
    origin values=["rows"] setting="frozen draw" @ "a.py":42
    step 0 kind=0
    x: input f32[700,9]
    rows: input i32[16]
    w: parameter f32[9,1]
    part: activation f32[16,9]
    part = index x rows
    s = matmul part w
    loss = mean s
    ! backward loss
    step 1 kind=0
    x: input f32[700,9]
    rows: input i32[16]
    w: parameter f32[9,1]
    part: activation f32[16,9]
    part = index x rows
    s = matmul part w
    loss = mean s
    ! backward loss
"""


def test_rows_that_are_drawn_while_a_step_is_traced() -> None:
    (diagnosis,) = said(diagnose, TRACED)

    assert diagnosis.site is not None
    assert diagnosis.site.line == 42
    assert "16 rows of 700 rows were picked in 2 of 2" in diagnosis.evidence[0].statement


@pytest.mark.parametrize(
    "other",
    [
        TRACED.replace("frozen draw", "seed"),
        TRACED[: TRACED.index("    step 1")],
        TRACED.replace("f32[700,9]", "f32[16,9]"),
        TRACED.replace("matmul part w", "matmul x w"),
    ],
    ids=["not drawn in the step", "one step", "all rows in some order", "not what the loss is made of"],
)
def test_rows_that_are_the_same_on_purpose(other: str) -> None:
    assert not said(diagnose, other)
