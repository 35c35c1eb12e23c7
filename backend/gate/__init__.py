"""The gate: scans, walk-ins, who comes next, and the cash that was taken."""
