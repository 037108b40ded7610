"""An analysed stream -> an object: rewrite, guarded unpickling, stubs and guards. Imports ML libraries, lazily."""
