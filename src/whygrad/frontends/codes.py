"""Code objects: what they mention, and questions about them that are answered once for each. Imports no framework."""

from collections.abc import Callable, Iterator
from functools import wraps
from types import CodeType
from typing import TypeVar

Answer = TypeVar("Answer")

MOST = 20_000
"""Answers that are kept: a large framework runs a few thousand functions, and a program that makes code as it goes must not grow without end."""


def once_for_each(question: Callable[[CodeType], Answer]) -> Callable[[CodeType], Answer]:
    """The question with its answers kept, by the identity of the code: hashing code, as `functools.cache` does, reads all of it."""
    answers: dict[int, tuple[CodeType, Answer]] = {}

    @wraps(question)
    def answer(code: CodeType) -> Answer:
        found = answers.get(id(code))
        if found is None:
            if len(answers) >= MOST:
                answers.clear()
            found = answers[id(code)] = (code, question(code))  # held, so that no other code gets its identity
        return found[1]

    return answer


def parts_of(code: CodeType) -> Iterator[CodeType]:
    """A function's code, and that of the functions within it."""
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from parts_of(inner)


def names_in(code: CodeType) -> list[str]:
    """The globals and attributes that these mention, each once."""
    return list(dict.fromkeys(name for part in parts_of(code) for name in part.co_names))
