"""Car parks: their hours, bays, search, and the files they are imported from."""
