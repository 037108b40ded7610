"""Reports put into words, one file a format. :data:`RENDERERS` says which there are."""
