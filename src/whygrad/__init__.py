"""Why a model gets no useful gradient from its labels: measured, with the line."""

__version__ = "0.1.0"
