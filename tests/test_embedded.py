"""whygrad inside a running program, with the tiny framework: what is reported, and that the program's random numbers are its own."""

import json
from pathlib import Path
from textwrap import dedent
from typing import Any

from programs_run import HEALTHY, python, write

PROGRAM = """
    import json, random, sys
    random.seed(5)
    before = random.getstate()
    import whygrad
    from whygrad.embedded import Embedded
    kept = []
    def keep(step):
        kept.append(step.index)
    embedded = Embedded(front_ends={"tiny": "tiny_front_end"}, kept=keep)
    on = embedded.start()
    import tiny
    tiny.play('''%s''')
    so_far = embedded.so_far()
    report = embedded.finish()
    text, page = str(report), report._repr_html_()
    print(json.dumps([on, kept, so_far.healthy, text, page, report.faults, random.getstate() == before, sorted(set(sys.modules) & {"torch", "jax", "tensorflow"})]))
"""


def told(folder: Path) -> list[Any]:
    write(folder, train=dedent(PROGRAM) % dedent(HEALTHY))
    done = python(folder, "train.py")
    assert done.returncode == 0, done.stderr
    answer: list[Any] = json.loads(done.stdout)
    return answer


def test_a_framework_that_comes_later_is_watched_and_random_numbers_stay(tmp_path: Path) -> None:
    on, kept, so_far, text, page, faults, same_random, frameworks = told(tmp_path)

    assert on is True
    assert kept
    assert so_far is True
    assert page.startswith('<iframe srcdoc="')
    assert "&lt;script" in page
    assert same_random
    assert frameworks == []
    assert faults == []
    assert "no fault found in train.py" in text
