import random


def write_list(n, classes, seed):
    """Lines of 'image-id class', as the annotation tool exports them."""
    rnd = random.Random(seed)
    return [f"{i:05d} {rnd.randint(1, classes)}" for i in range(n)]


def parse(lines):
    out = []
    for line in lines:
        image, label = line.split()
        out.append((int(image), int(label) - 1))
    return out
