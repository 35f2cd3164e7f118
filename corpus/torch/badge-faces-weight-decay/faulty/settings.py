"""What a run is started with."""

from dataclasses import dataclass


@dataclass
class Settings:
    width: int = 64
    people: int = 12
    rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5.0
    epochs: int = 8
