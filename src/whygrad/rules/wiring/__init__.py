"""7xx: is the framework wired up so that labels, loss and step meet?"""
