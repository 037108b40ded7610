"""Contracts: what a callable of the allow lists may be called with while loading, one file a library.

A guard takes the place of the callable, checks the actual arguments against what the library's own reducer
writes, and only then makes the object.
"""
