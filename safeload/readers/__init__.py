"""Hostile bytes -> observations. One reader a format; none imports an ML library, none judges."""
