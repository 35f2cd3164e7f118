"""The search for garbage is put off, and goes on as it was."""

import gc

import pytest

from whygrad.garbage import uncollected


def test_no_search_within_and_again_afterwards() -> None:
    with uncollected():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_a_program_that_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass

        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_goes_on_after_a_failure() -> None:
    with pytest.raises(ValueError, match="ours"), uncollected():
        raise ValueError("ours")

    assert gc.isenabled()
