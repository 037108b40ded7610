"""The one room that imports ``cryptography``: signatures, MAC, and the files that keys come in.

Nothing is imported here, and the modules import ``cryptography`` inside the functions that need it: Ed25519 costs
11 ms of a cold start, its ``serialization`` another 23 ms, and most programs that load a model need at most the first.
"""
