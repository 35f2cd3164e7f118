CONFIG = {
    "seed": 7,
    "grid": 20,
    "batch": 16,
    "steps": 60,
    "lr": 3e-3,
    "loss": {
        "labels": {"weight": 1.0},
        "regularization": {"weight": 0.05},
    },
}
