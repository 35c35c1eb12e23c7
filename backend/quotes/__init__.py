"""Quotes: prices of a window that hold for a while."""
