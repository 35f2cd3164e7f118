"""Which of the user's functions an op ran in, directly or through the functions that it calls."""

from collections.abc import Iterator

from whygrad.ir import Op, Scope, Site


def enclosing(scopes: tuple[Scope, ...], op: Op) -> Iterator[int]:
    """The scopes that an op ran in, innermost first."""
    at, left = op.scope, len(scopes)
    while at is not None and 0 <= at < len(scopes) and left:
        yield at
        at, left = scopes[at].parent, left - 1


def place_in(scopes: tuple[Scope, ...], number: int, op: Op) -> Site | None:
    """The line of the function of scope `number` at which `op` ran, be it deeper in a function that this one calls."""
    site = op.site
    for at in enclosing(scopes, op):
        if at == number:
            return site
        site = scopes[at].caller or site
    return site
