"""The operator's rows as files: bookings, payments, ledger, users, audit log, lots."""
