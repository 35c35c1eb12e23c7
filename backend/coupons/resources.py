"""Coupons over HTTP."""

from http import HTTPStatus
from typing import Any

from backend.coupons import service
from backend.coupons.schemas import CouponCreate, CouponSchema, CouponUpdate
from backend.errors import InvalidInput, NotFound
from backend.web.api import Resource, resource_blueprint, to_json
from backend.web.caller import caller
from backend.web.idempotency import remember
from backend.web.operation import operation
from backend.web.pagination import Page, PageQuery, page_of, page_schema, read_cursor

blueprint, api = resource_blueprint("coupons", __name__)


@api.resource("/coupons")
class CouponList(Resource):
    """All coupons."""

    @operation(roles=("admin",), query=PageQuery(), response=page_schema(CouponSchema))
    def get(self, query: dict[str, Any]) -> Page:
        """List the coupons, the newest first."""
        before = read_cursor(query["cursor"], int)[0] if query["cursor"] else None
        rows, total = service.list_coupons(limit=query["limit"] + 1, before_id=before)
        return page_of(rows, query["limit"], "id", total=total)

    @operation(
        roles=("admin",),
        body=CouponCreate(),
        response=CouponSchema(),
        status=HTTPStatus.CREATED,
        raises=(NotFound, InvalidInput),
        idempotent=True,
    )
    def post(self, body: dict[str, Any]) -> bytes:
        """Make a coupon, which drivers may name when they ask for a price.

        What it takes off stays as it is: withdraw it, and make another one.
        """
        made = CouponSchema().dump(service.make_coupon(caller(), **body))
        remember(made=made)
        return to_json(made)


@api.resource("/coupons/<id:coupon_id>")
class CouponDetail(Resource):
    """One coupon."""

    @operation(roles=("admin",), response=CouponSchema(), raises=(NotFound,))
    def get(self, coupon_id: int) -> service.CountedCoupon:
        """Read a coupon."""
        return service.get_coupon(coupon_id)

    @operation(
        roles=("admin",),
        body=CouponUpdate(),
        response=CouponSchema(),
        raises=(NotFound, InvalidInput),
    )
    def patch(self, coupon_id: int, body: dict[str, Any]) -> service.CountedCoupon:
        """Change how long a coupon counts, how often, or whether at all.

        Prices that were quoted with it before may be refused when they are booked.
        """
        return service.change_coupon(caller(), coupon_id, changes=body)
