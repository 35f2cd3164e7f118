"""The text form: what is written reads back as the same record, and what can't be read is told with its line."""

import json
import math

import pytest
from hypothesis import given

from ir.strategies import records
from whygrad.errors import WhygradError
from whygrad.ir import Event, Frame, Op, Permute, Record, Site, Statistics, Value
from whygrad.ir.text import dumps, loads

WHOLE = """\
record whygrad="0.1.0" program="train.py" arguments=["--epochs","3"]
framework torch "2.13.0"
outcome exit_status=1 steps_seen=10 backwards_seen=10
raised type="RuntimeError" message="element 0 …" @ "train.py":24
optimizer opt native="SGD" orphans=["f32[10,2]"] steps=10 rates=[0.1,0.2] last_rate=0.1 @ "train.py":20:13-50 ^ "train.py":30
  group rate=0.1 parameters=["fc.weight"] settings={"momentum":0.9,"betas":[0.9,0.999]}
ending fc.weight changed=true gradient_seen=true
batches path="[1]" seen=10 minimum=0.0 maximum=1.0 values=["y"]
limit "what ran in a compiled kernel was not seen"
fault "none"
step 0 updated=true
  x: input f32[64,10] minimum=-2.5 maximum="nan" called="inputs"
  y: label i64[64] minimum=0.0 maximum=1.0 whole=1.0 distinct=2
  s: constant f32[]
  "a b": input ?[3] count=3
  fc.weight: parameter f32[2,10] differentiable=true
  h = linear x fc.weight native="torch.nn.functional.linear" module="fc" scope=0 @ "train.py":22-23:11-20 in "forward" text="h = fc(x)"
  ! tracking with={"on":false}
  a, b = sort h carries=[true] tracking=false with={"axis":1,"shape":[1,2],"eps":{"float":"inf"}}
  = leave h failed=true
  loss = mean a
  ! backward loss with={"stale":0} @ "train.py":24 callers=[["train.py",30,"main"]]
  parameter fc.weight optimizer="opt" reached=true gradient="finite" gradient_norm=0.7
  scope incorrect_loss arguments={"output":"h","labels":"y"} unread=["labels"] @ "train.py":9 ^ "train.py":23
  labels values=["y"] how="target"
  measures loss=0.7 gradient_norm=0.71 label_sensitivity=0.0
  trial intervention={"type":"permute","values":["y"]} gradient_norm="inf" gradients={"fc.weight":0.83}
"""

BAD = {
    "no keyword": ("\nwhatever", "line 2", "`whatever`"),
    "role": ("x: inpt", "line 1", "expected `input`"),
    "kind": ("h = lnear x", "the kind of op `lnear`", "`linear`"),
    "no kind": ("h =", "the kind of op ``", "expected one of"),
    "event": ("! bckward x", "the event `bckward`", "`backward`"),
    "no event": ("!", "the event ``", "tracking"),
    "glued": ("h=linear x", "behind the settings", "names before"),
    "nameless": ("rate=1", "begins with a setting", "a word first"),
    "step number": ("step one", "`one` behind `step`", "such as `step 0`"),
    "unknown setting": ("a = add b axis=1", "`axis=`", "`with=`"),
    "setting twice": ("a = add b module=x module=y", "`module=` twice", "once"),
    "not JSON": ("a = add b with={", "`with={`", "a JSON value"),
    "nested attribute": ('a = add b with={"k":{"l":1}}', 'the attribute `{"l":1}`', "a number"),
    "no number": ("measures loss=[1]", "`loss=[1]`", "float"),
    "NaN": ("measures loss=NaN", "`loss=NaN`", "JSON"),
    "not blank behind": ("measures loss=1.5.5", "behind the value of `loss=`", "blank"),
    "place": ("a = add b @ 3", "`@ 3`", '"train.py":20'),
    "two places": ('a = add b @ "f":1 @ "f":2', '`@ "f":2`', "one place"),
    "frames": ('a = add b @ "f":1 callers=[1]', "a frame `1`", '["file", line, "function"]'),
    "frames no list": ('a = add b @ "f":1 callers=1', "no list", "line"),
    "text": ('a = add b @ "f":1 text=1', "no string", "double quotes"),
    "outputs": ("a b = add c", "`a b =`", "commas"),
    "input": ("a = add 5", "`5`", "the name of a value"),
    "type": ("x: input f32[3] f32[4]", "`f32[3] f32[4]`", "one type"),
    "declared twice": ("x: input\nx: label", "line 2", "a second time"),
    "statistics without a size": ("x: input minimum=0", "no `count=`", "`count=`"),
    "ending": ("ending w changed=true", "no `gradient_seen=`", "on this line"),
    "group": ("group rate=1", "before any optimizer", "above it"),
    "limit": ("limit two words", "`two words` behind `limit`", "double quotes"),
    "framework": ("framework torch", "1 words", '`framework torch "2.13.0"`'),
    "open quote": ('x: input called="', 'called="', "JSON"),
    "control character in a string": ('"a\tb": input', "`", "JSON string"),
    "head where none is due": ("labels y", "`y` behind `labels`", "settings alone"),
    "settings of another line": ("labels rate=1", "`rate=`", "`values=`"),
    "trial": ('trial intervention={"type":"melt"}', "intervention", "melt"),
    "deep": ("measures loss=" + "[" * 100_000, "`loss=[", "JSON"),
    "huge number": ("step 0\nmeasures loss=" + "9" * 10_000, "line 2", "loss="),
}


@given(records())
def test_every_record_round_trips(record: Record):
    text = dumps(record)

    assert repr(loads(text)) == repr(record)  # NaN equals itself in print alone


def test_a_whole_record_reads_and_writes_as_shown():
    assert dumps(loads(WHOLE)) == WHOLE


def test_what_is_read_is_what_was_meant():
    step = loads(WHOLE).steps[0]

    assert step.graph.values["h"] == Value("h")
    assert step.graph.values["s"].shape == ()
    assert step.graph.values["a b"] == Value("a b", "input", shape=(3,), statistics=Statistics(3))
    assert repr(step.graph.values["x"].statistics) == repr(Statistics(640, minimum=-2.5, maximum=math.nan))
    assert step.graph.ops[1].attributes == {"axis": 1, "shape": (1, 2), "eps": math.inf}
    assert step.graph.ops[2] == Op("leave", ("h",), failed=True)
    assert [event.at for event in step.events] == [1, 4]
    assert step.events[1].site == Site("train.py", 24, callers=(Frame("train.py", 30, "main"),))
    assert step.trials[0].intervention == Permute(("y",))


@pytest.mark.parametrize("text", ["", "\n\n", "# only a comment", "  # and blanks\n"])
def test_nothing_is_an_empty_record(text):
    assert loads(text) == Record()


def test_a_step_line_is_not_needed():
    assert loads("x: input") == loads("step 0\n  x: input")


def test_indentation_and_blank_lines_mean_nothing():
    assert dumps(loads("\n\n".join(line.strip() for line in WHOLE.splitlines()))) == WHOLE


def test_keywords_may_name_values():
    step = loads("step: input\nrecord = add step trial").steps[0]

    assert list(step.graph.values) == ["step", "trial", "record"]
    assert step.graph.ops == (Op("add", ("step", "trial"), ("record",)),)


def test_bare_words_are_strings():
    assert loads("parameter w value=w.1 gradient=finite") == loads('parameter w value="w.1" gradient="finite"')


def test_an_event_can_say_where_it_stands():
    assert loads("a = create\n! clear at=0").steps[0].events == (Event("clear", 0),)


@pytest.mark.parametrize(
    "name", ["nan", "true", "a,b", "=", "!", "@", "#", "", "x y", 'quo"te', "line\nbreak", "\u2028", "日本", "\udcff", "step", "f32[2,3]"]
)
def test_any_name_round_trips(name):
    record = loads(f"a = add x\n! backward a\n{json.dumps(name)}: input")

    assert loads(dumps(record)) == record
    assert name in record.steps[0].graph.values


@pytest.mark.parametrize("case", BAD)
def test_bad_text_is_told_with_its_line_and_what_was_due(case):
    text, came, due = BAD[case]
    with pytest.raises(WhygradError) as caught:
        loads(text)

    assert "line " in caught.value.problem
    assert came in caught.value.problem
    assert due in str(caught.value)
