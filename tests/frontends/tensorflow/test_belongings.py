"""What is put back after a run of ours: what the function reaches, and nothing that other code of the file may be changing meanwhile."""

from typing import Any

from whygrad.frontends.tensorflow.belongings import Belongings, of_function

SOURCE = """
count, seen, fed = 0, [], 0


class Feed:
    def __init__(self):
        self.position = 0


feed = Feed()


def helper():
    global later
    later = 1
    seen.append(1)


def step():
    global count
    count += 1
    helper()


def read():
    global fed
    fed += 1
    feed.position += 1
"""


def played(*, during):
    """The names of such a file after a run of `step` that was put back, and what else ran meanwhile."""
    names: dict[str, Any] = {}
    exec(compile(SOURCE, "train.py", "exec"), names)
    before = Belongings(of_function(names["step"]))
    names["step"]()
    for name in during:
        names[name]()
    before.put_back()
    return names


def test_what_the_function_reaches_is_put_back():
    names = played(during=())

    assert names["count"] == 0
    assert names["seen"] == []
    assert "later" not in names


def test_what_another_thread_of_the_program_changes_meanwhile_is_left():
    names = played(during=("read", "read"))

    assert names["fed"] == 2
    assert names["feed"].position == 2
    assert names["count"] == 0


SHARED = """
import numpy as np


class Layer:
    calls = 0
    log = []
    shapes = np.zeros((2, 2), dtype=int)

    @property
    def twice(self):
        return 2 * self.calls

    def run(self):
        Layer.calls += 1
        Layer.log.append(1)
        self.shapes[0, 0] += 1
        return self.twice


class Deeper(Layer):
    pass


layer = Deeper()


def step():
    layer.run()
"""


def test_what_a_class_holds_and_arrays_are_put_back():
    names: dict[str, Any] = {}
    exec(compile(SHARED, "train.py", "exec"), names)
    before = Belongings(of_function(names["step"]))
    names["step"]()
    before.put_back()

    kind = names["Layer"]
    assert (kind.calls, kind.log, int(kind.shapes[0, 0])) == (0, [], 0)
    assert names["layer"].twice == 0
