"""Where numbers of a user's program come from, as far as the source says: labels back to the line that decides them, settings to their literal.

Nothing is run: modules are parsed, names are followed back through assignments, calls of the user's own functions, data sets and loaders.
"""

from whygrad.frontends.origins.finding import origins_of

__all__ = ["origins_of"]
