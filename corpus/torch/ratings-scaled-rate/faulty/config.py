BASE_LR = 2.0
BASE_BATCH = 256

config = {
    "batch_size": 64,
    "rank": 5,
    "epochs": 12,
}
config["lr"] = BASE_LR * config["batch_size"] // BASE_BATCH
