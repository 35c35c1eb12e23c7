/** The frame around the pages of admins. */
export default {
  badge: 'Ops',
  role: 'Admin',
  bookings: 'Bookings',
  lots: 'Lots',
  users: 'Users',
  audit: 'Audit log',
  money: 'Money',
  payments: 'Payments',
  coupons: 'Coupons',
  ledger: 'Ledger',
  trust: 'Trust',
  reviews: 'Reviews',
  system: 'System',
  more: 'More',
}
