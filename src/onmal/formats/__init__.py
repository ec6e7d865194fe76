"""How parallel text is written in files: one reader for each format, and the lines that they read."""
