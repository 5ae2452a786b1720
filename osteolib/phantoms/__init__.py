"""Simulated people and films with known truth: physics and people for all, a package for each bone."""
