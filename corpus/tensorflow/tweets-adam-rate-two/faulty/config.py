CONFIG = {
    "vocabulary": 300,
    "length": 16,
    "width": 12,
    "rate": 2.0,
    "batch": 32,
    "epochs": 8,
}
