"""Settings from options and from `pyproject.toml`, and the words that choose rules."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from whygrad.diagnosis import Diagnosis, Rule
from whygrad.errors import WhygradError
from whygrad.flow import Index
from whygrad.settings import Settings, chosen, from_project, named, settings_for


def silent(_index: Index) -> Iterator[Diagnosis]:
    yield from ()


RULES = tuple(
    Rule(code, name, "error", "", silent)
    for code, name in [("WG301", "detached"), ("WG306", "unused-parameter"), ("WG401", "not-in-optimizer")]
)


def project(folder: Path, text: str) -> Path:
    (folder / "pyproject.toml").write_text(text)
    return folder


def test_defaults_differ_between_run_and_check(tmp_path: Path) -> None:
    assert settings_for({}, check=False, folder=tmp_path) == Settings()
    assert settings_for({}, check=True, folder=tmp_path) == Settings(check=True, fail_on="error")


def test_an_option_wins_over_the_projects_file_key_by_key(tmp_path: Path) -> None:
    project(tmp_path, '[tool.whygrad]\nsteps = 5\nselect = ["WG3"]\nat-step = 0\n')
    found = settings_for({"steps": 3, "select": (), "json": None}, check=False, folder=tmp_path)

    assert found == Settings(steps=3, select=("WG3",), at_step=0)


def test_the_nearest_file_above_that_has_the_table(tmp_path: Path) -> None:
    project(tmp_path, "[tool.whygrad]\nsteps = 4\n")
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    project(tmp_path / "a", "[tool.other]\nx = 1\n")

    assert from_project(inner) == {"steps": 4}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[tool.whygrad]\nstep = 2", "did you mean `steps`?"),
        ("[tool.whygrad]\nzzzz = 2", "known settings: "),
        ("[tool.whygrad]\nsteps = 0", "a whole number from 1"),
        ("[tool.whygrad]\nsteps = true", "a whole number from 1"),
        ('[tool.whygrad]\nselect = "WG301"', "a list of rule codes or names"),
        ('[tool.whygrad]\nfail-on = "always"', "one of error, warning, never"),
        ("[tool.whygrad]\nexperiments = []", "one of off, default, all"),
        ("[tool.whygrad]\njson = 1", "a path"),
        ("[tool.whygrad\n", "is not valid TOML"),
    ],
)
def test_mistakes_in_the_file_are_named(tmp_path: Path, text: str, says: str) -> None:
    project(tmp_path, text)

    with pytest.raises(WhygradError) as caught:
        settings_for({}, check=False, folder=tmp_path)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("words", "codes"),
    [
        ([], set()), (["WG301"], {"WG301"}), (["wg301"], {"WG301"}), (["detached"], {"WG301"}), (["WG3"], {"WG301", "WG306"}),
        (["WG"], {"WG301", "WG306", "WG401"}), (["WG301", "not-in-optimizer "], {"WG301", "WG401"}),
    ],
)  # fmt: skip
def test_codes_names_and_families(words: list[str], codes: set[str]) -> None:
    assert chosen(words, RULES) == codes


@pytest.mark.parametrize(
    ("word", "says"), [("WG310", "WG30"), ("detach", "WG301 detached"), ("qqqq", "whygrad rules"), ("", "whygrad rules")]
)
def test_a_word_that_names_no_rule(word: str, says: str) -> None:
    with pytest.raises(WhygradError, match="no rule is called") as caught:
        chosen([word], RULES)

    assert says in caught.value.help
    with pytest.raises(WhygradError):
        named(word, RULES)


def test_every_setting_of_a_file_is_checked_and_taken(tmp_path: Path) -> None:
    project(tmp_path, '[tool.whygrad]\nhtml = "r.html"\nsarif = "r.sarif"\njunit = "r.xml"\nformat = "github"\nlive = true\n')

    assert settings_for({}, check=False, folder=tmp_path) == Settings(
        html="r.html", sarif="r.sarif", junit="r.xml", format="github", live=True
    )
