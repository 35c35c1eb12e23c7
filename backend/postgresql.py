"""A connection to PostgreSQL that does not wait for ever; only who uses PostgreSQL imports this."""

from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus


class ImpatientConnection(psycopg.Connection[Any]):
    """A connection that is closed when an answer does not come in time.

    The server ends what takes too long itself; a frozen one, or one behind a dead network, cannot.
    """

    patience: Callable[[], float | None]
    """Tells the most seconds to wait for an answer now; None is as long as it takes."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """Wait for the answer that ``gen`` reads.

        Raises:
            psycopg.OperationalError: none came in time.

        """
        try:
            return super().wait(gen, interval, self.patience() if timeout is None else timeout)
        except psycopg.OperationalError as error:
            # An error that the server told ends the command; here its answer is still to come.
            if self.pgconn.transaction_status != TransactionStatus.ACTIVE:
                raise
            self.close()
            raise psycopg.OperationalError("PostgreSQL did not answer in time.") from error
