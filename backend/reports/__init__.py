"""Monthly reports of drivers and of the operator, made once each and kept."""
