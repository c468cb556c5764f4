"""Servers that send back what they are sent, by the names of those that speak HTTP."""
