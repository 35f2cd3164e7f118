"""Places in a source text, found by the words that stand there."""

from whygrad.ir import Site


def at(text: str, fragment: str, *, file: str = "train.py", columns: bool = True) -> Site:
    """The place of the first occurrence of a fragment of one line."""
    start = text.index(fragment)
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1) + 1
    whole = text.splitlines()[line - 1]
    return Site(file, line, line, column, column + len(fragment), text=whole) if columns else Site(file, line, text=whole)
