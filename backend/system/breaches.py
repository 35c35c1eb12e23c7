"""What rows may never look like, as queries for those that do; each query finds what breaks one promise.

They look at the rows alone, whatever constraint or code should have kept them in order, and each is one
statement, which sees one state of the database.
"""

from dataclasses import dataclass

from sqlalchemy import TextClause, text


@dataclass(frozen=True, slots=True)
class Breach:
    """A promise, its rule in words, and the rows that break it, up to ``:most``, each told by ``told``."""

    promise: str
    rule: str
    told: str
    rows: TextClause


_OVERLAPPING_CLAIMS = Breach(
    "P1",
    "No two live claims of a bay overlap",
    "claims {one} and {other} of bay {spot}",
    text(
        """
        SELECT a.id AS one, b.id AS other, a.spot_id AS spot
        FROM spot_claims AS a JOIN spot_claims AS b ON b.spot_id = a.spot_id AND b.live
            AND b.ends_at > a.starts_at AND b.starts_at < a.ends_at AND b.id > a.id
            AND coalesce(b.reservation_id, 0) <> coalesce(a.reservation_id, 0)
        WHERE a.live ORDER BY a.id, b.id LIMIT :most
        """
    ),
)
_OVERLAPPING_PLATES = Breach(
    "P1",
    "No two live reservations of a plate overlap",
    "reservations {one} and {other} of {plate}",
    text(
        """
        SELECT a.id AS one, b.id AS other, a.plate AS plate
        FROM reservations AS a JOIN reservations AS b ON b.plate = a.plate AND b.live
            AND b.ends_at > a.starts_at AND b.starts_at < a.ends_at AND b.id > a.id
        WHERE a.live ORDER BY a.id, b.id LIMIT :most
        """
    ),
)
_LIVE_WITHOUT_CLAIM = Breach(
    "P1",
    "Every live reservation has a live claim",
    "reservation {id}, {status}",
    text(
        """
        SELECT r.id, r.status FROM reservations AS r
        WHERE r.live AND NOT EXISTS (
            SELECT 1 FROM spot_claims AS c WHERE c.reservation_id = r.id AND c.live
        )
        ORDER BY r.id LIMIT :most
        """
    ),
)
_CLAIM_WITHOUT_LIVE = Breach(
    "P1",
    "No claim lives on after its reservation",
    "claim {claim} of reservation {id}, {status}",
    text(
        """
        SELECT c.id AS claim, r.id, r.status
        FROM spot_claims AS c JOIN reservations AS r ON r.id = c.reservation_id
        WHERE c.live AND NOT r.live ORDER BY r.id LIMIT :most
        """
    ),
)
_CLAIM_TOO_SHORT = Breach(
    "P1",
    "A live claim covers its reservation's window",
    "claim {claim} of reservation {id}",
    text(
        """
        SELECT c.id AS claim, r.id
        FROM spot_claims AS c JOIN reservations AS r ON r.id = c.reservation_id
        WHERE c.live AND r.live AND (
            c.ends_at < r.ends_at
            -- On a bay that it got in the midst of its window it stands from then on.
            OR (c.starts_at > r.starts_at AND NOT EXISTS (
                SELECT 1 FROM reservation_events AS e
                WHERE e.reservation_id = r.id AND e.kind IN ('moved', 'extended')
                    AND e.at >= c.starts_at
            ))
        )
        ORDER BY r.id LIMIT :most
        """
    ),
)
_CLAIM_ELSEWHERE = Breach(
    "P1",
    "A claim, its bay and its reservation are of one lot",
    "claim {claim}",
    text(
        """
        SELECT c.id AS claim
        FROM spot_claims AS c JOIN spots AS s ON s.id = c.spot_id
            LEFT JOIN reservations AS r ON r.id = c.reservation_id
        WHERE c.live AND (c.lot_id <> s.lot_id OR c.lot_id <> r.lot_id)
        ORDER BY c.id LIMIT :most
        """
    ),
)

_LIVE_AND_STATUS = Breach(
    "P2",
    "A reservation is live in the live states alone",
    "reservation {id}, {status}",
    text(
        """
        SELECT id, status FROM reservations
        WHERE live <> (status IN ('held', 'confirmed', 'checked_in', 'overstayed'))
        ORDER BY id LIMIT :most
        """
    ),
)
_ENDED_AND_LIVE = Breach(
    "P2",
    "A reservation has an end when it is over, and none before",
    "reservation {id}, {status}",
    text(
        """
        SELECT id, status FROM reservations WHERE live <> (ended_at IS NULL)
        ORDER BY id LIMIT :most
        """
    ),
)
_TWO_OPEN_STAYS = Breach(
    "P2",
    "A car is in once at most",
    "reservation {id}, {open} times",
    text(
        """
        SELECT reservation_id AS id, count(*) AS open FROM stays
        WHERE left_at IS NULL GROUP BY reservation_id HAVING count(*) > 1
        ORDER BY reservation_id LIMIT :most
        """
    ),
)
_IN_UNCHECKED = Breach(
    "P2",
    "Whose car is in is checked in",
    "reservation {id}, {status}",
    text(
        """
        SELECT r.id, r.status FROM stays AS s JOIN reservations AS r ON r.id = s.reservation_id
        WHERE s.left_at IS NULL AND r.status NOT IN ('checked_in', 'overstayed')
        ORDER BY r.id LIMIT :most
        """
    ),
)
_STAYED_WITHOUT_STAY = Breach(
    "P2",
    "Who was checked in has a stay, and nobody else has one",
    "reservation {id}, {status}",
    text(
        """
        SELECT r.id, r.status FROM reservations AS r
        WHERE (r.status IN ('checked_in', 'overstayed', 'completed')) <> EXISTS (
            SELECT 1 FROM stays AS s WHERE s.reservation_id = r.id
        )
        ORDER BY r.id LIMIT :most
        """
    ),
)
_CONFIRMED_UNPAID = Breach(
    "P2",
    "A booking is confirmed once it is paid",
    "reservation {id}, {status}",
    text(
        """
        SELECT r.id, r.status FROM reservations AS r
        WHERE r.status IN ('confirmed', 'checked_in', 'overstayed', 'no_show')
            AND r.source <> 'walk_in' AND r.price_minor > 0
            -- Of one that was free when it was booked, what came on top is due later.
            AND r.sequence = 0 AND r.covered_until IS NULL
            AND NOT EXISTS (
                SELECT 1 FROM payments AS p WHERE p.reservation_id = r.id
                    AND p.purpose = 'booking'
                    AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
            )
        ORDER BY r.id LIMIT :most
        """
    ),
)
_LEFT_UNPAID = Breach(
    "P2",
    "A completed stay was paid, or left a debt",
    "reservation {id}: {paid} paid of {price}, debt {debt}",
    text(
        """
        SELECT r.id, r.price_minor AS price, r.debt_minor AS debt, coalesce(sum(p.amount_minor), 0) AS paid
        FROM reservations AS r LEFT JOIN payments AS p ON p.reservation_id = r.id
            AND p.status IN ('succeeded', 'partially_refunded', 'refunded')
        WHERE r.status = 'completed'
        GROUP BY r.id, r.price_minor, r.debt_minor
        HAVING coalesce(sum(p.amount_minor), 0) + r.debt_minor < r.price_minor
        ORDER BY r.id LIMIT :most
        """
    ),
)
_DEBT_ELSEWHERE = Breach(
    "P2",
    "Only a completed stay leaves a debt",
    "reservation {id}, {status}",
    text(
        """
        SELECT id, status FROM reservations WHERE debt_minor > 0 AND status <> 'completed'
        ORDER BY id LIMIT :most
        """
    ),
)
_PAID_AND_LOST = Breach(
    "P2",
    "No hold that was paid stays one, or expires with the money kept",
    "reservation {id}, {status}",
    text(
        """
        SELECT DISTINCT r.id, r.status FROM reservations AS r JOIN payments AS p ON p.reservation_id = r.id
        WHERE r.status IN ('held', 'expired') AND p.amount_minor > p.refunded_minor
            AND p.status IN ('succeeded', 'partially_refunded')
        ORDER BY r.id LIMIT :most
        """
    ),
)

_UNBALANCED = Breach(
    "P7",
    "Every movement of the books sums to zero",
    "movement {id}: {sum}",
    text(
        """
        SELECT transaction_id AS id, sum(amount_minor) AS sum FROM ledger_entries
        GROUP BY transaction_id HAVING sum(amount_minor) <> 0
        ORDER BY transaction_id LIMIT :most
        """
    ),
)
_ONE_SIDED = Breach(
    "P7",
    "Every movement of the books has two sides",
    "movement {id}",
    text(
        """
        SELECT t.id FROM ledger_transactions AS t
        LEFT JOIN ledger_entries AS e ON e.transaction_id = t.id
        GROUP BY t.id HAVING count(e.id) < 2 ORDER BY t.id LIMIT :most
        """
    ),
)
_BALANCE = Breach(
    "P7",
    "Payments less refunds are the balance of the books",
    "reservation {id}: {paid} paid, {back} back, {booked} booked",
    text(
        """
        WITH paid AS (
            SELECT reservation_id, sum(amount_minor) AS amount FROM payments
            WHERE status IN ('succeeded', 'partially_refunded', 'refunded') GROUP BY reservation_id
        ), back AS (
            SELECT reservation_id, sum(amount_minor) AS amount FROM refunds GROUP BY reservation_id
        ), booked AS (
            SELECT t.reservation_id, -sum(e.amount_minor) AS amount
            FROM ledger_transactions AS t JOIN ledger_entries AS e ON e.transaction_id = t.id
            WHERE e.account = 'reservations' GROUP BY t.reservation_id
        )
        SELECT r.id, coalesce(paid.amount, 0) AS paid, coalesce(back.amount, 0) AS back,
            coalesce(booked.amount, 0) AS booked
        FROM reservations AS r LEFT JOIN paid ON paid.reservation_id = r.id
            LEFT JOIN back ON back.reservation_id = r.id
            LEFT JOIN booked ON booked.reservation_id = r.id
        WHERE coalesce(paid.amount, 0) - coalesce(back.amount, 0) <> coalesce(booked.amount, 0)
        ORDER BY r.id LIMIT :most
        """
    ),
)
_PAYABLE = Breach(
    "P7",
    "What the books owe to drivers is what was promised and not sent",
    "{owed} booked, {promised} promised",
    text(
        """
        SELECT owed.amount AS owed, promised.amount AS promised FROM (
            SELECT coalesce(-sum(amount_minor), 0) AS amount FROM ledger_entries
            WHERE account = 'refunds_payable'
        ) AS owed, (
            SELECT coalesce(sum(amount_minor), 0) AS amount FROM refunds WHERE status <> 'succeeded'
        ) AS promised
        WHERE owed.amount <> promised.amount LIMIT :most
        """
    ),
)
_REFUNDS = Breach(
    "P7",
    "A payment knows its refunds, and they are no more than it",
    "payment {id}, {status}: {refunded} of {amount}, {back} back",
    text(
        """
        SELECT p.id, p.status, p.amount_minor AS amount, p.refunded_minor AS refunded,
            coalesce(back.amount, 0) AS back
        FROM payments AS p LEFT JOIN (
            SELECT payment_id, sum(amount_minor) AS amount FROM refunds GROUP BY payment_id
        ) AS back ON back.payment_id = p.id
        WHERE p.refunded_minor <> coalesce(back.amount, 0) OR p.refunded_minor > p.amount_minor
            OR (p.status = 'refunded') <> (p.refunded_minor = p.amount_minor)
            OR (p.status = 'partially_refunded')
                <> (p.refunded_minor > 0 AND p.refunded_minor < p.amount_minor)
        ORDER BY p.id LIMIT :most
        """
    ),
)
_UNBOOKED = Breach(
    "P7",
    "What was paid, promised back or sent back stands in the books",
    "{what} {id}",
    text(
        """
        SELECT what, id FROM (
            SELECT 'payment' AS what, p.id FROM payments AS p
            WHERE p.status IN ('succeeded', 'partially_refunded', 'refunded') AND NOT EXISTS (
                SELECT 1 FROM ledger_transactions AS t WHERE t.key = 'payment:' || p.id
            )
            UNION ALL
            SELECT 'promise of refund', f.id FROM refunds AS f WHERE NOT EXISTS (
                SELECT 1 FROM ledger_transactions AS t WHERE t.key = 'refund:' || f.id || '\\:promised'
            )
            UNION ALL
            SELECT 'sending of refund', f.id FROM refunds AS f
            WHERE (f.status = 'succeeded') <> EXISTS (
                SELECT 1 FROM ledger_transactions AS t WHERE t.key = 'refund:' || f.id || '\\:sent'
            )
        ) AS unbooked ORDER BY what, id LIMIT :most
        """
    ),
)
_NO_RECEIPT = Breach(
    "P7",
    "Every payment that had a use has a receipt",
    "payment {id}",
    text(
        """
        SELECT p.id FROM payments AS p
        WHERE p.status IN ('succeeded', 'partially_refunded', 'refunded')
            AND NOT EXISTS (SELECT 1 FROM receipts AS d WHERE d.payment_id = p.id)
            AND NOT EXISTS (
                SELECT 1 FROM refunds AS f WHERE f.payment_id = p.id AND f.cause = 'no_use'
            )
        ORDER BY p.id LIMIT :most
        """
    ),
)
_NO_CREDIT_NOTE = Breach(
    "P7",
    "Every refund of a payment with a receipt has a credit note",
    "refund {id}",
    text(
        """
        SELECT f.id FROM refunds AS f JOIN receipts AS d ON d.payment_id = f.payment_id
        WHERE NOT EXISTS (SELECT 1 FROM credit_notes AS n WHERE n.refund_id = f.id)
        ORDER BY f.id LIMIT :most
        """
    ),
)
_GAPS = Breach(
    "P7",
    "Receipts and credit notes are numbered without gaps",
    "{series}-{year}: {count} documents, the last is {last}, {counted} were counted",
    text(
        """
        SELECT n.series, n.year, n.count, n.last, coalesce(k.last_number, 0) AS counted FROM (
            SELECT series, year, count(*) AS count, min(number) AS lowest, max(number) AS last
            FROM (
                SELECT series, year, number FROM receipts
                UNION ALL SELECT series, year, number FROM credit_notes
            ) AS documents GROUP BY series, year
        ) AS n LEFT JOIN document_counters AS k ON k.series = n.series AND k.year = n.year
        WHERE n.lowest <> 1 OR n.last <> n.count OR n.last <> coalesce(k.last_number, 0)
        ORDER BY n.series, n.year LIMIT :most
        """
    ),
)
_PRICE_AND_QUOTE = Breach(
    "P7",
    "A reservation costs what its quote says",
    "reservation {id}: {price}, quoted {quoted}",
    text(
        """
        SELECT r.id, r.price_minor AS price, q.total_minor AS quoted
        FROM reservations AS r JOIN quotes AS q ON q.id = r.quote_id
        WHERE r.price_minor <> q.total_minor OR r.currency <> q.currency
        ORDER BY r.id LIMIT :most
        """
    ),
)

_MAIL_TWICE = Breach(
    "P12",
    "One mail at most for each key",
    "{count} mails {key}",
    text(
        """
        SELECT key, count(*) AS count FROM outbox_mails
        GROUP BY key HAVING count(*) > 1 ORDER BY key LIMIT :most
        """
    ),
)
_MAIL_STATE = Breach(
    "P12",
    "Mail that was sent says when; what is over keeps no secret",
    "mail {id}, {status}",
    text(
        """
        SELECT id, status FROM outbox_mails
        WHERE (status = 'sent') <> (sent_at IS NOT NULL)
            OR status <> 'pending' AND sealed IS NOT NULL
        ORDER BY id LIMIT :most
        """
    ),
)
_LATE_REMINDER = Breach(
    "P12",
    "Nobody is reminded of a booking that is over",
    "reminder {key}",
    text(
        """
        SELECT m.key FROM reminders AS m JOIN reservations AS r ON r.id = m.reservation_id
        WHERE m.at > r.ended_at ORDER BY m.key LIMIT :most
        """
    ),
)
_REPORT_TWICE = Breach(
    "P13",
    "One report at most for each person and month, and one of the operator's for each month",
    "{count} reports of {who} for {month}",
    text(
        """
        SELECT coalesce(cast(user_id AS text), 'the operator') AS who, month, count(*) AS count
        FROM reports GROUP BY user_id, month HAVING count(*) > 1 ORDER BY user_id, month LIMIT :most
        """
    ),
)
_REPORT_STATE = Breach(
    "P13",
    "A report has its summary and both files when it is ready, and no file before; one that failed says why",
    "report {id}, {status}, {files} files",
    text(
        """
        SELECT id, status, files FROM (
            SELECT r.id, r.status, r.finished_at, r.error, r.facts,
                (SELECT count(*) FROM report_files AS f WHERE f.report_id = r.id) AS files
            FROM reports AS r
        ) AS told
        WHERE files <> CASE status WHEN 'ready' THEN 2 ELSE 0 END
            OR (status IN ('ready', 'failed')) <> (finished_at IS NOT NULL)
            OR status = 'ready' AND (facts IS NULL OR cast(facts AS text) = 'null')
            OR status = 'failed' AND error IS NULL
        ORDER BY id LIMIT :most
        """
    ),
)

BREACHES = (
    *(_OVERLAPPING_CLAIMS, _OVERLAPPING_PLATES, _LIVE_WITHOUT_CLAIM, _CLAIM_WITHOUT_LIVE),
    *(_CLAIM_TOO_SHORT, _CLAIM_ELSEWHERE),
    *(_LIVE_AND_STATUS, _ENDED_AND_LIVE, _TWO_OPEN_STAYS, _IN_UNCHECKED, _STAYED_WITHOUT_STAY),
    *(_CONFIRMED_UNPAID, _LEFT_UNPAID, _DEBT_ELSEWHERE, _PAID_AND_LOST),
    *(_UNBALANCED, _ONE_SIDED, _BALANCE, _PAYABLE, _REFUNDS, _UNBOOKED),
    *(_NO_RECEIPT, _NO_CREDIT_NOTE, _GAPS, _PRICE_AND_QUOTE),
    *(_MAIL_TWICE, _MAIL_STATE, _LATE_REMINDER),
    *(_REPORT_TWICE, _REPORT_STATE),
)
"""All of them, in the order of the promises."""
