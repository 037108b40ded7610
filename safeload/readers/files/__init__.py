"""One reader for each format that models come in: from hostile bytes to observations. Nothing is loaded or judged here.

A file is told by its content, never by its ending. Whatever holds further files is read to the innermost, within limits
that count for the whole of it. :mod:`.table` says what can be read.
"""
