"""Bytes <-> structure: layout, envelope, manifest, leaf digests, names of members. Knows no key and no policy."""
