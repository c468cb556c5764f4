"""The resource tree, and what stands on it."""
