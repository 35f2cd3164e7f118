"""What is asked of code objects is answered once for each."""

from types import CodeType

import pytest

from whygrad.frontends.codes import MOST, once_for_each


class Asked:
    """A question, and the code that it was asked about."""

    def __init__(self, answer: str | None) -> None:
        self.codes: list[CodeType] = []
        self.answer = answer

    def __call__(self, code: CodeType) -> str | None:
        self.codes.append(code)
        return self.answer


def made(text: str) -> CodeType:
    return compile(text, "made.py", "eval")


@pytest.mark.parametrize("answer", ["yes", None])
def test_each_code_is_asked_about_once(answer: str | None) -> None:
    asked, code = Asked(answer), made("1")
    known = once_for_each(asked)

    assert [known(code), known(code)] == [answer, answer]
    assert asked.codes == [code]


def test_code_that_is_made_anew_all_the_time_does_not_pile_up() -> None:
    asked, first = Asked("yes"), made("0")
    known = once_for_each(asked)

    for code in (first, *(first.replace(co_firstlineno=number + 2) for number in range(MOST)), first):
        known(code)

    assert asked.codes.count(first) == 2
