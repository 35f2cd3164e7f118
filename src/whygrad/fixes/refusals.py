"""Why a place in the source is left alone."""

from whygrad.errors import WhygradError


class Refused(WhygradError):  # noqa: N818 - no fault of anybody's: the patch is left to a person
    """This edit is not made; the reason is for the user."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, help="make the change by hand")
        self.reason = reason
