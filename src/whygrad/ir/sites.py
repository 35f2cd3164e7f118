"""Places in the source."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Frame:
    """One level of the call stack."""

    file: str
    line: int
    function: str = ""
    text: str = ""
    """The whole source line, of the user's own frames; "" where it is missing."""


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the user's code: the deepest frame that is the user's own.

    Lines and columns count from 1, `end_column` is the first column after the expression, 0 means unknown.
    """

    file: str
    line: int
    end_line: int = 0
    column: int = 0
    end_column: int = 0
    function: str = ""
    text: str = ""
    """The whole source line, or "" where the source is missing."""
    callers: tuple[Frame, ...] = ()
    """The user's own frames that led here, innermost first."""
    library: tuple[Frame, ...] = ()
    """Frames of libraries below this one, outermost first."""

    @property
    def line_of_code(self) -> tuple[str, int]:
        """File and line."""
        return self.file, self.line

    def caller(self, at: int = 0) -> "Site":
        """The place of one of the callers, 0 the innermost; raises `IndexError` where there are fewer."""
        frame = self.callers[at]
        return Site(frame.file, frame.line, function=frame.function, text=frame.text, callers=self.callers[at + 1 :])

    @property
    def with_callers(self) -> tuple["Site", ...]:
        """This place and those that led to it, innermost first."""
        return (self, *(self.caller(at) for at in range(len(self.callers))))
