"""Coupons: codes that make bookings cheaper."""
