"""What can go wrong, told apart by who can put it right."""


class WhygradError(Exception):
    """Something the user can put right. Any other exception is a bug in this tool."""

    def __init__(self, problem: str, *, help: str) -> None:
        super().__init__(f"{problem}\n  help: {help}")
        self.problem = problem
        self.help = help
