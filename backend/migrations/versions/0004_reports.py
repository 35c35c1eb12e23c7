"""reports."""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table('task_failures',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('digest', sa.String(), nullable=False),
    sa.Column('task', sa.String(), nullable=False),
    sa.Column('arguments', sa.JSON(), nullable=False),
    sa.Column('error', sa.String(), nullable=False),
    sa.Column('count', sa.Integer(), nullable=False),
    sa.Column('first_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('last_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('resolved_at', sa.DateTime(timezone=True), nullable=True),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_task_failures')),
    sa.UniqueConstraint('digest', name='uq_task_failures_digest')
    )
    op.create_index('ix_task_failures_open', 'task_failures', ['last_at'], unique=False, postgresql_where=sa.text('resolved_at IS NULL'), sqlite_where=sa.text('resolved_at IS NULL'))
    op.create_table('notification_settings',
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('mail', sa.Boolean(), nullable=False),
    sa.Column('app', sa.Boolean(), nullable=False),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notification_settings_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('user_id', 'kind', name=op.f('pk_notification_settings'))
    )
    op.create_table('notifications',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('text', sa.String(), nullable=False),
    sa.Column('link', sa.String(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('read_at', sa.DateTime(timezone=True), nullable=True),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notifications_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_notifications')),
    sa.UniqueConstraint('key', name='uq_notifications_key')
    )
    op.create_index('ix_notifications_created_at', 'notifications', ['created_at'], unique=False)
    op.create_index('ix_notifications_unread', 'notifications', ['user_id'], unique=False, postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))
    op.create_index('ix_notifications_user_id', 'notifications', ['user_id', 'id'], unique=False)
    op.create_table('reminders',
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('reservation_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('moment', sa.DateTime(timezone=True), nullable=True),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['reservation_id'], ['reservations.id'], name=op.f('fk_reminders_reservation_id')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_reminders_user_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('key', name=op.f('pk_reminders'))
    )
    op.create_index('ix_reminders_at', 'reminders', ['at'], unique=False)
    op.create_index('ix_reminders_reservation_id', 'reminders', ['reservation_id', 'kind', 'moment'], unique=False)
    op.create_index(op.f('ix_reminders_user_id'), 'reminders', ['user_id'], unique=False)
    op.create_table('reports',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('audience', sa.String(), nullable=False),
    sa.Column('user_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=True),
    sa.Column('month', sa.Date(), nullable=False),
    sa.Column('timezone', sa.String(), nullable=False),
    sa.Column('locale', sa.String(), nullable=False),
    sa.Column('status', sa.String(), nullable=False),
    sa.Column('attempts', sa.Integer(), nullable=False),
    sa.Column('error', sa.String(), nullable=True),
    sa.Column('facts', sa.JSON(), nullable=True),
    sa.Column('sent_count', sa.Integer(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('next_attempt_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('finished_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("(audience = 'driver') = (user_id IS NOT NULL)", name=op.f('ck_reports_driver_has_report')),
    sa.CheckConstraint("audience IN ('driver', 'operator')", name=op.f('ck_reports_audience_known')),
    sa.CheckConstraint("status IN ('queued', 'running', 'ready', 'failed')", name=op.f('ck_reports_status_known')),
    sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_reports_user_id')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_reports')),
    sa.UniqueConstraint('key', name='uq_reports_key')
    )
    op.create_index('ix_reports_status', 'reports', ['status', 'id'], unique=False)
    op.create_index('ix_reports_unmade', 'reports', ['next_attempt_at'], unique=False, postgresql_where=sa.text("status IN ('queued', 'running')"), sqlite_where=sa.text("status IN ('queued', 'running')"))
    op.create_index('ix_reports_user_id', 'reports', ['user_id', 'month'], unique=False)
    op.create_table('report_files',
    sa.Column('report_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('format', sa.String(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.CheckConstraint("format IN ('pdf', 'xlsx')", name=op.f('ck_report_files_format_known')),
    sa.ForeignKeyConstraint(['report_id'], ['reports.id'], name=op.f('fk_report_files_report_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('report_id', 'format', name=op.f('pk_report_files'))
    )
    op.create_table('job_file_parts',
    sa.Column('job_id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=False, nullable=False),
    sa.Column('number', sa.Integer(), autoincrement=False, nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.ForeignKeyConstraint(['job_id'], ['job_files.job_id'], name=op.f('fk_job_file_parts_job_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('job_id', 'number', name=op.f('pk_job_file_parts'))
    )
    op.add_column('job_files', sa.Column('size', _ID, server_default='0', nullable=False))
    op.execute('INSERT INTO job_file_parts (job_id, number, content) SELECT job_id, 0, content FROM job_files')
    op.execute('UPDATE job_files SET size = length(content)')
    with op.batch_alter_table('job_files') as files:
        files.alter_column('size', existing_type=_ID, server_default=None)
        files.drop_column('content')
    with op.batch_alter_table('jobs') as jobs:
        jobs.add_column(sa.Column('params', sa.JSON(), server_default='{}', nullable=False))
        jobs.add_column(sa.Column('failure', sa.String(), nullable=True))
        jobs.drop_constraint(op.f('ck_jobs_status_known'), type_='check')
        jobs.create_check_constraint(op.f('ck_jobs_status_known'), "status IN ('queued', 'running', 'done', 'failed', 'cancelled')")
    with op.batch_alter_table('outbox_mails') as mails:
        mails.add_column(sa.Column('user_id', _ID, nullable=True))
        mails.add_column(sa.Column('kind', sa.String(), server_default='account', nullable=False))
        mails.add_column(sa.Column('locale', sa.String(), server_default='en', nullable=False))
        mails.add_column(sa.Column('has_secret', sa.Boolean(), server_default=sa.false(), nullable=False))
        mails.drop_constraint(op.f('ck_outbox_mails_status_known'), type_='check')
        mails.create_check_constraint(op.f('ck_outbox_mails_status_known'), "status IN ('pending', 'sent', 'bounced', 'failed')")
        mails.create_foreign_key(op.f('fk_outbox_mails_user_id'), 'users', ['user_id'], ['id'])
    # Every mail with a code had an end, and hardly another.
    op.execute(sa.text('UPDATE outbox_mails SET has_secret = true WHERE expires_at IS NOT NULL'))
    op.create_index('ix_outbox_mails_status', 'outbox_mails', ['status', 'id'], unique=False)
    op.create_index('ix_reservations_completed', 'reservations', ['ended_at'], unique=False, postgresql_where=sa.text("status = 'completed'"), sqlite_where=sa.text("status = 'completed'"))
    op.create_index('ix_reservations_held', 'reservations', ['hold_expires_at'], unique=False, postgresql_where=sa.text("status = 'held'"), sqlite_where=sa.text("status = 'held'"))
    op.create_index('ix_reservations_starts_live', 'reservations', ['starts_at'], unique=False, postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))


def downgrade() -> None:
    op.drop_index('ix_reservations_starts_live', table_name='reservations', postgresql_where=sa.text('live'), sqlite_where=sa.text('live'))
    op.drop_index('ix_reservations_held', table_name='reservations', postgresql_where=sa.text("status = 'held'"), sqlite_where=sa.text("status = 'held'"))
    op.drop_index('ix_reservations_completed', table_name='reservations', postgresql_where=sa.text("status = 'completed'"), sqlite_where=sa.text("status = 'completed'"))
    # What only this version can write would fail in the older one.
    op.execute("DELETE FROM outbox_mails WHERE status = 'pending' AND kind <> 'account'")
    op.execute("UPDATE outbox_mails SET status = 'failed' WHERE status = 'bounced'")
    op.drop_index('ix_outbox_mails_status', table_name='outbox_mails')
    with op.batch_alter_table('outbox_mails') as mails:
        mails.drop_constraint(op.f('ck_outbox_mails_status_known'), type_='check')
        mails.create_check_constraint(op.f('ck_outbox_mails_status_known'), "status IN ('pending', 'sent', 'failed')")
        mails.drop_constraint(op.f('fk_outbox_mails_user_id'), type_='foreignkey')
        mails.drop_column('has_secret')
        mails.drop_column('locale')
        mails.drop_column('kind')
        mails.drop_column('user_id')
    # Exports are asked for again; the older version knows no parts, and one kind only.
    op.execute('DELETE FROM job_file_parts')
    op.execute('DELETE FROM job_files')
    op.execute("DELETE FROM jobs WHERE kind <> 'export' OR status IN ('done', 'cancelled')")
    with op.batch_alter_table('jobs') as jobs:
        jobs.drop_constraint(op.f('ck_jobs_status_known'), type_='check')
        jobs.create_check_constraint(op.f('ck_jobs_status_known'), "status IN ('queued', 'running', 'done', 'failed')")
        jobs.drop_column('failure')
        jobs.drop_column('params')
    with op.batch_alter_table('job_files') as files:
        files.add_column(sa.Column('content', sa.LargeBinary(), nullable=False))
        files.drop_column('size')
    op.drop_table('job_file_parts')
    op.drop_table('report_files')
    op.drop_index('ix_reports_user_id', table_name='reports')
    op.drop_index('ix_reports_unmade', table_name='reports', postgresql_where=sa.text("status IN ('queued', 'running')"), sqlite_where=sa.text("status IN ('queued', 'running')"))
    op.drop_index('ix_reports_status', table_name='reports')
    op.drop_table('reports')
    op.drop_index(op.f('ix_reminders_user_id'), table_name='reminders')
    op.drop_index('ix_reminders_reservation_id', table_name='reminders')
    op.drop_index('ix_reminders_at', table_name='reminders')
    op.drop_table('reminders')
    op.drop_index('ix_notifications_user_id', table_name='notifications')
    op.drop_index('ix_notifications_unread', table_name='notifications', postgresql_where=sa.text('read_at IS NULL'), sqlite_where=sa.text('read_at IS NULL'))
    op.drop_index('ix_notifications_created_at', table_name='notifications')
    op.drop_table('notifications')
    op.drop_table('notification_settings')
    op.drop_index('ix_task_failures_open', table_name='task_failures', postgresql_where=sa.text('resolved_at IS NULL'), sqlite_where=sa.text('resolved_at IS NULL'))
    op.drop_table('task_failures')
