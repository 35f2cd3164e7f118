from .windows import WindowNet
