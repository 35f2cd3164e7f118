from dataclasses import dataclass


@dataclass
class Settings:
    epochs: int = 30
    batch_size: int = 16
    accumulate: int = 4
    lr: float = 0.01
    seed: int = 12
