"""The rules: one module each, named after what it finds."""
