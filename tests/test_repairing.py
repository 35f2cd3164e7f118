"""What decides whether a fix is kept, and `whygrad fix` on whole programs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from reports.samples import DETACHED, HEALTHY, UNUSED_LABELS
from sketch import sketch
from whygrad.delivery import screen
from whygrad.diagnosis import Remedy
from whygrad.ir import Course, Ending, Outcome, Parameter, Raised, Record, Step
from whygrad.program import Target
from whygrad.proving import Likened, no_further
from whygrad.repairing import Kept, Proof, Repair, Wish, against, far_off, left_out, unlabelled, unproved, unproved_alone, widest, written
from whygrad.reports.repairs import summary
from whygrad.trying import Attempt, attempt

FELL = Record(courses=(Course(steps=40, start=2.0, first=1.9, last=0.4),))
STOOD = Record(courses=(Course(steps=40, start=2.0, first=1.9, last=1.9),))
SICK = Attempt(STOOD, replace(HEALTHY, healthy=False, diagnoses=(replace(DETACHED, remedy=Remedy("x", ())),)))
WELL = Attempt(FELL, HEALTHY)
RAISED = replace(HEALTHY, healthy=None, outcome=Outcome(1, Raised("ValueError", "shapes differ")))


def test_a_fault_that_is_gone_is_kept():
    assert against(SICK, WELL, DETACHED) == ""


@pytest.mark.parametrize(
    ("trial", "words"),
    [
        (SICK, "still there"),
        (Attempt(FELL, RAISED), "ValueError"),
        (Attempt(stopped=True), "limit"),
        (Attempt(), "no report"),
        (Attempt(FELL, replace(HEALTHY, diagnoses=(UNUSED_LABELS,))), "another fault"),
        (Attempt(FELL, replace(RAISED, diagnoses=(UNUSED_LABELS,))), "ValueError"),
    ],
)
def test_a_patch_that_does_not_help_is_not_kept(trial: Attempt, words: str):
    assert words in against(SICK, trial, DETACHED)


def test_behind_one_exception_another_may_have_been_hidden():
    stopped = replace(SICK, report=replace(RAISED, diagnoses=SICK.roots))
    further = Attempt(FELL, replace(RAISED, diagnoses=(UNUSED_LABELS,)))

    assert against(stopped, further, DETACHED) == ""
    assert "ValueError" in against(stopped, Attempt(FELL, RAISED), DETACHED)


def test_behind_one_exception_another_of_its_kind_may_have_been_hidden():
    stopped = replace(SICK, report=replace(RAISED, diagnoses=SICK.roots))
    other = replace(DETACHED, names=("decoder",), message="something else")
    elsewhere = replace(RAISED, outcome=Outcome(1, Raised("ValueError", "other shapes differ")), diagnoses=(other,))

    assert against(stopped, Attempt(FELL, elsewhere), DETACHED) == ""
    assert "still there" in against(stopped, Attempt(FELL, replace(elsewhere, outcome=RAISED.outcome)), DETACHED)
    assert "still there" in against(stopped, Attempt(FELL, replace(elsewhere, diagnoses=(DETACHED,))), DETACHED)
    assert "still there" in against(SICK, Attempt(FELL, elsewhere), DETACHED)


def test_an_edit_may_have_to_go_on_where_a_later_batch_asks_for_more():
    stopped = replace(SICK, report=replace(RAISED, diagnoses=SICK.roots))
    more = replace(RAISED, outcome=Outcome(1, Raised("ValueError", "id 9")), diagnoses=(replace(DETACHED, message="id 9"),))
    moved = replace(DETACHED, message="id 9", site=replace(DETACHED.site, line=99) if DETACHED.site else None)

    assert against(stopped, Attempt(FELL, more), DETACHED) == ""
    assert "still there" in against(stopped, Attempt(FELL, replace(more, diagnoses=(moved,))), DETACHED)


def test_what_goes_on_with_an_edit_is_one_fix_with_it(tmp_path: Path):
    repair = Repair(Wish(Target("train.py", ())), tmp_path, tmp_path, screen(sys.stderr))
    again = replace(DETACHED, message="id 9", remedy=Remedy("once more", ()))
    repair.keep(DETACHED, {"a": ("0", "1")})
    repair.keep(again, {"a": ("1", "2"), "b": ("x", "y")})
    repair.keep(replace(again, rule="WG999"), {"a": ("2", "3")})

    assert [dict(kept.changed) for kept in repair.kept] == [{"a": ("0", "2"), "b": ("x", "y")}, {"a": ("2", "3")}]
    assert repair.kept[0].diagnosis == replace(DETACHED, remedy=again.remedy)


def test_a_program_that_runs_through_and_learns_is_proof():
    assert unproved(WELL) == ""


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (Attempt(Record(courses=(Course(steps=40, start=2.0, first=1.9, last=0.1, non_finite=39),)), HEALTHY), "no number"),
        (Attempt(FELL, replace(HEALTHY, measures=replace(HEALTHY.measures, label_sensitivity=0.0))), "labels"),
        (Attempt(FELL, replace(HEALTHY, measures=replace(HEALTHY.measures, label_sensitivity=float("nan")))), "labels"),
        (Attempt(FELL, RAISED), "ValueError"),
        (replace(SICK, record=FELL), "a fault is left"),
    ],
)
def test_anything_less_is_no_proof(after: Attempt, words: str):
    assert words in unproved(after)


def test_labels_that_never_mattered_and_that_no_rule_minds_are_none():
    blind = replace(HEALTHY, measures=replace(HEALTHY.measures, label_sensitivity=0.0))
    sign = replace(DETACHED, rule="WG215")

    assert unlabelled(Attempt(FELL, replace(blind, diagnoses=(sign,))), Attempt(FELL, blind))
    assert not unlabelled(Attempt(FELL, replace(blind, diagnoses=(UNUSED_LABELS,))), Attempt(FELL, blind))
    assert not unlabelled(WELL, Attempt(FELL, blind))


FAR = """
    x: input f32[8,2]
    y: label f32[8]
    w: parameter f32[1,2]
    p: activation f32[8]
    p = linear x w
    loss = huber_loss p y with={"target":1}
    labels values=["y"] how="target"
    measures loss=7.0 gradient_norm=40.0 label_sensitivity=0.0
"""


@pytest.mark.parametrize(
    ("old", "new", "far"),
    [
        ("huber_loss", "huber_loss", True),
        ("huber_loss", "mse_loss", False),
        ('huber_loss p y with={"target":1}', "mean p", False),
        ('    labels values=["y"] how="target"\n', "", False),
    ],
    ids=["an error with straight ends", "a squared error", "labels that are not read", "no labels"],
)
def test_a_derivative_that_is_the_same_for_many_labels_says_nothing_against_a_fix(old: str, new: str, far: bool):
    assert far_off(Attempt(sketch(FAR.replace(old, new)).record)) is far


def test_a_repair_that_gets_no_further_says_so():
    assert "and learns\n" in summary((DETACHED,), "", {}, ())
    alike = no_further(Likened(1.0, {4: 0.5}, {4: 0.5}))
    told = summary((DETACHED,), "", {}, (), shown=alike)

    assert "verified" not in told
    assert "tried: the patched program was run whole, the fault is gone, and the program gets no further by that and no less far" in told
    assert "ends at 0.5, without the change at 0.5" in told
    assert no_further(Likened(1.0, {4: 0.5}, {4: 0.1})) == no_further(Likened(reason="other numbers")) == ""


def test_what_was_not_compared_is_tried_and_not_verified():
    apart = Proof(pair=Likened(reason="other numbers"), apart="other numbers")
    several = Proof(pair=Likened(1.0, {4: 0.9}, {4: 0.1}), idle=frozenset({"the second"}))

    assert apart.shown == "learns, but was not compared with the program as it stands: other numbers"
    assert Proof(pair=Likened(reason="it ended at once")).shown == ""
    assert Proof("a fault is left", apart="other numbers").shown == ""
    assert several.said_of("the first") == ""
    assert several.said_of("the second") == "learns as well without this change"


def test_the_loss_of_a_step_may_be_the_first_of_several_that_it_differentiates():
    record = sketch(
        """
        w: parameter f32[4]
        a: loss f32[] minimum=0.8 maximum=0.8 mean=0.8 count=1
        b: loss f32[]
        a = sum w
        b = mean w
        ! backward a
        ! backward b
        measures loss=0.6
        """
    ).record

    assert Attempt(record).losses_at(0) == (0.6, 0.8)
    assert Attempt(record).losses_at(7) == ()


def test_runs_are_compared_on_a_step_of_the_kind_that_has_the_fault(tmp_path: Path):
    before = Attempt(Record(steps=(Step(0), Step(1), Step(38, kind=1), Step(39, kind=1))))
    late, early = (Kept(replace(DETACHED, message=str(kind), kind=kind), {}) for kind in (1, 0))
    other_batch = Kept(replace(DETACHED, kind=0, remedy=Remedy("x", (), later=True)), {})

    def compared(*kept: Kept) -> int:
        return Repair(Wish(Target("train.py")), tmp_path, tmp_path, screen(sys.stderr), kept=list(kept)).compared_step(before, Attempt())

    assert (compared(late), compared(early), compared(late, early), compared(other_batch)) == (38, 0, 0, 1)
    assert compared(Kept(replace(DETACHED, kind=None), {})) == 0


def test_what_a_change_sets_free_later_on_is_compared_there():
    head, trunk, other = (Parameter(name, name, reached=True) for name in ("head", "trunk", "other"))
    frozen = replace(trunk, trainable=False)

    def compared(*later: Parameter) -> int:
        return widest(Attempt(Record(steps=(Step(0, parameters=(head, frozen)), Step(80, kind=1, parameters=later)))), 0)

    assert (compared(head, trunk), compared(head, frozen), compared(trunk, other), compared(head)) == (80, 0, 0, 0)
    assert widest(Attempt(), 3) == 3


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (WELL, ""),
        (Attempt(STOOD, HEALTHY), "does not fall"),
        (Attempt(Record(courses=(Course(steps=40, start=2.0, first=1.9, last=float("nan")),)), HEALTHY), "does not fall"),
        (Attempt(Record(), HEALTHY), "not seen"),
    ],
)
def test_where_the_runs_can_not_be_compared_its_own_loss_must_fall(after: Attempt, words: str):
    assert words in unproved_alone(after)
    assert bool(words) == bool(unproved_alone(after))


@pytest.mark.parametrize(
    ("run", "less", "words", "needed"),
    [
        (Attempt(FELL, RAISED), Likened(), "stops with ValueError", True),
        (Attempt(stopped=True), Likened(), "within the limit", True),
        (WELL, Likened(1.0, {4: 0.9}, {4: 0.1}), "ends at 0.9, with it at 0.1", True),
        (WELL, Likened(1.0, {4: 0.1}, {4: 0.1}), "learns as well", False),
        (Attempt(STOOD, HEALTHY), Likened(reason="x"), "does not fall", True),
        (WELL, Likened(reason="x"), "falls as well", False),
    ],
)
def test_a_fix_without_which_the_program_learns_as_well_is_not_needed(run: Attempt, less: Likened, words: str, needed: bool):
    said, found = left_out(run, less, WELL)

    assert words in said
    assert found is needed


def test_a_file_is_replaced_as_a_whole_and_its_old_content_kept(tmp_path: Path):
    path = tmp_path / "train.py"
    path.write_bytes("# -*- coding: latin-1 -*-\nx = 'ä'\n".encode("latin-1"))
    path.chmod(0o750)
    first = written(path, "# -*- coding: latin-1 -*-\nx = 'ö'\n")
    second = written(path, "# -*- coding: latin-1 -*-\nx = 'ü'\n")

    assert path.read_bytes() == "# -*- coding: latin-1 -*-\nx = 'ü'\n".encode("latin-1")
    assert (first.name, second.name) == ("train.py.orig", "train.py.orig1")
    assert second.read_bytes().decode("latin-1").endswith("x = 'ö'\n")
    assert path.stat().st_mode & 0o777 == 0o750
    assert sorted(file.name for file in tmp_path.iterdir()) == ["train.py", "train.py.orig", "train.py.orig1"]


def test_what_edits_sources_is_not_imported_before_there_is_a_fault():
    words = "import sys, whygrad.session, whygrad.cli.fix; sys.exit('libcst' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", words], check=False).returncode == 0


TWO_FAULTS = """import torch
from net import Net

torch.manual_seed(0)
x = torch.randn(64, 8)
y = x[:, :3].argmax(1)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for step in range(40):
    loss = torch.nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
open("log.txt", "w").write("done")
torch.save(model.state_dict(), "model.pt")
"""
NET = """import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden = nn.Linear(8, 8)
        self.out = nn.Linear(8, 3)

    def forward(self, x):
        return self.out(torch.relu(self.hidden(x)).detach())  # scores
"""


def fix(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """`whygrad fix` in a folder."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "whygrad", "fix", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [("train.py", "x = (\n", "can't compile"), ("trian.py", "", "did you mean"), ("train.py", "print(1)\n", "nothing was judged")],
)
def test_what_can_not_be_repaired_is_told_in_a_sentence(name: str, text: str, words: str, tmp_path: Path):
    (tmp_path / "train.py").write_text(text)
    done = fix(tmp_path, name)

    assert done.returncode == (1 if "judged" in words else 2)
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.torch
@pytest.mark.slow
def test_two_faults_in_two_files_are_repaired_and_written(tmp_path: Path):
    (tmp_path / "train.py").write_text(TWO_FAULTS)
    (tmp_path / "net.py").write_text(NET)
    done = fix(tmp_path, "--write", "--json", str(tmp_path / "r.json"), "train.py")

    assert done.returncode == 0, done.stderr
    assert "2 faults repaired, verified" in done.stderr
    assert done.stderr.count("without it the patched loss on the recorded batch ends at") == 2
    assert (tmp_path / "net.py").read_text() == NET.replace(".detach()", "")
    assert "    optimizer.zero_grad()\n    loss.backward()\n" in (tmp_path / "train.py").read_text()
    assert (tmp_path / "net.py.orig").read_text() == NET
    assert all(item["fix"]["diff"] for item in json.loads((tmp_path / "r.json").read_text())["diagnoses"] if item["root_cause"])
    assert not (tmp_path / "log.txt").exists()
    assert not (tmp_path / "model.pt").exists()
    assert "not put back" not in done.stderr


@pytest.mark.torch
@pytest.mark.slow
def test_nothing_is_written_unless_asked_for(tmp_path: Path):
    (tmp_path / "train.py").write_text(TWO_FAULTS.replace("    loss.backward()\n", "    optimizer.zero_grad()\n    loss.backward()\n"))
    (tmp_path / "net.py").write_text(NET)
    done = fix(tmp_path, "--html", "r.html", "--json", "r.json", "--limit", "300", "train.py")

    assert "nothing was written" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix) == ["net.py", "r.html", "r.json", "train.py"]
    assert 'class="patched" points=' in (tmp_path / "r.html").read_text()
    assert [item["fix"]["verified"] for item in json.loads((tmp_path / "r.json").read_text())["diagnoses"] if item["root_cause"]] == [True]
    assert (tmp_path / "net.py").read_text() == NET


@pytest.mark.torch
@pytest.mark.slow
def test_a_file_that_changes_meanwhile_is_left_alone(tmp_path: Path):
    (tmp_path / "train.py").write_text(TWO_FAULTS.replace("    loss.backward()\n", "    optimizer.zero_grad()\n    loss.backward()\n"))
    (tmp_path / "net.py").write_text(NET)
    command = [sys.executable, "-m", "whygrad", "fix", "--write", "train.py"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith("trying:"):
        assert line, "it ended before it tried anything"
    (tmp_path / "net.py").write_text(NET + "# mine\n")
    _, said = process.communicate(timeout=300)

    assert process.returncode == 2, said
    assert "was changed meanwhile" in said
    assert "nothing was written" in said
    assert (tmp_path / "net.py").read_text() == NET + "# mine\n"
    assert not (tmp_path / "net.py.orig").exists()


@pytest.mark.slow
def test_a_program_that_hangs_is_stopped_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "here").mkdir()
    (tmp_path / "here/train.py").write_text("print('begun', flush=True)\nwhile True: pass\n")
    (tmp_path / "scratch").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    done = attempt(Target("train.py"), (), {}, tmp_path / "scratch", 12.0)

    assert done.stopped
    assert done.failed
    assert "begun" in done.tail


HEEDING_CTRL_C = """
import runpy, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
runpy.run_module("whygrad", run_name="__main__", alter_sys=True)
"""
"""A shell starts what runs in the background with Ctrl-C ignored, and so are these tests where they are started there."""


@pytest.mark.slow
def test_ctrl_c_leaves_the_file_as_it_is_and_puts_back_what_was_written(tmp_path: Path):
    program = tmp_path / "train.py"
    program.write_text("import time\nopen('log.txt', 'w').write('x')\nopen('begun', 'w').close()\ntime.sleep(60)\n")
    (tmp_path / "log.txt").write_text("old")
    process = subprocess.Popen(
        [sys.executable, "-c", HEEDING_CTRL_C, "fix", "--write", "train.py"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    while not (tmp_path / "begun").exists() and process.poll() is None:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert (process.returncode, "no file was changed" in said) == (130, True), said
    assert (tmp_path / "log.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.txt", "train.py"]


EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize("name", ["unused_labels", "keras_ids_for_one_hot", "keras_unscaled_sensor"])
def test_the_examples_are_repaired_into_programs_that_learn(name: str, tmp_path: Path):
    program = tmp_path / f"{name}.py"
    shutil.copy(EXAMPLES / program.name, program)
    done = fix(tmp_path, "--write", "--unsafe", program.name)
    alone = subprocess.run([sys.executable, program.name], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (done.returncode, alone.returncode) == (0, 0), done.stderr
    assert "verified: the patched program was run whole, and learns" in done.stderr
    assert program.read_text() != (EXAMPLES / program.name).read_text()
    assert done.stderr.count("without it the program stops with ValueError") == (2 if name == "keras_ids_for_one_hot" else 0)


def test_parameters_that_ended_as_they_began_need_not_be_kept_to_be_known():
    """What nnx updates inside `jax.jit`, and a model that is frozen as a whole, leave no trajectory behind."""
    course = STOOD.courses
    still, moved = Ending(changed=False, gradient_seen=True), Ending(changed=True, gradient_seen=True)
    frozen, trained = Parameter("w", "t1", trainable=False), Parameter("w", "t1")

    assert not Attempt(Record(courses=course, endings={"w": still, "b": still})).went
    assert not Attempt(Record(courses=course, steps=(Step(0, parameters=(frozen,)),))).went
    assert Attempt(Record(courses=course, endings={"w": still, "b": moved})).went
    assert Attempt(Record(courses=course, steps=(Step(0, parameters=(frozen, trained)),))).went
    assert Attempt(Record(courses=course)).went
    assert not Attempt().went


def test_of_two_models_the_one_that_the_step_reads_may_have_stood_still():
    moved, still = Ending(changed=True, gradient_seen=True), Ending(changed=False, gradient_seen=True)
    first, second = Parameter("w", "w", reached=True), Parameter("v", "v", reached=True)
    steps = (Step(0, parameters=(first,)), Step(9, parameters=(replace(first, reached=False), second)))
    run = Attempt(Record(courses=(Course(steps=40, start=2.0, first=1.9, last=0.4),), steps=steps, endings={"w": moved, "v": still}))

    assert run.went_at(0)
    assert not run.went_at(9)
    assert run.went_at(20)
    assert replace(run, record=replace(run.record, endings={"w": moved})).went_at(9)
