"""Simulated vertebrae: people and their spines, anatomy, CT scanner, truth."""
