"""Reports put into words, one file a format: :data:`safeload.report.table.RENDERERS` says which there are."""
