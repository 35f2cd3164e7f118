"""Accepted diagnoses and comments: only what is new fails a check, and a comment that silences nothing is told."""

import json
from pathlib import Path

import pytest

from programs_run import HEALTHY, playing, report_of, whygrad, write

CUT = HEALTHY.replace("loss = cross_entropy h y", 'd = detach h native="tiny.detach" @ "train.py":7:5-15 text="    d = h.detach()"\n      loss = cross_entropy d y').replace(
    'gradient="finite" gradient_norm=0.7', 'gradient="none"'
).replace("gradient_norm=0.71 label_sensitivity=0.84", "").replace("changed=true gradient_seen=true", "changed=false gradient_seen=false")  # fmt: skip


def check(folder: Path, *options: str) -> tuple[int, str]:
    """Exit status and report of `whygrad check --baseline known.json …`."""
    done = whygrad(folder, "check", "--baseline", "known.json", *options, "train.py")
    return done.returncode, done.stderr


def test_what_was_accepted_is_neither_shown_nor_counted(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))

    assert whygrad(tmp_path, "check", "train.py").returncode == 1
    status, told = check(tmp_path, "--update-baseline")
    assert status == 0
    assert "accepted 1 diagnosis in `" in told
    status, told = check(tmp_path, "--json", "j")
    assert status == 0
    assert "accepted" not in told
    assert "error[" not in told
    assert ", by your settings or baseline" in told
    assert "nothing new in train.py: 1 diagnosis silenced" in told
    assert report_of(tmp_path / "j")["healthy"] is True


def test_a_new_diagnosis_still_fails(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    check(tmp_path, "--update-baseline")
    write(tmp_path, train=playing(CUT.replace('"train.py":7', '"model.py":7')))

    status, told = check(tmp_path)

    assert status == 1
    assert "error[WG301]" in told


def test_a_line_that_moved_is_no_new_diagnosis(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    check(tmp_path, "--update-baseline")
    write(tmp_path, train=playing(CUT.replace('"train.py":7', '"train.py":70')))

    assert check(tmp_path)[0] == 0


def test_what_is_gone_leaves_the_baseline_at_the_next_update(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))
    check(tmp_path, "--update-baseline")
    (known,) = json.loads((tmp_path / "known.json").read_text())["accepted"]
    check(tmp_path, "--update-baseline")
    still = json.loads((tmp_path / "known.json").read_text())["accepted"]
    write(tmp_path, train=playing(HEALTHY))
    check(tmp_path, "--update-baseline")

    assert known["rule"] == "WG301"
    assert known["file"] == "train.py"
    assert still == [known]
    assert json.loads((tmp_path / "known.json").read_text())["accepted"] == []


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (None, ("--baseline", "known.json"), "make it with `--update-baseline`"),
        ("nonsense", ("--baseline", "known.json"), "`known.json` is no baseline"),
        ('{"version": 9}', ("--baseline", "known.json"), "has version 9"),
        (None, ("--update-baseline",), "name it with `--baseline FILE`"),
        (None, ("--update-baseline", "--baseline", "no/such/known.json"), "there is no folder"),
    ],
)
def test_bad_baselines_are_told_before_the_program_runs(tmp_path: Path, content: str | None, options: tuple[str, ...], says: str) -> None:
    write(tmp_path, train="print('it ran')")
    if content is not None:
        (tmp_path / "known.json").write_text(content)

    done = whygrad(tmp_path, "check", *options, "train.py")

    assert done.returncode == 2
    assert says in done.stderr
    assert done.stdout == ""


def commented(comment: str, steps: str = CUT) -> str:
    """A program whose record names its own file, with a comment of ours in its first line."""
    return f"comment = 1  {comment}\n{playing(steps)}"


@pytest.mark.parametrize("comment", ["# whygrad: ignore[WG301] a probe", "# whygrad: ignore", "# whygrad: ignore[detached] a probe"])
def test_a_comment_that_silences_nothing_is_told(tmp_path: Path, comment: str) -> None:
    write(tmp_path, train=commented(comment))

    done = whygrad(tmp_path, "check", "--json", "j", "train.py")

    (limit,) = report_of(tmp_path / "j")["limits"]
    assert "at train.py:1 silences nothing in this run" in limit
    assert done.returncode == 1


def test_a_comment_that_silences_is_not_told_and_one_that_was_not_judged_neither(tmp_path: Path) -> None:
    line = 'text="    d = h.detach()  # whygrad: ignore[WG301] a probe"'
    silenced = CUT.replace('text="    d = h.detach()"', line)
    write(
        tmp_path,
        train=playing(silenced).replace(
            "import tiny\n", "import tiny\n\n\n\n\nif 0:\n    d = h.detach()  # whygrad: ignore[WG301] a probe\n"
        ),
    )
    whygrad(tmp_path, "check", "--json", "silenced", "train.py")
    write(
        tmp_path,
        train=playing(silenced.replace(" a probe", "")).replace(
            "import tiny\n", "import tiny\n\n\n\n\nif 0:\n    d = h.detach()  # whygrad: ignore[WG301]\n"
        ),
    )
    whygrad(tmp_path, "check", "--json", "unreasoned", "train.py")
    write(tmp_path, train=commented("# whygrad: ignore[WG999] of another package"))
    whygrad(tmp_path, "check", "--json", "unknown", "train.py")

    assert report_of(tmp_path / "silenced")["limits"] == []
    (limit,) = report_of(tmp_path / "unreasoned")["limits"]
    assert "`# whygrad: ignore[WG301]` at train.py:7 gives no reason" in limit
    assert report_of(tmp_path / "unknown")["limits"] == []
