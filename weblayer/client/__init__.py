"""Asking other servers: knows no tree."""
