"""Which bay is whose, and when: the guard of every bay, and availability read from it."""
