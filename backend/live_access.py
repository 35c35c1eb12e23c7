"""Which sign-ins still stand: asked of the database by the live process, for all of its streams at once."""

from collections.abc import Collection

from sqlalchemy import bindparam, create_engine, text
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

_STANDING = text(
    """
    SELECT s.id FROM sign_in_sessions AS s JOIN users AS u ON u.id = s.user_id
    WHERE s.id IN :session_ids AND s.ended_at IS NULL AND s.epoch = u.epoch AND u.active
    """
).bindparams(bindparam("session_ids", expanding=True))
_PATIENCE_SECONDS = 4


class SignInRegister:
    """Asks the database about sign-ins; blocking, so it belongs into a thread."""

    def __init__(self, database_url: str) -> None:
        waits = "timeout" if database_url.startswith("sqlite") else "connect_timeout"
        # A connection for each question: one in ten seconds, and none that a restart of the database breaks.
        self._engine: Engine = create_engine(
            database_url, poolclass=NullPool, connect_args={waits: _PATIENCE_SECONDS}
        )

    def standing(self, session_ids: Collection[int]) -> set[int]:
        """Give those of the sign-ins that stand.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.

        """
        with self._engine.connect() as connection:
            return set(connection.execute(_STANDING, {"session_ids": list(session_ids)}).scalars())
