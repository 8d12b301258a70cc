"""Scores photographs without a reference, and filters, sorts and reports folders by the scores."""

__version__ = "0.1.0"
