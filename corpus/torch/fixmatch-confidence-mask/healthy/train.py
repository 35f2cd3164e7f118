import torch

from semi.algorithm import FixMatch
from semi.data import Blobs


def main():
    torch.manual_seed(13)
    data = Blobs(classes=4, labelled=24, unlabelled=800)
    algo = FixMatch(data.dim, data.classes, threshold=0.9)
    for step in range(200):
        stats = algo.step(*data.labelled_batch(16), data.unlabelled_batch(64))
        if step % 25 == 24 or step == 0:
            print(f"step {step + 1} " + " ".join(f"{k} {v:.3f}" for k, v in stats.items()) + f" test {algo.accuracy(*data.test):.3f}")


if __name__ == "__main__":
    main()
