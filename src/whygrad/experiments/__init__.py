"""Experiments: replays of a recorded step with one thing changed, within a bound of time."""

from whygrad.experiments.examination import examine

__all__ = ["examine"]
