"""Knees: anatomy, film, truth."""
