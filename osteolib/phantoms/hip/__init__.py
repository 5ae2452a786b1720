"""Hips: anatomy, film, truth."""
