"""Recipes that make the shipped weights, and the evaluation that they share."""
