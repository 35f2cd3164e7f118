"""For tests of training code: the fixture `whygrad` and the marker `@pytest.mark.whygrad`. A failure says what the report says."""

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import pytest


@dataclass(frozen=True, slots=True)
class Checks:
    """What the fixture offers; each is documented where it is defined, in `whygrad`."""

    assert_learns: Callable[..., Any]
    diagnose: Callable[..., Any]
    recording: Callable[..., Any]


@pytest.fixture(name="whygrad")
def whygrad_fixture() -> Checks:
    """`whygrad.assert_learns(model, loss_fn, batch)`, `whygrad.diagnose(…)` and `whygrad.recording()`."""
    from whygrad import api  # noqa: PLC0415 - only for tests that ask

    return Checks(api.assert_learns, api.diagnose, api.recording)


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker means."""
    config.addinivalue_line(
        "markers", 'whygrad(fail_on="error"): watch the training that this test does, and fail for diagnoses as grave as this'
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Watch a marked test: it fails for what is found, and a test that fails by itself gets the report beside its own failure."""
    marker = item.get_closest_marker("whygrad")
    if marker is None:
        return (yield)
    from whygrad.embedded import Embedded  # noqa: PLC0415 - only for tests that ask

    gate = _gate(marker)
    embedded = Embedded(name=item.nodeid, repeatable=False)
    on = embedded.start()
    try:
        result = yield
    except BaseException as problem:
        if on:
            report = embedded.finish(problem if isinstance(problem, Exception) else None)
            item.add_report_section("call", "whygrad", str(report))
        raise
    if on:
        report = embedded.finish()
        if report.gates(gate):
            pytest.fail(str(report), pytrace=False)
    return result


def _gate(marker: pytest.Mark) -> Any:
    gate = marker.kwargs.get("fail_on", marker.args[0] if marker.args else "error")
    if gate not in ("error", "warning", "never"):
        raise pytest.UsageError(f"the marker `whygrad` knows no fail_on={gate!r}: give error, warning or never")
    return gate
