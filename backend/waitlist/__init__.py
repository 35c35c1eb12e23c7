"""The waitlist of full lots: the first whose window fits gets the bay that becomes free."""
