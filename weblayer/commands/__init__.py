"""The `weblayer` program: may use every room, and nobody uses it."""
