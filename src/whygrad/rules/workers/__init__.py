"""6xx: do several workers train one model?"""
