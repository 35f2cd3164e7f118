"""When a front end starts: as soon as its framework is there, but for one that another framework imported for itself."""

import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from whygrad.frontends.watching import Watching, watched

OUTER = """
    import inner_framework
    at_import = inner_framework.value
    def later():
        return inner_framework.value
"""


@pytest.fixture
def arrived(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    (tmp_path / "outer_framework.py").write_text(dedent(OUTER))
    (tmp_path / "inner_framework.py").write_text("value = 3\nArray = monitoring = None\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found: list[str] = []
    watching = Watching(("outer_framework", "inner_framework"), found.append, patient=True)
    watching.install()
    yield found
    watching.remove()
    for name in ("outer_framework", "inner_framework"):
        sys.modules.pop(name, None)


def test_one_that_another_imports_for_itself_arrives_when_it_is_used(arrived: list[str]) -> None:
    import outer_framework  # type: ignore[import-not-found]  # made by the fixture

    assert (arrived, outer_framework.at_import) == (["outer_framework"], 3)

    import inner_framework  # type: ignore[import-not-found]  # made by the fixture

    assert arrived == ["outer_framework"]
    assert inner_framework.value == 3
    assert arrived == ["outer_framework", "inner_framework"]
    assert type(inner_framework) is type(sys)


def test_a_look_at_what_computes_nothing_does_not_wake_it(arrived: list[str]) -> None:
    import outer_framework  # noqa: F401
    from inner_framework import Array, monitoring

    assert (arrived, Array, hasattr(monitoring, "record_scalar")) == (["outer_framework"], None, False)


def test_names_taken_out_of_it_wake_it(arrived: list[str]) -> None:
    import outer_framework  # noqa: F401
    from inner_framework import value

    assert (arrived, value) == (["outer_framework", "inner_framework"], 3)


def test_one_that_the_program_imports_arrives_at_once(arrived: list[str]) -> None:
    import inner_framework  # noqa: F401

    assert arrived == ["inner_framework"]


def test_one_that_never_was_used_is_as_it_was_when_the_watching_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "outer_alone.py").write_text("import inner_alone\n")
    (tmp_path / "inner_alone.py").write_text("value = 3\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    found: list[str] = []
    watching = Watching(("outer_alone", "inner_alone"), found.append, patient=True)
    watching.install()
    import outer_alone  # type: ignore[import-not-found]  # written above

    watching.remove()

    assert type(outer_alone.inner_alone) is type(sys)
    assert (found, outer_alone.inner_alone.value) == (["outer_alone"], 3)


def test_a_front_end_that_waits_for_a_part_of_its_framework_is_no_whygrad_that_watches(arrived: list[str]) -> None:
    inner = Watching(("a_part_of_it",), arrived.append)
    whole = next(finder for finder in sys.meta_path if isinstance(finder, Watching))
    assert watched()

    whole.remove()
    inner.install()

    assert not watched()
    inner.remove()
