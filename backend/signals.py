"""How a lower package wakes a higher one. ``create_app`` connects them; no package imports its waker."""

from blinker import Signal

availability_changed = Signal(
    "Bays of a lot were taken, freed or changed: send(None, lot_id=…), after the commit."
)
lots_changed = Signal(
    "An admin changed a lot, its bays or its prices: send(None, lot_id=…), after the commit."
)
request_denied = Signal(
    "A signed-in caller was refused: send(None, user_id=…, route=…, problem=…), after the transaction."
)
window_freed = Signal(
    "A bay became free for a time: send(None, lot_id=…, starts_at=…, ends_at=…), inside the transaction; with a"
    " ``user_id`` it is that driver who is about to take it."
)
bay_needed = Signal(
    "A car that is in keeps its bay past its end: send(None, reservation_id=…) for each booking that stood there"
    " next, whose claim is out; inside the transaction. The receiver finds it another bay, or gives the money back."
)
price_to_pay = Signal(
    "Someone wants to pay: send(None, reservation_id=…), inside the transaction; the one receiver fixes the price"
    " and answers (amount_minor, quote_id, purpose), or refuses with a Problem."
)
payment_started = Signal(
    "Someone starts to pay: send(None, reservation_id=…), inside the transaction."
)
payment_failed = Signal(
    "A payment was refused: send(None, reservation_id=…), inside the transaction."
)
payment_settled = Signal(
    "Money arrived: send(None, payment=…), inside the transaction; a receiver answers whether it had a use for it."
)
