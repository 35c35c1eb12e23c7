"""What counts as an e-mail address, wherever one comes in."""

import re

# What HTML calls a valid address, with a dot in the domain.
ADDRESS = (
    r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$"
)
SHORTEST_ADDRESS = 6
LONGEST_ADDRESS = 254
_LONGEST_LOCAL_PART = 64

_address = re.compile(ADDRESS)


def is_address(text: str) -> bool:
    """Tell whether this is an e-mail address and nothing else."""
    return (
        SHORTEST_ADDRESS <= len(text) <= LONGEST_ADDRESS
        and len(text.partition("@")[0]) <= _LONGEST_LOCAL_PART
        and _address.fullmatch(text) is not None
    )
