"""Vehicles of drivers."""
