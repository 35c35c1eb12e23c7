"""The counter, where these tests happen."""

from tests.counter import arrive, desk, later, lot, read_mail

__all__ = ["arrive", "desk", "later", "lot", "read_mail"]
