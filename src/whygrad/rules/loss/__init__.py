"""2xx: does the loss get what its definition asks for?"""
