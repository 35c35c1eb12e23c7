"""initial."""

import sqlalchemy as sa
from alembic import op

from backend.models.guards import install_guards

revision = '0001'
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('document_counters',
    sa.Column('series', sa.String(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('last_number', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('series', 'year', name=op.f('pk_document_counters'))
    )
    op.create_table('lots',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('external_id', sa.String(), nullable=True),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('address', sa.String(), nullable=False),
    sa.Column('city', sa.String(), nullable=False),
    sa.Column('search_text', sa.String(), nullable=False),
    sa.Column('lat', sa.Float(precision=53), nullable=False),
    sa.Column('lng', sa.Float(precision=53), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('opening_hours', sa.String(), nullable=False),
    sa.Column('height_limit_cm', sa.Integer(), nullable=True),
    sa.Column('refund_policy', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("refund_policy IN ('flexible', 'standard', 'saver')", name=op.f('ck_lots_refund_policy_known')),
    sa.CheckConstraint("status IN ('draft', 'open', 'closed', 'archived')", name=op.f('ck_lots_status_known')),
    sa.CheckConstraint('height_limit_cm > 0', name=op.f('ck_lots_height_limit_positive')),
    sa.CheckConstraint('lat BETWEEN -90 AND 90 AND lng BETWEEN -180 AND 180', name=op.f('ck_lots_point_on_earth')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_lots')),
    sa.UniqueConstraint('external_id', name='uq_lots_external_id')
    )
    op.create_index('ix_lots_lat_lng', 'lots', ['lat', 'lng'], unique=False)
    op.create_table('otp_addresses',
    sa.Column('email', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('email', name=op.f('pk_otp_addresses'))
    )
    op.create_table('otp_challenges',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('token', sa.String(), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('phone', sa.String(), nullable=True),
    sa.Column('password', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('locale', sa.String(), nullable=False),
    sa.Column('address_known', sa.Boolean(), nullable=False),
    sa.Column('code_digest', sa.String(), nullable=False),
    sa.Column('tries', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resend_after', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('tries >= 0 AND tries <= 5', name=op.f('ck_otp_challenges_tries_at_most_five')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_otp_challenges')),
    sa.UniqueConstraint('token', name='uq_otp_challenges_token')
    )
    op.create_index('ix_otp_challenges_expires_at', 'otp_challenges', ['expires_at'], unique=False)
    op.create_table('outbox_mails',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('template', sa.String(), nullable=False),
    sa.Column('to_address', sa.String(), nullable=False),
    sa.Column('context', sa.JSON(), nullable=False),
    sa.Column('sealed', sa.LargeBinary(), nullable=True),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('last_error', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'sent', 'failed')", name=op.f('ck_outbox_mails_status_known')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_outbox_mails')),
    sa.UniqueConstraint('key', name='uq_outbox_mails_key')
    )
    op.create_index('ix_outbox_mails_due', 'outbox_mails', ['next_attempt_at'], unique=False, postgresql_where=sa.text("status = 'pending'"), sqlite_where=sa.text("status = 'pending'"))
    op.create_table('roles',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('description', sa.String(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_roles')),
    sa.UniqueConstraint('name', name='uq_roles_name')
    )
    op.create_table('sandbox_intents',
    sa.Column('id', sa.String(), nullable=False),
    sa.Column('idempotency_key', sa.String(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('refunded_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("status IN ('requires_action', 'succeeded', 'failed')", name=op.f('ck_sandbox_intents_status_known')),
    sa.CheckConstraint('refunded_minor >= 0 AND refunded_minor <= amount_minor', name=op.f('ck_sandbox_intents_refunds_within_charge')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sandbox_intents')),
    sa.UniqueConstraint('idempotency_key', name='uq_sandbox_intents_key')
    )
    op.create_table('users',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('phone', sa.String(), nullable=True),
    sa.Column('password', sa.String(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('fs_uniquifier', sa.String(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('locale', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_users')),
    sa.UniqueConstraint('email', name='uq_users_email'),
    sa.UniqueConstraint('fs_uniquifier', name='uq_users_fs_uniquifier')
    )
    op.create_table('idempotency_keys',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('request_digest', sa.String(), nullable=False),
    sa.Column('status', sa.Integer(), nullable=True),
    sa.Column('facts', sa.JSON(none_as_null=True), nullable=True),
    sa.Column('owner', sa.String(), nullable=False),
    sa.Column('locked_until', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(status IS NULL) = (facts IS NULL)', name=op.f('ck_idempotency_keys_done_has_facts')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_idempotency_keys_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_idempotency_keys')),
    sa.UniqueConstraint('user_id', 'key', name='uq_idempotency_keys_user_key')
    )
    op.create_index('ix_idempotency_keys_created_at', 'idempotency_keys', ['created_at'], unique=False)
    op.create_table('lot_amenities',
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('amenity', sa.String(), nullable=False),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_lot_amenities_lot_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('lot_id', 'amenity', name=op.f('pk_lot_amenities'))
    )
    op.create_table('otp_issues',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('email', sa.String(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['email'], ['otp_addresses.email'], name=op.f('fk_otp_issues_email'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_otp_issues'))
    )
    op.create_index('ix_otp_issues_email_issued_at', 'otp_issues', ['email', 'issued_at'], unique=False)
    op.create_table('sign_in_sessions',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('epoch', sa.Integer(), nullable=False),
    sa.Column('generation', sa.Integer(), nullable=False),
    sa.Column('user_agent', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('refreshed_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sign_in_sessions_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_sign_in_sessions'))
    )
    op.create_index('ix_sign_in_sessions_user_id', 'sign_in_sessions', ['user_id'], unique=False)
    op.create_table('spots',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('level', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('x', sa.Float(precision=53), nullable=False),
    sa.Column('y', sa.Float(precision=53), nullable=False),
    sa.Column('rotation', sa.Integer(), nullable=False),
    sa.Column('entrance_rank', sa.Integer(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('standard', 'compact', 'large', 'accessible', 'electric', 'motorcycle')", name=op.f('ck_spots_kind_known')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_spots_lot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spots')),
    sa.UniqueConstraint('lot_id', 'label', name='uq_spots_lot_label')
    )
    op.create_index('ix_spots_lot_kind', 'spots', ['lot_id', 'kind'], unique=False)
    op.create_table('tariffs',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('billing_step_minutes', sa.Integer(), nullable=False),
    sa.Column('free_minutes', sa.Integer(), nullable=False),
    sa.Column('day_cap_minor', sa.Integer(), nullable=True),
    sa.Column('day_start_minutes', sa.Integer(), nullable=False),
    sa.Column('tax_inclusive', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('published_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('draft', 'published', 'superseded')", name=op.f('ck_tariffs_status_known')),
    sa.CheckConstraint('billing_step_minutes BETWEEN 1 AND 1440', name=op.f('ck_tariffs_billing_step_in_day')),
    sa.CheckConstraint('day_cap_minor >= 0', name=op.f('ck_tariffs_day_cap_not_negative')),
    sa.CheckConstraint('day_start_minutes BETWEEN 0 AND 1439', name=op.f('ck_tariffs_day_start_in_day')),
    sa.CheckConstraint('free_minutes >= 0', name=op.f('ck_tariffs_free_minutes_not_negative')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_tariffs_lot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_tariffs')),
    sa.UniqueConstraint('lot_id', 'version', name='uq_tariffs_lot_version')
    )
    op.create_index('uq_tariffs_one_published', 'tariffs', ['lot_id'], unique=True, postgresql_where=sa.text("status = 'published'"), sqlite_where=sa.text("status = 'published'"))
    op.create_table('users_roles',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('role_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.ForeignKeyConstraint(['role_id'], ['roles.id'], name=op.f('fk_users_roles_role_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_users_roles_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'role_id', name=op.f('pk_users_roles'))
    )
    op.create_table('vehicles',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('plate', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('electric', sa.Boolean(), nullable=False),
    sa.Column('height_cm', sa.Integer(), nullable=True),
    sa.Column('label', sa.String(), nullable=False),
    sa.Column('make', sa.String(), nullable=False),
    sa.Column('model', sa.String(), nullable=False),
    sa.Column('colour', sa.String(), nullable=False),
    sa.Column('is_default', sa.Boolean(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.CheckConstraint("kind IN ('car', 'motorcycle', 'van')", name=op.f('ck_vehicles_kind_known')),
    sa.CheckConstraint('height_cm > 0', name=op.f('ck_vehicles_height_positive')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_vehicles_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_vehicles'))
    )
    op.create_index('uq_vehicles_one_default', 'vehicles', ['user_id'], unique=True, postgresql_where=sa.text('is_default AND deleted_at IS NULL'), sqlite_where=sa.text('is_default AND deleted_at IS NULL'))
    op.create_index('uq_vehicles_user_plate', 'vehicles', ['user_id', 'plate'], unique=True, postgresql_where=sa.text('deleted_at IS NULL'), sqlite_where=sa.text('deleted_at IS NULL'))
    op.create_table('closures',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('spot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_by', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('lifted_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_closures_starts_before_end')),
    sa.ForeignKeyConstraint(['created_by'], ['users.id'], name=op.f('fk_closures_created_by')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_closures_lot_id')),
    sa.ForeignKeyConstraint(['spot_id'], ['spots.id'], name=op.f('fk_closures_spot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_closures'))
    )
    op.create_index('ix_closures_spot_id', 'closures', ['spot_id'], unique=False)
    op.create_index('uq_closures_lot_closed_once', 'closures', ['lot_id'], unique=True, postgresql_where=sa.text('spot_id IS NULL AND lifted_at IS NULL'), sqlite_where=sa.text('spot_id IS NULL AND lifted_at IS NULL'))
    op.create_table('quotes',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tariff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('vehicle_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('spot_kind', sa.String(), nullable=True),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('total_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('tax_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('lines', sa.JSON(), nullable=False),
    sa.Column('taxes', sa.JSON(), nullable=False),
    sa.Column('refund_policy', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_quotes_starts_before_end')),
    sa.CheckConstraint('total_minor >= 0', name=op.f('ck_quotes_total_not_negative')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_quotes_lot_id')),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariffs.id'], name=op.f('fk_quotes_tariff_id')),
    sa.ForeignKeyConstraint(['vehicle_id'], ['vehicles.id'], name=op.f('fk_quotes_vehicle_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_quotes'))
    )
    op.create_index('ix_quotes_expires_at', 'quotes', ['expires_at'], unique=False)
    op.create_table('tariff_increments',
    sa.Column('tariff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('minutes', sa.Integer(), nullable=False),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.CheckConstraint('amount_minor >= 0', name=op.f('ck_tariff_increments_amount_not_negative')),
    sa.CheckConstraint('minutes > 0', name=op.f('ck_tariff_increments_minutes_positive')),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariffs.id'], name=op.f('fk_tariff_increments_tariff_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tariff_id', 'position', name=op.f('pk_tariff_increments'))
    )
    op.create_table('tariff_taxes',
    sa.Column('tariff_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('position', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('rate_bp', sa.Integer(), nullable=False),
    sa.CheckConstraint('rate_bp BETWEEN 0 AND 10000', name=op.f('ck_tariff_taxes_rate_in_range')),
    sa.ForeignKeyConstraint(['tariff_id'], ['tariffs.id'], name=op.f('fk_tariff_taxes_tariff_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tariff_id', 'position', name=op.f('pk_tariff_taxes'))
    )
    op.create_table('reservations',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('code', sa.String(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('vehicle_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('plate', sa.String(), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('quote_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('pinned', sa.Boolean(), nullable=False),
    sa.Column('price_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('refund_policy', sa.String(), nullable=False),
    sa.Column('hold_expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('hold_extended_by', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(status = 'held') <= (hold_expires_at IS NOT NULL)", name=op.f('ck_reservations_hold_has_deadline')),
    sa.CheckConstraint("live = (status IN ('held', 'confirmed', 'checked_in', 'overstayed'))", name=op.f('ck_reservations_live_follows_status')),
    sa.CheckConstraint("status IN ('held', 'confirmed', 'checked_in', 'overstayed', 'completed', 'cancelled', 'expired', 'no_show')", name=op.f('ck_reservations_status_known')),
    sa.CheckConstraint('price_minor >= 0', name=op.f('ck_reservations_price_not_negative')),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_reservations_starts_before_end')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_reservations_lot_id')),
    sa.ForeignKeyConstraint(['quote_id'], ['quotes.id'], name=op.f('fk_reservations_quote_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_reservations_user_id')),
    sa.ForeignKeyConstraint(['vehicle_id'], ['vehicles.id'], name=op.f('fk_reservations_vehicle_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reservations')),
    sa.UniqueConstraint('code', name='uq_reservations_code')
    )
    op.create_index('ix_reservations_lot_starts_at', 'reservations', ['lot_id', 'starts_at'], unique=False)
    op.create_index('ix_reservations_plate_live', 'reservations', ['plate', 'ends_at'], unique=False, postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.create_index('ix_reservations_quote', 'reservations', ['quote_id'], unique=False)
    op.create_index('ix_reservations_user_starts_at', 'reservations', ['user_id', 'starts_at', 'id'], unique=False)
    op.create_index('ix_reservations_vehicle_live', 'reservations', ['vehicle_id'], unique=False, postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.create_table('payments',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reservation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('purpose', sa.String(), nullable=False),
    sa.Column('gateway', sa.String(), nullable=False),
    sa.Column('gateway_ref', sa.String(), nullable=True),
    sa.Column('amount_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('refunded_minor', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('currency', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('failure', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('settled_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("status IN ('pending', 'requires_action', 'succeeded', 'failed', 'partially_refunded', 'refunded', 'review')", name=op.f('ck_payments_status_known')),
    sa.CheckConstraint('amount_minor > 0', name=op.f('ck_payments_amount_positive')),
    sa.CheckConstraint('refunded_minor >= 0 AND refunded_minor <= amount_minor', name=op.f('ck_payments_refunds_within_payment')),
    sa.ForeignKeyConstraint(['reservation_id'], ['reservations.id'], name=op.f('fk_payments_reservation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_payments_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_payments'))
    )
    op.create_index('ix_payments_reservation_id', 'payments', ['reservation_id'], unique=False)
    op.create_index('ix_payments_undecided', 'payments', ['created_at'], unique=False, postgresql_where=sa.text("status IN ('pending', 'requires_action')"), sqlite_where=sa.text("status IN ('pending', 'requires_action')"))
    op.create_index('ix_payments_user_id', 'payments', ['user_id', 'id'], unique=False)
    op.create_index('uq_payments_one_charge', 'payments', ['reservation_id', 'purpose'], unique=True, postgresql_where=sa.text("status NOT IN ('failed', 'refunded', 'review')"), sqlite_where=sa.text("status NOT IN ('failed', 'refunded', 'review')"))
    op.create_table('spot_claims',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('spot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('lot_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('starts_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('ends_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('reservation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('closure_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('live', sa.Boolean(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(kind = 'closure') = (closure_id IS NOT NULL) AND (kind = 'closure') = (reservation_id IS NULL)", name=op.f('ck_spot_claims_has_one_cause')),
    sa.CheckConstraint("kind IN ('reservation', 'closure', 'walk_in')", name=op.f('ck_spot_claims_kind_known')),
    sa.CheckConstraint('starts_at < ends_at', name=op.f('ck_spot_claims_starts_before_end')),
    sa.ForeignKeyConstraint(['closure_id'], ['closures.id'], name=op.f('fk_spot_claims_closure_id')),
    sa.ForeignKeyConstraint(['lot_id'], ['lots.id'], name=op.f('fk_spot_claims_lot_id')),
    sa.ForeignKeyConstraint(['reservation_id'], ['reservations.id'], name=op.f('fk_spot_claims_reservation_id')),
    sa.ForeignKeyConstraint(['spot_id'], ['spots.id'], name=op.f('fk_spot_claims_spot_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_spot_claims'))
    )
    op.create_index('ix_spot_claims_closure_id', 'spot_claims', ['closure_id'], unique=False)
    op.create_index('ix_spot_claims_expires_live', 'spot_claims', ['lot_id', 'expires_at'], unique=False, postgresql_where=sa.text('live AND expires_at IS NOT NULL'), sqlite_where=sa.text('live AND expires_at IS NOT NULL'))
    op.create_index('ix_spot_claims_lot_ends_live', 'spot_claims', ['lot_id', 'ends_at', 'starts_at', 'spot_id'], unique=False, postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.create_index('ix_spot_claims_spot_ends_live', 'spot_claims', ['spot_id', 'ends_at'], unique=False, postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.create_index('uq_spot_claims_reservation', 'spot_claims', ['reservation_id'], unique=True)
    op.create_table('receipts',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('series', sa.String(), nullable=False),
    sa.Column('year', sa.Integer(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('payment_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('content', sa.JSON(), nullable=False),
    sa.Column('issued_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['payment_id'], ['payments.id'], name=op.f('fk_receipts_payment_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_receipts')),
    sa.UniqueConstraint('payment_id', name='uq_receipts_payment'),
    sa.UniqueConstraint('series', 'year', 'number', name='uq_receipts_number')
    )
    install_guards(op.get_bind())
    op.bulk_insert(
        sa.table('roles', sa.column('name', sa.String), sa.column('description', sa.String)),
        [
            {'name': 'driver', 'description': 'Books bays for vehicles of their own.'},
            {'name': 'attendant', 'description': 'Works the gate of the lots assigned to them.'},
            {'name': 'admin', 'description': 'Runs everything.'},
        ],
    )


def downgrade() -> None:
    op.drop_table('receipts')
    op.drop_index('uq_spot_claims_reservation', table_name='spot_claims')
    op.drop_index('ix_spot_claims_spot_ends_live', table_name='spot_claims', postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.drop_index('ix_spot_claims_lot_ends_live', table_name='spot_claims', postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.drop_index('ix_spot_claims_expires_live', table_name='spot_claims', postgresql_where=sa.text('live AND expires_at IS NOT NULL'), sqlite_where=sa.text('live AND expires_at IS NOT NULL'))
    op.drop_index('ix_spot_claims_closure_id', table_name='spot_claims')
    op.drop_table('spot_claims')
    op.drop_index('uq_payments_one_charge', table_name='payments', postgresql_where=sa.text("status NOT IN ('failed', 'refunded', 'review')"), sqlite_where=sa.text("status NOT IN ('failed', 'refunded', 'review')"))
    op.drop_index('ix_payments_user_id', table_name='payments')
    op.drop_index('ix_payments_undecided', table_name='payments', postgresql_where=sa.text("status IN ('pending', 'requires_action')"), sqlite_where=sa.text("status IN ('pending', 'requires_action')"))
    op.drop_index('ix_payments_reservation_id', table_name='payments')
    op.drop_table('payments')
    op.drop_index('ix_reservations_vehicle_live', table_name='reservations', postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.drop_index('ix_reservations_user_starts_at', table_name='reservations')
    op.drop_index('ix_reservations_quote', table_name='reservations')
    op.drop_index('ix_reservations_plate_live', table_name='reservations', postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.drop_index('ix_reservations_lot_starts_at', table_name='reservations')
    op.drop_table('reservations')
    op.drop_table('tariff_taxes')
    op.drop_table('tariff_increments')
    op.drop_index('ix_quotes_expires_at', table_name='quotes')
    op.drop_table('quotes')
    op.drop_index('uq_closures_lot_closed_once', table_name='closures', postgresql_where=sa.text('spot_id IS NULL AND lifted_at IS NULL'), sqlite_where=sa.text('spot_id IS NULL AND lifted_at IS NULL'))
    op.drop_index('ix_closures_spot_id', table_name='closures')
    op.drop_table('closures')
    op.drop_index('uq_vehicles_user_plate', table_name='vehicles', postgresql_where=sa.text('deleted_at IS NULL'), sqlite_where=sa.text('deleted_at IS NULL'))
    op.drop_index('uq_vehicles_one_default', table_name='vehicles', postgresql_where=sa.text('is_default AND deleted_at IS NULL'), sqlite_where=sa.text('is_default AND deleted_at IS NULL'))
    op.drop_table('vehicles')
    op.drop_table('users_roles')
    op.drop_index('uq_tariffs_one_published', table_name='tariffs', postgresql_where=sa.text("status = 'published'"), sqlite_where=sa.text("status = 'published'"))
    op.drop_table('tariffs')
    op.drop_index('ix_spots_lot_kind', table_name='spots')
    op.drop_table('spots')
    op.drop_index('ix_sign_in_sessions_user_id', table_name='sign_in_sessions')
    op.drop_table('sign_in_sessions')
    op.drop_index('ix_otp_issues_email_issued_at', table_name='otp_issues')
    op.drop_table('otp_issues')
    op.drop_table('lot_amenities')
    op.drop_index('ix_idempotency_keys_created_at', table_name='idempotency_keys')
    op.drop_table('idempotency_keys')
    op.drop_table('users')
    op.drop_table('sandbox_intents')
    op.drop_table('roles')
    op.drop_index('ix_outbox_mails_due', table_name='outbox_mails', postgresql_where=sa.text("status = 'pending'"), sqlite_where=sa.text("status = 'pending'"))
    op.drop_table('outbox_mails')
    op.drop_index('ix_otp_challenges_expires_at', table_name='otp_challenges')
    op.drop_table('otp_challenges')
    op.drop_table('otp_addresses')
    op.drop_index('ix_lots_lat_lng', table_name='lots')
    op.drop_table('lots')
    op.drop_table('document_counters')
