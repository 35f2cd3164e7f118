"""`--live` on a real terminal, seen through an emulator of one, and where there is none."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from dataclasses import dataclass, field
from pathlib import Path

import pyte
import pytest

from programs_run import HEALTHY, TESTS, environment, playing, python, whygrad, write
from whygrad.delivery import Screen
from whygrad.ir import Step
from whygrad.waiting import Patience

CUT = HEALTHY.replace("loss = cross_entropy h y", 'd = detach h native="tiny.detach" @ "train.py":7:5-15 text="    d = h.detach()"\n      loss = cross_entropy d y').replace(
    'gradient="finite" gradient_norm=0.7', 'gradient="none"'
).replace("gradient_norm=0.71 label_sensitivity=0.84", "").replace("changed=true gradient_seen=true", "changed=false gradient_seen=false")  # fmt: skip
THEN = """
import sys, time
for step in range(40):
    print("step", step)
    time.sleep(0.03)
    tiny.steps(1)
"""


@dataclass
class Terminal:
    """A terminal of some size, and everything that was ever visible on it."""

    rows: int
    columns: int
    seen: list[list[str]] = field(default_factory=list)
    status: int = -1

    def run(self, folder: Path, *arguments: str, **env: str) -> list[str]:
        """Run whygrad on it to its end; returns what is visible then."""
        screen = pyte.HistoryScreen(self.columns, self.rows, history=1000)
        stream = pyte.ByteStream(screen)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, self.columns, 0, 0))
        command = [sys.executable, str(TESTS / "programs/tiny_framework/whygrad_tiny.py"), *arguments]
        settings = environment({"TERM": "xterm-256color", **env})
        process = subprocess.Popen(command, cwd=folder, env=settings, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs)
        os.close(theirs)
        while True:
            try:
                data = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            stream.feed(data)
            self.seen.append([line.rstrip() for line in screen.display])
        os.close(ours)
        self.status = process.wait()
        above = ["".join(row[at].data for at in range(self.columns)).rstrip() for row in screen.history.top]
        return [*above, *(line.rstrip() for line in screen.display)]

    def display(self, line: int) -> set[str]:
        """What ever stood in a line, counted from the bottom."""
        return {picture[-line] for picture in self.seen}


def test_the_display_stays_at_the_bottom_and_leaves_the_programs_output_whole(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT, then=THEN))
    terminal = Terminal(30, 100)

    final = terminal.run(tmp_path, "run", "--live", "train.py")

    assert terminal.status == 0
    titles = terminal.display(10)
    assert any("whygrad · train.py · 0 steps" in line for line in titles), titles
    assert any(line.startswith("── whygrad · train.py · 3") and "watching" in line for line in titles), titles
    assert any("error[WG301] train.py:7:5: " in line for line in terminal.display(7))
    assert [line for line in final if line.startswith("step ")] == [f"step {at}" for at in range(40)]
    assert any(line.startswith("error[WG301] detached: ") for line in final)
    assert not any("── whygrad" in line for line in final)


def test_what_the_program_prints_is_the_same_to_the_byte(tmp_path: Path) -> None:
    write(tmp_path, train=playing(then=THEN))

    plain = python(tmp_path, "train.py", env={"PYTHONPATH": str(TESTS / "programs/tiny_framework")})
    watched = whygrad(tmp_path, "run", "--live", "train.py")

    assert (watched.returncode, watched.stdout) == (plain.returncode, plain.stdout)


def test_without_a_terminal_there_are_sentences(tmp_path: Path) -> None:
    write(tmp_path, train=playing(CUT))

    done = whygrad(tmp_path, "run", "--live", "train.py")

    assert "\x1b" not in done.stderr
    assert "whygrad: step 0 recorded: loss 0.7" in done.stderr
    assert "whygrad: so far    error[WG301] train.py:7:5: " in done.stderr


@pytest.mark.parametrize(("rows", "env"), [(10, {}), (30, {"TERM": "dumb"})])
def test_a_terminal_that_can_not_show_it_gets_sentences(tmp_path: Path, rows: int, env: dict[str, str]) -> None:
    write(tmp_path, train=playing(CUT))

    final = Terminal(rows, 100).run(tmp_path, "run", "--live", "train.py", **env)

    assert any(line.startswith("whygrad: step 0 recorded") for line in final)


def test_a_program_that_dies_gets_its_terminal_back(tmp_path: Path) -> None:
    write(tmp_path, train=playing(then="raise SystemError('gone')"))
    terminal = Terminal(24, 90)

    final = terminal.run(tmp_path, "run", "--live", "train.py")

    assert terminal.status == 1
    assert any("SystemError: gone" in line for line in final)
    assert not any("── whygrad" in line for line in final)


def test_without_live_a_person_at_a_terminal_is_told_why_it_takes_long(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter([0.0, 1.0, 4.2, 5.0, 15.0])
    patience = Patience(Screen(sys.stdout, 80, color=False, unicode=True), clock=lambda: next(times))
    for done in range(5):
        patience.measuring(Step(3), done)

    assert capsys.readouterr().out.splitlines() == [
        "whygrad: step 3 was run 2 times again in 4 s to measure it, and the program waits",
        "whygrad: step 3 was run 4 times again in 15 s to measure it, and the program waits",
    ]
