"""Whole runs in processes of their own, with a tiny framework: bad input, sudden ends, and faults of ours at every stage."""

import os
import re
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from programs_run import HEALTHY, TESTS, environment, playing, python, report_of, run, whygrad, write
from whygrad.ir import Framework, Outcome, Raised, Record
from whygrad.ir.files import read_record
from whygrad.judging import unjudged

CUT = HEALTHY.replace("loss = cross_entropy h y", 'd = detach h native="tiny.detach" @ "train.py":7:5-15 text="    d = h.detach()"\n      loss = cross_entropy d y').replace(
    'gradient="finite" gradient_norm=0.7', 'gradient="none"'
).replace("gradient_norm=0.71 label_sensitivity=0.84", "").replace("changed=true gradient_seen=true", "changed=false gradient_seen=false")  # fmt: skip


def healthy(folder: Path, then: str = "") -> None:
    """A healthy program in `train.py`."""
    write(folder, train=playing(then=then))


def test_a_healthy_program_in_a_few_lines(tmp_path: Path) -> None:
    healthy(tmp_path, "print('trained')")

    done = whygrad(tmp_path, "run", "train.py", "--epochs", "3")

    assert (done.returncode, done.stdout) == (0, "trained\n")
    assert "whygrad: no fault found in train.py --epochs 3" in done.stderr
    assert "0.84 (of 0 to 2)" in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 10


def test_a_fault_is_named_with_its_line(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))

    done = whygrad(tmp_path, "run", "--json", "report.json", "train.py")

    assert done.returncode == 0
    assert done.stderr.lstrip().startswith("error[WG301] detached: ")
    assert "--> train.py:7:5" in done.stderr
    assert done.stderr.rstrip().endswith("next: whygrad explain WG301")
    found = report_of(tmp_path / "report.json")
    assert found["healthy"] is False
    assert found["diagnoses"][0]["location"]["line"] == 7


FORMS = ["--json", "r.json", "--html", "r.html", "--sarif", "r.sarif", "--junit", "r.xml", "--format", "github"]


@pytest.mark.parametrize("command", [["run", "--record", "kept"], ["show"]], ids=["of a run", "of a record"])
def test_every_form_of_the_report_is_written(tmp_path: Path, command: list[str]) -> None:
    write(tmp_path, train=playing(CUT))
    shown = [] if command[0] == "run" else ["kept"]
    if shown:
        whygrad(tmp_path, "run", "--record", "kept", "train.py")
    done = whygrad(tmp_path, *command, *FORMS, *(shown or ["train.py"]))

    assert done.returncode == 0, done.stderr
    assert "::error file=train.py,line=7" in done.stdout + done.stderr
    assert report_of(tmp_path / "r.json")["diagnoses"][0]["rule"] == "WG301"
    assert report_of(tmp_path / "r.sarif")["runs"][0]["results"][0]["ruleId"] == "WG301"
    assert "<failure" in (tmp_path / "r.xml").read_text()
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")


# Bad input: said before anything runs


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trian.py"], "did you mean `train.py`?"),
        (["nowhere.py"], "there is no file `nowhere.py`"),
        (["empty"], "the folder `empty` has no `__main__.py`"),
        (["model.pt"], "`model.pt` is not a Python program: it holds binary data"),
        (["latin.py"], "`latin.py` is not a Python program"),
        (["-m", "nowhere.train"], "no module is called `nowhere`"),
        (["-m", "train.py/x"], "`train.py/x` is no module name"),
        (["--json", "no/such/folder.json", "train.py"], "--json `no/such/folder.json` can't be written: there is no folder"),
        (["--record", "empty", "train.py"], "--record `empty` can't be written: it is a folder"),
        (["--json", "same", "--record", "same", "train.py"], "both name `same`"),
        (["--select", "WG30l", "train.py"], "did you mean `WG3"),
        (["--select", "WG999", "train.py"], "run `whygrad rules` to list them all"),
        (["--ignore", "detatched", "train.py"], "did you mean `WG301 detached`?"),
        (["--ignore", "zzzzzz", "train.py"], "run `whygrad rules` to list them all"),
        (["--stpes", "2", "train.py"], "no such option '--stpes'"),
        (["--steps", "0", "train.py"], "not in the range"),
        ([], "Missing argument 'SCRIPT'"),
    ],
)
def test_bad_input_is_told_before_the_program_runs(tmp_path: Path, arguments: list[str], says: str) -> None:
    write(tmp_path, train="print('it ran')")
    (tmp_path / "empty").mkdir()
    (tmp_path / "model.pt").write_bytes(b"PK\0\1\2")
    (tmp_path / "latin.py").write_bytes("größe = 1".encode("latin-1"))

    done = whygrad(tmp_path, "run", *arguments)

    assert done.returncode == 2
    assert says.lower() in done.stderr.lower()
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert not [path for path in tmp_path.iterdir() if path.name in ("same", "no")]


def test_probing_an_output_leaves_nothing_behind_and_keeps_what_is_there(tmp_path: Path) -> None:
    write(tmp_path, train="import os\nprint(os.path.exists('new.json'), open('old.json').read())\nos._exit(0)")
    (tmp_path / "old.json").write_text("old")

    done = whygrad(tmp_path, "run", "--record", "new.json", "--json", "old.json", "train.py")

    assert done.stdout in ("", "False old\n")
    assert report_of(tmp_path / "old.json")["healthy"] is None


# Programs in which there is nothing to judge


@pytest.mark.parametrize(
    ("program", "says", "status"),
    [
        ("print(1)", "never imported a framework", 0),
        ("import tiny", "the program ran no backward pass", 0),
        ("import tiny\nraise ValueError('no data')", "ended with ValueError before its first training step", 1),
        ("x = = 1", "never imported a framework", 1),
        ("import not_there", "never imported a framework", 1),
        ("import tiny\ntiny.steps(3)", "took 3 steps, none of which was recorded", 0),
    ],
)
def test_nothing_judged_says_why(tmp_path: Path, program: str, says: str, status: int) -> None:
    write(tmp_path, train=program)

    done = whygrad(tmp_path, "run", "--json", "j", "train.py")

    assert says in " ".join(done.stderr.split())
    assert done.returncode == status
    assert report_of(tmp_path / "j")["healthy"] is None
    assert whygrad(tmp_path, "check", "train.py").returncode == (status or 3)


# Exit status


@pytest.mark.parametrize(
    ("command", "options", "then", "status"),
    [
        ("run", [], "", 0), ("run", ["--fail-on", "error"], "", 1), ("run", ["--fail-on", "error"], "raise SystemExit(3)", 1),
        ("run", [], "raise SystemExit(3)", 3), ("check", [], "", 1), ("check", ["--fail-on", "never"], "", 0),
        ("check", ["--fail-on", "never"], "raise SystemExit(3)", 3), ("check", ["--ignore", "WG301"], "", 0),
        ("check", ["--ignore", "detached"], "", 0), ("check", ["--select", "WG4"], "", 0), ("check", ["--select", "wg3"], "", 1),
    ],
)  # fmt: skip
def test_exit_status_on_a_fault(tmp_path: Path, command: str, options: list[str], then: str, status: int) -> None:
    write(tmp_path, train=playing(CUT, then))

    assert whygrad(tmp_path, command, *options, "train.py").returncode == status


def test_a_comment_silences_a_line(tmp_path: Path) -> None:
    silenced = CUT.replace("h.detach()", "h.detach()  # whygrad: ignore[WG301] a probe")
    write(tmp_path, train=playing(silenced))

    done = whygrad(tmp_path, "check", "train.py")

    assert done.returncode == 0
    assert re.search(r"silenced: +WG301 at train.py:\d+:\d+, by your comment \(a probe\)", done.stderr)
    assert "error[" not in done.stderr


def test_settings_of_the_project_and_options_above_them(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    (tmp_path / "pyproject.toml").write_text('[tool.whygrad]\nfail-on = "error"\nignore = ["detached"]\n')

    assert whygrad(tmp_path, "run", "train.py").returncode == 0
    assert whygrad(tmp_path, "run", "--ignore", "WG205", "train.py").returncode == 1


# check


def test_check_ends_the_program_once_nothing_new_comes(tmp_path: Path) -> None:
    healthy(tmp_path, """
        import atexit
        try:
            for step in range(1000):
                tiny.steps(1)
                print(step)
        except Exception:
            print("caught")
        finally:
            print("finally")
    """)  # fmt: skip

    done = whygrad(tmp_path, "check", "--json", "j", "train.py")

    assert done.returncode == 0
    assert done.stdout.splitlines()[-2:] == ["6", "finally"]
    assert "ended the program after the recorded steps" in report_of(tmp_path / "j")["outcome"]["stopped"]


def test_check_counts_no_failure_that_its_own_stop_made(tmp_path: Path) -> None:
    healthy(tmp_path, "try:\n    tiny.steps(99)\nexcept BaseException:\n    raise SystemExit(9)")

    assert whygrad(tmp_path, "check", "train.py").returncode == 0


def test_the_page_marks_the_place_and_tells_the_way_to_the_loss_where_places_are_absolute(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT.replace('"train.py"', f'"{tmp_path}/train.py"')))

    whygrad(tmp_path, "run", "--html", "page.html", "train.py")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")

    assert '"marked":true' in page
    assert 'class="path"' in page


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    healthy(tmp_path)
    whygrad(tmp_path, "run", "--record", "r", "train.py")

    done = whygrad(tmp_path, "show", "r", "--html", "/dev/full")

    assert done.returncode == 2
    assert "--html `/dev/full` can't be written: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    healthy(tmp_path)
    (tmp_path / "kept").mkdir()
    (tmp_path / "page.html").symlink_to("kept/page.html")

    whygrad(tmp_path, "run", "--html", "page.html", "train.py")

    assert (tmp_path / "page.html").is_symlink()
    assert (tmp_path / "kept" / "page.html").stat().st_size > 0


def test_the_version_and_a_step_by_its_number_are_asked_for_on_the_command_line(tmp_path: Path) -> None:
    healthy(tmp_path)

    assert whygrad(tmp_path, "--version").stdout.startswith("whygrad ")
    assert whygrad(tmp_path, "run", "--at-step", "0", "train.py").returncode == 0
    assert "'x' is not a valid integer" in whygrad(tmp_path, "run", "--at-step", "x", "train.py").stderr


# Sudden ends


def test_os_exit_reports_first(tmp_path: Path) -> None:
    healthy(tmp_path, "import os\nos._exit(7)")

    done = whygrad(tmp_path, "run", "--json", "j", "--record", "r", "train.py")

    assert done.returncode == 7
    assert "no fault found" in done.stderr
    assert report_of(tmp_path / "j")["outcome"]["exit_status"] == 7
    assert read_record(tmp_path / "r").report_bytes


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGTERM)", "os.abort()"])
def test_a_killed_program_leaves_its_record(tmp_path: Path, end: str) -> None:
    healthy(tmp_path, f"import os, signal\n{end}")

    done = whygrad(tmp_path, "run", "--record", "r", "train.py")
    shown = whygrad(tmp_path, "show", "r")

    assert done.returncode < 0
    assert shown.returncode == 0
    assert "no fault found in train.py" in shown.stdout
    assert "killed before its report" in shown.stdout


@pytest.mark.parametrize("starter", [[str(TESTS / "programs" / "tiny_framework" / "whygrad_tiny.py")], ["-m", "whygrad"]])
def test_ctrl_c_ends_the_program_as_python_ends_it(tmp_path: Path, starter: list[str]) -> None:
    healthy(tmp_path, "import time\nprint('ready', flush=True)\ntime.sleep(30)")
    with subprocess.Popen(
        [sys.executable, *starter, "run", "train.py"], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - what a shell starts in its background ignores the signal, and so do its children
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()

    assert process.returncode == -signal.SIGINT
    assert said.count("KeyboardInterrupt") >= 1
    assert "whygrad/" not in said
    assert "whygrad: " in said


def test_a_forked_child_reports_nothing(tmp_path: Path) -> None:
    healthy(tmp_path, "import os\npid = os.fork()\nif pid == 0:\n    print('child')\nelse:\n    os.waitpid(pid, 0)")

    done = whygrad(tmp_path, "run", "train.py")

    assert done.stderr.count("whygrad: ") == 1
    assert "child" in done.stdout


def test_two_whygrads_nested(tmp_path: Path) -> None:
    healthy(tmp_path, "print('inner')")

    done = whygrad(tmp_path, "run", "-m", "whygrad", "run", "train.py")

    assert done.returncode == 0
    assert "this process already runs under whygrad, so this one only runs `train.py`" in done.stderr
    assert done.stderr.count("no fault found") == 1


def test_ranks_write_files_of_their_own_and_only_the_first_prints(tmp_path: Path) -> None:
    healthy(tmp_path)

    done = whygrad(tmp_path, "run", "--json", "j", "--record", "r", "train.py", env={"RANK": "2", "WORLD_SIZE": "4"})

    assert done.stderr == ""
    assert {path.name for path in tmp_path.glob("[jr]*")} == {"j.rank2", "r.rank2"}


def test_a_program_that_changes_its_folder_and_breaks_its_streams(tmp_path: Path) -> None:
    healthy(tmp_path, "import os, sys\nos.chdir('/')\nsys.stdout = sys.stderr = None")

    done = whygrad(tmp_path, "run", "--json", "j", "train.py")

    assert done.returncode == 0
    assert report_of(tmp_path / "j")["healthy"] is True
    assert "no fault found" in done.stderr


def test_a_reader_that_has_gone_away(tmp_path: Path) -> None:
    healthy(tmp_path)
    read, write_end = os.pipe()
    os.close(read)

    done = subprocess.run(
        [sys.executable, str(TESTS / "programs" / "tiny_framework" / "whygrad_tiny.py"), "run", "train.py"],
        cwd=tmp_path,
        env=environment(),
        stderr=write_end,
        check=False,
    )
    os.close(write_end)

    assert done.returncode == 0


def test_a_full_disk_is_told_and_nothing_else_is_lost(tmp_path: Path) -> None:
    healthy(tmp_path)

    done = whygrad(tmp_path, "run", "--json", "/dev/full", "--record", "r", "train.py")

    assert done.returncode == 0
    assert "--json `/dev/full` could not be written: No space left on device" in done.stderr
    assert read_record(tmp_path / "r").report_bytes


# Faults of ours


STAGES = ["attach", "record", "draft", "baseline", "replay", "finish"]
FUNCTIONS = [
    "whygrad.session:judge", "whygrad.judging:rank", "whygrad.judging:health", "whygrad.observing:examine", "whygrad.observing:write_record",
    "whygrad.reports.terminal:render", "whygrad.reports.json_report:render", "whygrad.session:write_record", "whygrad.session:exit_status",
    "whygrad.observing:together", "whygrad.session:with_fixes",
]  # fmt: skip


@pytest.mark.parametrize("fault", [f"TINY_FAULT={stage}" for stage in STAGES] + [f"WHYGRAD_FAULT={function}" for function in FUNCTIONS])
def test_a_fault_of_ours_never_breaks_the_program(tmp_path: Path, fault: str) -> None:
    healthy(tmp_path, "print('trained')\nraise SystemExit(5)")
    name, _, value = fault.partition("=")

    done = whygrad(tmp_path, "run", "--json", "j", "--record", "r", "train.py", env={name: value})

    assert (done.stdout, done.returncode) == ("trained\n", 5)
    said = " ".join(done.stderr.split())
    assert "this is a bug in whygrad, not in your program" in said
    assert "please report it" in said
    assert "ZeroDivisionError: injected" in said
    assert "no fault found" not in said or any(name in fault for name in ("render", "write_record", "exit_status", "with_fixes"))


def test_a_rule_that_crashes_leaves_the_others_speaking(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT), lab_rules="""
        from whygrad.diagnosis import Rule
        def check(index):
            yield from ()
            raise ZeroDivisionError("injected")
        diagnose = Rule("LAB1", "odd", "error", "A rule that fails.", check)
        broken = 5
    """)  # fmt: skip
    info = tmp_path / "lab-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[whygrad.rules]\nodd = lab_rules:diagnose\nwrong = lab_rules:broken\n")
    path = os.pathsep.join([environment()["PYTHONPATH"], str(tmp_path)])

    done = whygrad(tmp_path, "run", "--json", "j", "train.py", env={"PYTHONPATH": path})

    assert "error[WG301] detached" in done.stderr
    assert "rule LAB1 odd failed: ZeroDivisionError: injected" in done.stderr
    assert "the rule `wrong` of another package could not be loaded" in done.stderr
    found = report_of(tmp_path / "j")
    assert found["coverage"]["unable"] == {"LAB1": "it failed: ZeroDivisionError"}
    assert any("Traceback" in fault for fault in found["faults"])
    assert "LAB1  odd" in whygrad(tmp_path, "rules", env={"PYTHONPATH": path}).stdout


def test_experiments_can_be_switched_off(tmp_path: Path) -> None:
    healthy(tmp_path)

    done = whygrad(tmp_path, "run", "--experiments", "off", "--json", "j", "train.py", env={"TINY_FAULT": "baseline"})

    assert done.returncode == 0
    assert report_of(tmp_path / "j")["measures"]["sensitivity_reason"] == "experiments are switched off"


# show


def test_show_prints_what_the_run_printed(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    ran = whygrad(tmp_path, "run", "--record", "r", "--json", "first.json", "train.py")

    shown = whygrad(tmp_path, "show", "--json", "second.json", "r")

    assert shown.stdout == ran.stderr.lstrip("\n")
    assert (tmp_path / "first.json").read_text() == (tmp_path / "second.json").read_text()


def test_two_runs_with_other_hash_seeds_write_the_same_report(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    for seed in ("1", "2"):
        whygrad(tmp_path, "run", "--record", f"r{seed}", "train.py", env={"PYTHONHASHSEED": seed})

    first, second = (read_record(tmp_path / f"r{seed}").report_bytes for seed in ("1", "2"))

    assert first is not None
    assert first == second


@pytest.mark.parametrize("content", [b"", b"nonsense", b"\x85"])
def test_show_of_a_file_that_is_no_record(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r").write_bytes(content)

    done = whygrad(tmp_path, "show", "r")

    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


# The command line


def test_help_is_quick_and_imports_no_framework(tmp_path: Path) -> None:
    code = "import sys\nfrom whygrad.cli import main\nprint([name for name in ('torch', 'rich', 'whygrad.session', 'msgspec') if name in sys.modules])"

    assert run(["-c", code], tmp_path).stdout == "[]\n"


def test_rules_and_explain(tmp_path: Path) -> None:
    listed = whygrad(tmp_path, "rules")
    by_code, by_name = whygrad(tmp_path, "explain", "wg301"), whygrad(tmp_path, "explain", "detached")
    unknown = whygrad(tmp_path, "explain", "WG999")

    assert "WG301  detached" in listed.stdout
    assert by_code.stdout == by_name.stdout
    assert "When it is fine" in by_code.stdout
    assert unknown.returncode == 2
    assert "no rule is called `WG999`" in unknown.stderr


def test_plain_python_and_whygrad_agree_on_the_tiny_program(tmp_path: Path) -> None:
    healthy(tmp_path, "print('trained')")

    assert python(tmp_path, "train.py").stdout == "trained\n"


def test_a_way_of_training_that_is_not_watched_is_the_reason() -> None:
    unwatched = Outcome(1, Raised("InvalidArgumentError", "a shape"), unwatched="what a session runs is not recorded")
    record = Record(frameworks=(Framework("tensorflow", "2.21.0"),), outcome=unwatched)

    assert unjudged(record, failed=False) == "what a session runs is not recorded"
