"""A row of the table of idioms."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One idea in the words of each framework's users."""

    torch: str
    tensorflow: str
    jax: str
    keras: str = ""
    """Under `fit`, where that differs from the backend's words."""

    def __getitem__(self, dialect: str) -> str:
        """The words of one dialect; those of PyTorch for a framework that the table does not know."""
        return {"tensorflow": self.tensorflow, "jax": self.jax, "keras": self.keras}.get(dialect, self.torch)
