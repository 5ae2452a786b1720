"""Hands: anatomy, film, truth."""
