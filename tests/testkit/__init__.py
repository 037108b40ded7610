"""What the tests share. `container` writes safeload files from docs/format.md alone; `scenarios` bends them."""
