"""Quotes over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.errors import (
    CouponNotValid,
    InvalidInput,
    LotNotBookable,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    VehicleDoesNotFit,
)
from backend.models import Quote
from backend.quotes import limits, service
from backend.quotes.schemas import QuoteCreate, QuoteSchema
from backend.web.api import Resource, resource_blueprint
from backend.web.caller import find_caller
from backend.web.clients import client_name
from backend.web.operation import operation

blueprint, api = resource_blueprint("quotes", __name__)


@api.resource("/quotes")
class QuoteList(Resource):
    """Prices that hold for a while."""

    @operation(
        public=True,
        body=QuoteCreate(),
        response=QuoteSchema(),
        status=HTTPStatus.CREATED,
        raises=(
            InvalidInput,
            Unauthenticated,
            NotFound,
            LotNotBookable,
            VehicleDoesNotFit,
            CouponNotValid,
            TooManyRequests,
        ),
    )
    def post(self, body: dict[str, Any]) -> Quote:
        """Price a window of a lot, line by line.

        The price holds until `expires_at`, whatever changes meanwhile; it keeps no bay. Whoever names
        a vehicle must be signed in as its owner. A coupon is counted when the price is booked.
        """
        limits.count_quote(client_name())
        return service.make_quote(find_caller(), **body)
