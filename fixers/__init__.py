"""The fixers: one module each, named after what it does, each also a LibCST codemod."""
