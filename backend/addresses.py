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
NOBODYS = ".invalid"
"""How an address ends that nobody has (RFC 2606)."""

_address = re.compile(ADDRESS)


def is_address(text: str) -> bool:
    """Tell whether this is an e-mail address and nothing else."""
    return (
        SHORTEST_ADDRESS <= len(text) <= LONGEST_ADDRESS
        and len(text.partition("@")[0]) <= _LONGEST_LOCAL_PART
        and _address.fullmatch(text) is not None
        # In a header this begins an encoded word, and would be read for what it stands for.
        and "=?" not in text
    )


def closed_address(user_id: int) -> str:
    """Give the address of a closed account: nobody has it, and no mail goes there."""
    return f"closed-{user_id}@closed{NOBODYS}"


def is_nobodys(address: str) -> bool:
    """Tell whether nobody has this address: that of a closed account, or of the demo's crowd."""
    return address.endswith(NOBODYS)
